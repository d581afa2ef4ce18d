"""A privacy officer's queue of emergencies, and the verdict on each."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients import emergency, looks
from patients.models import AuditEntry, BreakGlassGrant, GrantKind
from patients.models.emergency import BreakGlassGrantQuerySet
from patients.privacy.lines import lines_of
from patients.privacy.pages import Audience, StaffRequest, page

MOST = 100
MOST_ENTRIES = 200
CONFLICT, INVALID = 409, 422


class ReviewForm(forms.Form):
    """What the officer makes of it; a note is asked for where something has to follow."""

    use_required_attribute = False
    verdict = forms.ChoiceField(
        label=gettext_lazy("Was it right to open the record?"),
        choices=[
            ("JUSTIFIED", gettext_lazy("Yes, it was justified")),
            ("FOLLOW_UP", gettext_lazy("It needs follow-up")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose one of the two.")},
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        help_text=gettext_lazy("What was found, or what has to follow. Officers read it."),
        required=False,
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean(self) -> None:
        told = super().clean() or self.cleaned_data
        if told.get("verdict") == "FOLLOW_UP" and not told.get("note"):
            self.add_error("note", _("Say what has to follow."))


@page(audience=Audience.PRIVACY, permission="view_audit", phi=True)
def reviews(request: StaffRequest) -> HttpResponse:
    """List what waits for a verdict, then what was judged, then the officers' own looks."""
    rows = _grants(request)
    emergencies = rows.filter(kind=GrantKind.EMERGENCY)
    context = {
        "waiting": list(emergencies.to_review().order_by("granted_at")[:MOST]),
        "judged": list(emergencies.filter(reviewed_at__isnull=False)[:MOST]),
        "officers": list(rows.filter(kind=GrantKind.OVERSIGHT)[:MOST]),
    }
    shown = [grant for grants in context.values() for grant in grants]
    looks.note_patients(grant.patient_id for grant in shown)
    return render(request, "emergency/reviews.html", context)


def _grants(request: StaffRequest) -> BreakGlassGrantQuerySet:
    here: BreakGlassGrantQuerySet = BreakGlassGrant.objects.visible_to(request.user).filter(
        patient__clinic__in=request.clinics
    )
    return here.select_related("user", "reviewed_by", "patient__clinic__time_zone").only(
        "kind",
        "purpose",
        "granted_at",
        "expires_at",
        "reviewed_at",
        "verdict",
        "user",
        "reviewed_by",
        "patient__clinic",
    )


@page(audience=Audience.PRIVACY, permission="view_audit", methods=("GET", "POST"), phi=True)
def review(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show why a record was opened and what was looked at meanwhile; take the verdict."""
    grant = get_object_or_404(_grants(request), pk=pk)
    form = ReviewForm(request.POST if request.method == "POST" else None)
    if not form.is_bound:
        return _show(request, grant, form)
    if not form.is_valid():
        return _show(request, grant, form, status=INVALID)
    try:
        emergency.review(
            grant=grant,
            verdict=form.cleaned_data["verdict"],
            note=form.cleaned_data["note"],
            by=request.user,
        )
    except PermissionDenied:
        raise Http404 from None
    except emergency.AlreadyReviewed:
        grant = get_object_or_404(_grants(request), pk=pk)
        return _show(request, grant, form, status=CONFLICT)
    messages.success(request, _("The review is saved."))
    return redirect("emergency:reviews")


def _show(
    request: StaffRequest, grant: BreakGlassGrant, form: ReviewForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "grant": grant,
        "form": form,
        "lines": lines_of(entries_of(grant)),
        "can_review": grant.kind == GrantKind.EMERGENCY
        and grant.reviewed_at is None
        and grant.user_id != request.user.pk,
        "is_own": grant.user_id == request.user.pk,
        "already": status == CONFLICT,
    }
    return render(request, "emergency/review.html", context, status=status)


def entries_of(grant: BreakGlassGrant) -> list[AuditEntry]:
    """Return what its user did with this patient's data while the record was open."""
    return list(
        AuditEntry.objects.filter(
            Q(timestamp__gte=grant.granted_at, timestamp__lte=grant.expires_at),
            actor=grant.user_id,
            patient_ids__contains=[grant.patient_id],
        ).order_by("timestamp")[:MOST_ENTRIES]
    )
