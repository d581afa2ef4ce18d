"""What the patients' pages about the waitlist share: their gate, the questions, the words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.models import Patient
from patients.privacy.pages import Audience, page
from providers.models import Clinic, Provider, Specialty, VisitType
from scheduling.actors import Actor
from scheduling.availability.matching import bookable
from scheduling.availability.query import Query
from scheduling.forms.portal_waitlist import Asked, at_least
from scheduling.forms.portal_wish import online_types
from scheduling.links import within_reach
from scheduling.models import Appointment, WaitlistEntry
from scheduling.views.portal_choices import PortalRequest
from scheduling.views.portal_visit import COMING
from scheduling.visit_facts import Fact, day_of, moment
from scheduling.visit_words import visit_name
from scheduling.waitlist.reach import entries_within_reach
from scheduling.waitlist.words import entry_in_words

EntryView = Callable[[PortalRequest, WaitlistEntry, datetime], HttpResponse]
PageView = Callable[[PortalRequest, UUID], HttpResponse]


def entry_page(*, methods: tuple[str, ...] = ("GET",)) -> Callable[[EntryView], PageView]:
    """Declare a page about one place on the waitlist; the view gets it and the request's instant.

    Strangers are asked to sign in, whether there is such a place or not; for others it is a 404.
    """

    def declare(view: EntryView) -> PageView:
        @page(audience=Audience.PUBLIC, methods=methods, phi=True)
        @wraps(view)
        def gate(request: PortalRequest, pk: UUID) -> HttpResponse:
            now = timezone.now()
            reach = entries_within_reach(request.session, request.user, now=now)
            entry = reach.filter(pk=pk).first()
            if entry is None:
                return turn_away(request, reverse("portal:waitlist_entry", args=[pk]))
            request.clinic = entry.clinic
            return view(request, entry, now)

        return gate

    return declare


def turn_away(request: PortalRequest, address: str) -> HttpResponse:
    """Ask strangers to sign in; whoever is signed in finds nothing."""
    if request.user.is_authenticated:
        raise Http404
    return redirect_to_login(address, reverse("portal:sign_in"))


def is_own(request: PortalRequest, patient: Patient) -> bool:
    """Whether a record is the signed-in patient's, rather than reached by a link."""
    return request.user.is_authenticated and patient.user_id == request.user.pk


def actor_for(request: PortalRequest, patient: Patient) -> Actor:
    return Actor.patient(request.user.pk if is_own(request, patient) else None)


def say_joined(request: PortalRequest, *, is_new: bool) -> None:
    """Tell somebody that they are on the list, or were already."""
    if is_new:
        messages.success(request, _("You are on the waitlist."))
    else:
        words = _("You were on the waitlist for this already. You keep your place in the line.")
        messages.info(request, words)


def coming_visits(
    request: PortalRequest, patient: Patient, clinic: Clinic, now: datetime
) -> list[Appointment]:
    """Return the visits of a patient at a clinic that this browser reaches, the next first."""
    reach = within_reach(request.session, request.user, now=now)
    rows = reach.filter(patient=patient, clinic=clinic, status__in=COMING, scheduled_start__gt=now)
    return list(rows.order_by("scheduled_start"))


def people(
    clinic: Clinic,
    kind: VisitType,
    now: datetime,
    *,
    specialty: Specialty | None = None,
    is_new: bool = False,
) -> list[Provider]:
    """Return who gives a visit at a clinic, by name."""
    today = now.astimezone(clinic.zone).date()
    query = Query(
        visit_type=kind,
        first_day=today,
        last_day=today,
        clinics=(clinic,),
        specialty=specialty,
        new_patient=is_new,
    )
    return list(bookable(query).select_related("specialty").order_by("name", "pk"))


def cares_of(providers: list[Provider]) -> list[Specialty]:
    """Return their specialties, each once, by name."""
    found = {one.specialty.pk: one.specialty for one in providers if one.specialty is not None}
    return sorted(found.values(), key=lambda care: care.name)


def takes_video(kind: VisitType, providers: list[Provider]) -> bool:
    """Whether one of them could give the visit by video instead."""
    if kind.is_telehealth or not any(one.offers_telehealth for one in providers):
        return False
    return online_types().filter(is_telehealth=True).exists()


def asked_of_visit(visit: Appointment, now: datetime) -> Asked:
    """Return the questions about an earlier time for a visit."""
    kind = visit.appointment_type
    found = people(visit.clinic, kind, now, specialty=visit.provider.specialty)
    return Asked(
        clinic=visit.clinic,
        kind=kind,
        providers=[one for one in found if one.pk == visit.provider_id],
        cares=cares_of(found),
        visits=[visit],
        video=takes_video(kind, found),
        today=now.astimezone(visit.zone).date(),
    )


def asked_of_entry(request: PortalRequest, entry: WaitlistEntry, now: datetime) -> Asked:
    """Return the questions for a place on the list that is to be changed.

    The visit that it replaces may stay so, even where this browser reaches no other page of it.
    """
    specialty = entry.specialty or (entry.provider.specialty if entry.provider else None)
    found = people(entry.clinic, entry.appointment_type, now, specialty=specialty)
    return Asked(
        clinic=entry.clinic,
        kind=entry.appointment_type,
        providers=found,
        cares=cares_of(found),
        visits=_replaceable(request, entry, now),
        video=takes_video(entry.appointment_type, found),
        entry=entry,
        today=now.astimezone(entry.clinic.zone).date(),
    )


def _replaceable(request: PortalRequest, entry: WaitlistEntry, now: datetime) -> list[Appointment]:
    visits = coming_visits(request, entry.patient, entry.clinic, now)
    kept = entry.replaces
    if kept is None or kept in visits or kept.status not in COMING or kept.scheduled_start <= now:
        return visits
    return [kept, *visits]


def facts_of(entry: WaitlistEntry, *, is_own: bool) -> list[Fact]:
    """Return what somebody waits for; a name only of a record of their own.

    Of an entry that is not written yet, nothing stands about since when.
    """
    since = day_of(entry.created_at.astimezone(entry.clinic.zone))
    rows = [
        Fact(_("Visit"), visit_name(entry.appointment_type)),
        Fact(_("With"), whom(entry)),
        Fact(_("When"), entry_in_words(entry)),
        Fact(_("Notice"), at_least(timedelta(minutes=entry.minimum_notice_minutes))),
        Fact(_("By video"), _("would do too") if entry.telehealth_acceptable else ""),
        Fact(_("In place of"), moment(entry.replaces) if entry.replaces else ""),
        Fact(_("Where"), entry.clinic.name),
        Fact(_("Since"), "" if entry._state.adding else since),
    ]
    if is_own:
        rows.insert(0, Fact(_("For"), entry.patient.full_name))
    return [row for row in rows if row.value]


def whom(entry: WaitlistEntry) -> str:
    """Return with whom: a name, or anybody of a kind of care."""
    if entry.provider is not None:
        return entry.provider.name
    if entry.specialty is None:
        raise LookupError("an entry waits for a provider or a specialty")
    return _("Any provider of %(care)s") % {"care": entry.specialty.name}
