"""Where a privacy officer sees whether the record is whole, and asks to have it looked at again."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from patients import verdicts
from patients.models import AuditVerification
from patients.privacy import verifications
from patients.privacy.pages import Audience, StaffRequest, page
from patients.privacy.seal_state import status

MOST_SHOWN = 10


@page(audience=Audience.PRIVACY, permission="view_audit", methods=("GET", "POST"))
def chain(request: StaffRequest) -> HttpResponse:
    """Show the last verdict and where sealing stands; a POST has the worker verify once more."""
    now = timezone.now()
    if request.method == "POST":
        verifications.ask(by=request.user, now=now)
        return redirect("privacy:chain")
    sealing = status(now=now)
    earlier = AuditVerification.objects.exclude(done_at=None).select_related("asked_by")
    context = {
        "nav_current": "chain",
        "zone": request.clinic.zone,
        "sealing": sealing,
        "minutes": round(sealing.oldest_unsealed.total_seconds() / 60)
        if sealing.oldest_unsealed
        else 0,
        "running": verifications.running(now=now),
        "last": verdicts.told(sealing.verified) if sealing.verified else None,
        "earlier": [(one, verdicts.told(one)) for one in earlier.order_by("-done_at")[:MOST_SHOWN]],
    }
    return render(request, "privacy/chain.html", context)
