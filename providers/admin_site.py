"""The set-up site: who may enter, whose clock its times are on, and that it is ours alone.

Pages of other packages are not part of it: a queue's page would let its visitor run code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from providers.models import Clinic


def managed_by(user: User | AnonymousUser) -> Any:
    """Return the clinics that somebody sets up: all of them for a superuser."""
    if user.is_active and user.is_superuser:
        return Clinic.objects.all()
    return Clinic.objects.staffed_by(user, "manage_clinic")


def known_to(user: User | AnonymousUser) -> Any:
    """Return the clinics whose staff and roles somebody may see: all of them for a superuser."""
    if user.is_active and user.is_superuser:
        return Clinic.objects.all()
    return Clinic.objects.staffed_by(user, "view_staff")


def once(request: HttpRequest, question: str, ask: Callable[[], bool]) -> bool:
    """Return the answer to a question about the visitor, asked of the rows once for each request.

    A page of the set-up site asks the same of each of its models, buttons and inlines.
    """
    answers: dict[str, bool] = request.__dict__.setdefault("_answers_of_set_up", {})
    if question not in answers:
        answers[question] = ask()
    return answers[question]


def manages(request: HttpRequest) -> bool:
    """Say whether a visitor sets up any clinic."""
    user = request.user
    return user.is_active and (
        user.is_superuser or once(request, "manages", lambda: managed_by(user).exists())
    )


def sees_staff(request: HttpRequest) -> bool:
    """Say whether a visitor may see the staff of any clinic."""
    return manages(request) or once(request, "sees staff", lambda: known_to(request.user).exists())


class SetupSite(AdminSite):
    """Entered by superusers, by those who manage a clinic, and by whoever may see its staff.

    Signing in is the staff's own.
    """

    site_header = _("Set up")
    site_title = _("Set up")
    index_title = _("Clinics, people and hours")
    site_url = "/home/"

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: type[ModelAdmin[Any]] | None = None,
        **options: Any,
    ) -> None:
        """Register pages that say themselves whom they are for; leave all others out."""
        if not getattr(admin_class, "is_scoped", False):
            return
        super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        return sees_staff(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002
        """Gate a page, and show its times by the clock of the visitor's first clinic."""
        inner = super().admin_view(view, cacheable)

        def on_the_clock(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
            if not self.has_permission(request):
                raise Http404
            if "\0" in unquote(request.META.get("QUERY_STRING", "")):
                raise BadRequest("the database keeps no such character")
            with timezone.override(_zone(request.user)):
                response = inner(request, *args, **kwargs)
                return response.render() if isinstance(response, TemplateResponse) else response

        return on_the_clock

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """There is one sign-in for all staff."""
        return redirect(settings.LOGIN_URL)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        return redirect("account_change_password")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("account_logout")


def _zone(user: User | AnonymousUser) -> ZoneInfo:
    clinic = known_to(user).filter(is_active=True).first()
    return clinic.zone if clinic else ZoneInfo("UTC")
