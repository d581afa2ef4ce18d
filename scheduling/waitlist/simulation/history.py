"""A clinic's own past as a world: what came free when, and who waited then for what.

Reads what was freed as it was split up at the time. Who is paused now counts as not waiting, as it
is not written down since when; visits by video in the place of others are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Min, Q

from providers.models import Clinic, Provider, ProviderSchedule
from scheduling.models import Opening, WaitlistEntry, WaitlistOffer
from scheduling.waitlist import contact
from scheduling.waitlist.pacing import Contact
from scheduling.waitlist.simulation.world import Behaviour, Person, Slot, World
from scheduling.waitlist.telling import NO_WAY
from scheduling.waitlist.wishing import wish_of

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
USUAL_MINUTES = 20
# What was taken back is no time that came free.
TAKEN_BACK = [Opening.Ended.RETURNED, Opening.Ended.NOT_WORKED, Opening.Ended.WITHDRAWN]
GONE_FOR_GOOD = [WaitlistEntry.Status.LEFT, WaitlistEntry.Status.EXPIRED]


def world_of_history(
    clinic: Clinic,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    most: int | None = None,
    behaviour: Behaviour | None = None,
    now: datetime,
) -> World:
    """Return what came free at a clinic from `since` to before `until`, and who waited for some.

    Of more than `most` freed times the latest are taken.

    Patients are told by the preferences that they have now; whom no message reaches is left out.
    However much there is, the same few statements are asked.
    """
    slots = list(_slots(clinic, since, until or now))
    slots = slots if most is None else slots[-most:]
    people = list(_people(clinic, slots, now)) if slots else []
    return World(zone=clinic.zone, slots=slots, people=people, behaviour=behaviour or Behaviour())


def _slots(clinic: Clinic, since: datetime | None, until: datetime) -> Iterable[Slot]:
    freed = Opening.objects.filter(clinic=clinic, created_at__lt=until)
    if since is not None:
        freed = freed.filter(created_at__gte=since)
    for row in freed.exclude(ended__in=TAKEN_BACK).order_by("created_at", "pk"):
        start, end = row.span.lower, row.span.upper
        freed_at = max(row.created_at, row.not_before or row.created_at)
        if start is not None and end is not None and freed_at < start:
            yield Slot(
                key=str(row.pk), provider=row.provider_id, freed_at=freed_at, start=start, end=end
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is read once for all entries. `claimed` says when the visit was that they gave up."""

    providers: list[Provider]
    minutes: int
    claimed: dict[UUID, datetime | None]
    contacts: dict[UUID, Contact]


def _people(clinic: Clinic, slots: list[Slot], now: datetime) -> Iterable[Person]:
    begins, ends = min(slot.freed_at for slot in slots), max(slot.start for slot in slots)
    entries = list(
        WaitlistEntry.objects.filter(Q(ended_at=None) | Q(ended_at__gt=begins), clinic=clinic)
        .filter(created_at__lt=ends)
        .exclude(status=WaitlistEntry.Status.PAUSED)
        .select_related("patient__clinic", "appointment_type", "provider", "specialty", "replaces")
        .order_by("created_at", "pk")
    )
    known = _known(clinic, entries, {str(slot.provider) for slot in slots}, now)
    for entry in entries:
        if entry.patient_id in known.contacts:
            yield _person(entry, known)


def _known(clinic: Clinic, entries: list[WaitlistEntry], freed: set[str], now: datetime) -> _Known:
    hours = ProviderSchedule.objects.filter(clinic=clinic, is_active=True)
    shortest = hours.aggregate(shortest=Min("slot_duration_minutes"))["shortest"]
    taken = WaitlistOffer.objects.filter(
        entry__in=[entry.pk for entry in entries], status=WaitlistOffer.Status.CLAIMED
    )
    claimed = {offer.entry_id: _given_up(offer.visit_start, offer.days_gained) for offer in taken}
    patients = {entry.patient_id: entry.patient for entry in entries}
    reached = contact.reach(list(patients.values()), now=now)
    return _Known(
        providers=list(Provider.objects.filter(pk__in=freed)),
        minutes=shortest or USUAL_MINUTES,
        claimed=claimed,
        contacts={pk: reach.contact for pk, reach in reached.items() if reach.why != NO_WAY},
    )


def _given_up(start: datetime, days_gained: int | None) -> datetime | None:
    """Return when the visit was, to the day, that a claim has moved since."""
    return None if days_gained is None else start + days_gained * DAY


def _person(entry: WaitlistEntry, known: _Known) -> Person:
    kind, wants = entry.appointment_type, wish_of(entry).wants
    if entry.pk in known.claimed:
        wants = replace(wants, sooner_than=known.claimed[entry.pk])
    booked_elsewhere = entry.status == entry.Status.BOOKED and entry.pk not in known.claimed
    left = entry.status in GONE_FOR_GOOD or booked_elsewhere
    return Person(
        entry=str(entry.pk),
        since=entry.created_at,
        wants=wants,
        contact=known.contacts[entry.patient_id],
        providers=frozenset(each.pk for each in known.providers if _sees(each, entry)),
        length=(kind.minutes or known.minutes) * MINUTE,
        buffer_before=kind.buffer_before_minutes * MINUTE,
        buffer_after=kind.buffer_after_minutes * MINUTE,
        lead=kind.waitlist_minimum_lead_minutes * MINUTE,
        is_urgent=entry.urgency == WaitlistEntry.Urgency.URGENT,
        is_existing=entry.is_existing_patient,
        leaves=entry.ended_at if left else None,
    )


def _sees(provider: Provider, entry: WaitlistEntry) -> bool:
    """Say whether an entry could be offered this provider's time."""
    if entry.appointment_type.is_telehealth and not provider.offers_telehealth:
        return False
    if not (entry.is_existing_patient or provider.accepts_new_patients):
        return False
    if entry.provider_id is not None:
        return entry.provider_id == provider.pk
    return entry.specialty_id is not None and entry.specialty_id == provider.specialty_id
