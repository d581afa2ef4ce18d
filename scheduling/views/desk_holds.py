"""A time kept while a caller decides: placed, shown with its end, prolonged, given back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from patients.models import Patient
from patients.privacy.pages import Audience, StaffRequest, page
from scheduling.errors import HoldExpired, SchedulingError
from scheduling.forms.find import BannerForm
from scheduling.holds import MOST_EXTENSIONS, extend_hold, find_hold, release_hold
from scheduling.models import SlotHold
from scheduling.presenters import clock, long_date
from scheduling.refusal_words import in_words


@dataclass(frozen=True, slots=True)
class Kept:
    """A hold in words, with the seconds that were left when the page was made."""

    hold: SlotHold
    seconds: int

    @property
    def when(self) -> str:
        """The visit's start on the clinic's clock: "Tuesday, June 9, 3:30 pm"."""
        local = self.hold.visit_start.astimezone(self.hold.clinic.zone)
        return f"{long_date(local)}, {clock(local)}"

    @property
    def until(self) -> datetime:
        return self.hold.expires_at.astimezone(self.hold.clinic.zone)

    @property
    def can_extend(self) -> bool:
        return self.hold.extensions < MOST_EXTENSIONS

    @property
    def book_href(self) -> str:
        """Where the visit is booked, for the hold's patient where there is one."""
        asked = {"hold": self.hold.pk, "patient": self.hold.patient_id}
        known = {name: value for name, value in asked.items() if value}
        return f"{reverse('desk:book')}?{urlencode(known)}"


def holder_of(request: StaffRequest) -> str:
    """Return by whom the desk's holds are kept: the signed-in user, in any of their browsers."""
    return str(request.user.pk)


def held_for_caller(request: StaffRequest, *, now: datetime) -> Kept | None:
    """Return the time that this user keeps for a caller at this moment, for the page's banner."""
    hold = (
        SlotHold.objects.live()
        .filter(holder=holder_of(request), purpose=SlotHold.Purpose.PHONE)
        .select_related("provider", "clinic", "visit_type")
        .first()
    )
    return _kept(hold, now) if hold else None


def _kept(hold: SlotHold, now: datetime) -> Kept:
    return Kept(hold, max(0, int((hold.expires_at - now).total_seconds())))


@page(audience=Audience.DESK, permission="manage_appointments", phi=True)
def hold(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show a kept time and what can be done with it; one that has ended can be asked for again."""
    now = timezone.now()
    try:
        kept = _kept(find_hold(pk, holder=holder_of(request)), now)
    except HoldExpired:
        return _ended(request, pk)
    return render(request, "desk/hold.html", {"hold": kept})


@page(audience=Audience.DESK, permission="manage_appointments", methods=("POST",), phi=True)
def hold_extend(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Keep it two minutes longer: in the banner that asked, or on the hold's own page."""
    now = timezone.now()
    try:
        kept = extend_hold(find_hold(pk, holder=holder_of(request)), now=now)
    except HoldExpired:
        return _ended(request, pk)
    except SchedulingError as refusal:
        messages.error(request, in_words(refusal))
    else:
        if request.htmx:
            context = {"hold": _kept(kept, now), "patient": _patient(request), "in_place": True}
            return render(request, "desk/hold_banner.html", context)
    return _to_hold(request, pk)


@page(audience=Audience.DESK, permission="manage_appointments", methods=("POST",), phi=True)
def hold_release(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Give the time back; what has ended already is as good as given back."""
    own = _own(request, pk)
    try:
        release_hold(own)
    except SchedulingError as refusal:
        messages.error(request, in_words(refusal))
        return _to_hold(request, pk)
    if request.htmx:
        return render(request, "desk/hold_released.html")
    messages.success(request, _("The time is free again."))
    return redirect("desk:next_available")


def _to_hold(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Go on to the hold's page; a fragment has the browser go there."""
    address = reverse("desk:hold", args=[pk])
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def _own(request: StaffRequest, pk: UUID) -> SlotHold:
    """Return a hold of this user's, ended or not; raises Http404."""
    kept_here = SlotHold.objects.filter(holder=holder_of(request), purpose=SlotHold.Purpose.PHONE)
    return get_object_or_404(
        kept_here.select_related("provider", "clinic", "visit_type", "patient"), pk=pk
    )


def _ended(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Say that a hold of this user's is over (409); what never was theirs is unknown (404)."""
    ended = _kept(_own(request, pk), timezone.now())
    template = "desk/hold_ended.html" if request.htmx else "desk/hold.html"
    return render(request, template, {"ended": ended}, status=409)


def _patient(request: StaffRequest) -> Patient | None:
    """Return the patient of the page on which the banner stands, if it is about one."""
    form = BannerForm(request.POST)
    pk = form.cleaned_data["patient"] if form.is_valid() else None
    if not pk:
        return None
    known = Patient.objects.visible_to(request.user).filter(clinic__in=request.clinics)
    return known.filter(pk=pk).first()
