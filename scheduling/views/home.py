"""Where somebody goes who has just signed in: to the pages of their own audience."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from patients.privacy.pages import Audience, page
from providers.models import Clinic

ENTRIES = [("view_own_schedule", "provider:today"), ("view_appointments", "desk:board")]


@page(audience=Audience.PUBLIC)
def home(request: HttpRequest) -> HttpResponse:
    """Send providers to their day, the desk to its board and patients to their appointments."""
    if not request.user.is_authenticated:
        return redirect("portal:start")
    for permission, entry in ENTRIES:
        if Clinic.objects.staffed_by(request.user, permission).exists():
            return redirect(entry)
    return redirect("portal:appointments")
