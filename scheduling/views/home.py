"""Where somebody goes who has just signed in: to the pages of their own audience."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from patients.models import Patient
from patients.privacy.pages import Audience, page
from providers.models import Clinic

ENTRIES = [
    ("view_own_schedule", "provider:today"),
    ("view_appointments", "desk:board"),
    ("view_audit", "privacy:start"),
]


@page(audience=Audience.PUBLIC)
def home(request: HttpRequest) -> HttpResponse:
    """Send each to their own: providers, the desk, privacy officers, patients.

    Whoever has a role without pages of its own is told so.
    """
    if not request.user.is_authenticated:
        return redirect("portal:start")
    for permission, entry in ENTRIES:
        if Clinic.objects.staffed_by(request.user, permission).exists():
            return redirect(entry)
    if Patient.objects.filter(user=request.user).exists():
        return redirect("portal:appointments")
    return render(request, "account/no_pages.html")
