"""Signs a visitor of the demo in as one of its cast, by one click and without a password."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from patients.models import contact_index
from patients.privacy.pages import Audience, page
from patients.privacy.sign_in.factor import vouch_for_demo
from patients.registration import AccountClosed, account_for
from scheduling.seeding import cast

BACKEND = "django.contrib.auth.backends.ModelBackend"


@dataclass(frozen=True, slots=True)
class Entry:
    """A staff login, and the page where they begin."""

    login: str
    begins_at: str

    @property
    def username(self) -> str:
        return f"{self.login}@{cast.DOMAIN}"


STAFF = {
    "desk": Entry("receptionist", "desk:board"),
    "provider": Entry("provider", "provider:today"),
    "admin": Entry("admin", "admin:index"),
    "privacy": Entry("privacy", "privacy:start"),
}


@page(audience=Audience.PUBLIC, methods=("POST",))
def enter(request: HttpRequest, audience: str) -> HttpResponse:
    """Sign in as the audience's member of the cast; 404 for any other and before the seeding."""
    if audience == "patient":
        return _enter_as_patient(request)
    entry = STAFF.get(audience)
    if entry is None:
        raise Http404
    user = get_object_or_404(User, username=entry.username, is_active=True)
    login(request, user, backend=BACKEND)
    vouch_for_demo(request, user)
    return redirect(entry.begins_at)


def _enter_as_patient(request: HttpRequest) -> HttpResponse:
    """Open the account that a code would have opened; 403 where it was closed meanwhile."""
    try:
        account = account_for(contact_index("email", cast.DEMO_PATIENT_EMAIL))
    except AccountClosed:
        return render(request, "portal/sign_in_closed.html", status=403)
    if account is None:
        raise Http404
    login(request, account, backend=BACKEND)
    return redirect("portal:appointments")
