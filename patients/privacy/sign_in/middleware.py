"""Ends sign-ins that are too old, and keeps staff pages shut until a second factor was shown.

Runs after the pages' own gate has looked at the request. A page that declares nothing, such as
those of the set-up site, counts as a staff page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils.translation import gettext as _

from patients.privacy.pages import Audience, Page
from patients.privacy.sign_in import factor, sessions, unsent
from patients.privacy.sign_in.limits import Ending

ENTRY_HEADER = "Sign-In-At"
WAYS_IN = {"sign_in", "sign_in_code", "lost_link", "account_unsent"}


class SignInMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        declared: Page | None = getattr(view, "page", None)
        if not request.user.is_authenticated:
            _end_grants(request, declared)
            return None
        ending = sessions.times_of(request.session).ending(sessions.clock())
        if ending is not None:
            return _end(request, declared, ending)
        if _is_for_staff(declared) and not factor.has_passed(request):
            step = factor.ask_for_proof(request)
            if step is not None:
                return fragment_refused(step["Location"]) if _is_part(request, declared) else step
        if not _is_passive(declared):
            sessions.keep_alive(request.session)
        unsent.discard_if_sent(request)
        return None


def fragment_refused(entry: str) -> HttpResponse:
    """Return the answer to part of a page whose sign-in is over: the page says so itself."""
    return HttpResponse(status=401, headers={ENTRY_HEADER: entry})


def _is_for_staff(declared: Page | None) -> bool:
    return declared is None or declared.audience not in {Audience.PUBLIC, Audience.PATIENT}


def _is_passive(declared: Page | None) -> bool:
    return declared is not None and declared.passive


def _is_part(request: HttpRequest, declared: Page | None) -> bool:
    return _is_passive(declared) or bool(getattr(request, "htmx", False))


def _end(request: HttpRequest, declared: Page | None, ending: Ending) -> HttpResponse | None:
    """Sign the user out, and lead to the sign-in; a public page goes on for a stranger."""
    owner = request.user.pk
    logout(request)
    if declared is not None and _goes_on(request, declared):
        return None
    for_staff = _is_for_staff(declared)
    entry = resolve_url(settings.LOGIN_URL) if for_staff else reverse("portal:sign_in")
    part = _is_part(request, declared)
    back = "" if part else request.get_full_path()
    if request.method == "POST":
        back = unsent.keep(request, user_id=owner, for_staff=for_staff)
    address = f"{entry}?{urlencode({'next': back}, safe='/')}" if back else entry
    if part:
        return fragment_refused(address)
    messages.info(request, _words(ending))
    return redirect(address)


def _goes_on(request: HttpRequest, declared: Page) -> bool:
    """Whether a page is answered to a stranger: a public one, unless it was to take something."""
    name = request.resolver_match.url_name if request.resolver_match else ""
    takes = declared.phi and request.method == "POST" and name not in WAYS_IN
    return declared.audience is Audience.PUBLIC and not takes


def _words(ending: Ending) -> str:
    if ending is Ending.IDLE:
        minutes = settings.SESSION_IDLE_SECONDS // 60
        return _("You were signed out because nothing happened for %(minutes)s minutes.") % {
            "minutes": minutes
        }
    return _("Your sign-in was too old. Please sign in again.")


def _end_grants(request: HttpRequest, declared: Page | None) -> None:
    """Take back what links have opened to a browser without a sign-in, by the same limits."""
    session = request.session
    granted = [key for key in settings.SESSION_GRANTS if key in session]
    if not granted:
        return
    if sessions.times_of(session).ending(sessions.clock()) is not None:
        for key in (*granted, sessions.SINCE_KEY, sessions.SEEN_KEY):
            session.pop(key, None)
    elif not _is_passive(declared):
        sessions.keep_alive(session)
