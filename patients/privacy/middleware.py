"""Enforces what pages declare: method, audience, permission, and what is never stored.

Another audience's page is a sign-in for strangers and a 404 for everybody else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render, resolve_url
from django.urls import reverse

from patients.models import Patient
from patients.privacy.access import clinics_with
from patients.privacy.pages import Audience, Page, PageRequest
from providers.models import Clinic, Membership

CLINIC_SESSION_KEY = "clinic"


class PageMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        declared: Page | None = getattr(request, "page", None)
        if declared and (declared.phi or declared.audience is not Audience.PUBLIC):
            response["Cache-Control"] = "no-store"  # secrets of a second factor are no PHI
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        declared: Page | None = getattr(view, "page", None)
        if declared is None:
            return None
        if request.method == "HEAD":
            request.method = "GET"  # or a view that asks for GET would take it for a POST
        request = cast(PageRequest, request)
        request.page = declared
        if request.method not in declared.methods:
            refusal = HttpResponseNotAllowed(declared.methods)
            refusal.content = render(request, "errors/405.html").content
            return refusal
        if declared.audience is Audience.PUBLIC:
            return None
        if not request.user.is_authenticated:
            return self.ask_to_sign_in(request, declared)
        self.admit(request, declared)
        return None

    def ask_to_sign_in(self, request: PageRequest, declared: Page) -> HttpResponse:
        """Send a stranger to the sign-in of the page's audience; fragments are told by header."""
        patient = declared.audience is Audience.PATIENT
        entry = reverse("portal:sign_in") if patient else resolve_url(settings.LOGIN_URL)
        if request.htmx:
            return HttpResponse(status=401, headers={"Sign-In-At": entry})
        return redirect_to_login(request.get_full_path(), entry)

    def admit(self, request: PageRequest, declared: Page) -> None:
        """Let a signed-in user pass, with the clinic they are at; raises Http404 otherwise."""
        user = cast(User, request.user)
        if declared.audience is Audience.PATIENT:
            if not Patient.objects.filter(user=user).exists():
                raise Http404
            return
        if declared.audience is Audience.STAFF:
            works_here = Membership.objects.filter(user=user, is_active=True)
            if not (user.is_superuser or works_here.exists()):
                raise Http404
            return
        request.clinics = clinics_with(user, declared.permission)
        if not request.clinics:
            raise Http404
        request.clinic = chosen(request)


def chosen(request: PageRequest) -> Clinic:
    """Return the clinic chosen in this session where it is allowed, else the first by name."""
    wanted = request.session.get(CLINIC_SESSION_KEY)
    return next((c for c in request.clinics if str(c.pk) == wanted), request.clinics[0])
