"""Records that were joined: what moved, and taking them apart again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from patients.merging import LaterJoined, TakenApart
from patients.models import PatientMerge
from patients.privacy.pages import Audience, StaffRequest, page
from scheduling.desk_words import when_words
from scheduling.errors import Busy
from scheduling.merging import take_apart
from scheduling.models import Appointment, WaitlistEntry
from scheduling.refusal_words import in_words
from scheduling.views.records import ways

ON_A_PAGE = 25


def merges_of(request: StaffRequest) -> QuerySet[PatientMerge]:
    """Return what was joined at the clinics where this member of staff keeps the records."""
    rows = PatientMerge.objects.visible_to(request.user).filter(clinic__in=request.clinics)
    return rows.select_related("keep__clinic", "away", "clinic__time_zone", "made_by", "undone_by")


@page(audience=Audience.DESK, permission="manage_patients", phi=True)
def merges(request: StaffRequest) -> HttpResponse:
    """Show what was joined lately, the latest first."""
    shown = Paginator(merges_of(request).order_by("-made_at", "pk"), ON_A_PAGE).get_page(
        request.GET.get("page")
    )
    rows = [
        {
            "href": reverse("records:merge", args=[row.pk]),
            "title": row.keep.full_name,
            "detail": when_words(row.made_at, row.clinic.zone),
            "tags": [{"kind": "cancelled", "label": _("Taken apart")}] if row.undone_at else [],
        }
        for row in shown
    ]
    context = {"rows": rows, **ways(shown), "nav_current": "records"}
    return render(request, "records/merges.html", context)


@page(audience=Audience.DESK, permission="manage_patients", methods=("GET", "POST"), phi=True)
def merge(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show what became one record; a POST takes it apart again."""
    found = get_object_or_404(merges_of(request), pk=pk)
    refusal = ""
    if request.method == "POST":
        try:
            done = take_apart(merge=found, by=request.user, now=timezone.now())
        except TakenApart:
            return redirect("records:merge", found.pk)
        except LaterJoined:
            refusal = _("This record was joined into another one since. Take those apart first.")
        except Busy as busy:
            refusal = in_words(busy)
        else:
            messages.success(request, _("The two records are apart again."))
            if done.kept_values:
                messages.warning(request, _("Details that were changed since stayed as they are."))
            return redirect("records:merge", found.pk)
    context = {
        "merge": found,
        "facts": _facts(found),
        "later": _later(found),
        "refusal": refusal,
        "nav_current": "records",
    }
    return render(request, "records/merge.html", context, status=409 if refusal else 200)


def _facts(found: PatientMerge) -> list[dict[str, str]]:
    facts = [
        (_("Joined"), f"{when_words(found.made_at, found.clinic.zone)}\n{_name(found.made_by)}"),
        (_("Moved"), "\n".join(_moved(found))),
    ]
    if found.undone_at is not None:
        undone = f"{when_words(found.undone_at, found.clinic.zone)}\n{_name(found.undone_by)}"
        facts.append((_("Taken apart"), undone))
    return [{"label": label, "value": value} for label, value in facts]


def _name(user: Any) -> str:
    return user.get_full_name() or _("Staff") if user else ""


def _moved(found: PatientMerge) -> list[str]:
    """Return how many of each kind changed hands, in words."""
    visits = len(found.moved.get(Appointment._meta.label_lower, []))
    waits = len(found.moved.get(WaitlistEntry._meta.label_lower, []))
    words = [ngettext("%(count)d visit", "%(count)d visits", visits) % {"count": visits}]
    if waits:
        places = ngettext(
            "%(count)d place on the waitlist", "%(count)d places on the waitlist", waits
        )
        words.append(places % {"count": waits})
    return words


def _later(found: PatientMerge) -> int:
    """Return how many visits came to the joined record since: they stay with it."""
    if found.undone_at is not None:
        return 0
    moved = found.moved.get(Appointment._meta.label_lower, [])
    since = Appointment.objects.filter(patient=found.keep_id, created_at__gt=found.made_at)
    return since.exclude(pk__in=moved).count()
