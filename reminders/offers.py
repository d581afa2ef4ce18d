"""Tells patients of freed time that is offered to them: who can be told now, and by which ways.

Decides nothing about who is offered what, and opens no address. Whether a notice still goes is
judged when it leaves, as with every message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import prefetch_related_objects

from patients.models import Patient
from patients.privacy import audit
from reminders.judging import Texts
from reminders.kinds import Channel, NoticeKind
from reminders.models import Notice
from reminders.policies import is_on, policy_of
from reminders.reach import Known, Route, known_of, way_to
from reminders.writing import Work, write
from scheduling.models import WaitlistOffer
from scheduling.quiet import Quiet
from scheduling.waitlist.contact import Reach
from scheduling.waitlist.pacing import Contact

SYSTEM = "system:waitlist"
CAP, NO_WAY = "CAP", "NO_WAY"
# A notification is seen at once or never, so it never goes alone if something else can.
BESIDE = (Channel.SMS, Channel.EMAIL)


def reach_of(patients: Sequence[Patient], *, now: datetime) -> dict[UUID, Reach]:
    """Return how each patient can be told of an offer, by their id.

    `why` is empty where a way is open now, CAP where only texts are and there were enough of
    them, else NO_WAY. Quiet hours are in `contact`, and not asked about here. As many statements
    for many patients as for one.
    """
    listening = Listening.of(patients, now=now)
    return {
        patient.pk: Reach(listening.contact(patient), listening.why_not(patient))
        for patient in patients
    }


def on_offers(offers: Sequence[WaitlistOffer], *, now: datetime) -> None:
    """Write the notices of offers by message, due now, in the transaction that makes the offers.

    A browser is told if there is one, and besides it a text or else an e-mail goes. Where no way
    is open any more an e-mail is planned all the same, so that the log can say why it did not go.
    """
    if not offers:
        return
    prefetch_related_objects(list(offers), "entry__patient__clinic", "opening")
    listening = Listening.of([offer.entry.patient for offer in offers], now=now)
    notices = [
        _notice(offer, channel, now=now)
        for offer in offers
        for channel in listening.ways_for(offer)
    ]
    write(Work(notices=notices), now=now)


def note_sent(rows: Iterable[object], *, at: datetime) -> None:
    """Write into offers when the first message about them went out."""
    told = {
        row.offer_id
        for row in rows
        if isinstance(row, Notice) and row.kind == NoticeKind.OFFER and row.offer_id is not None
    }
    if told:
        WaitlistOffer.objects.filter(pk__in=told, sent_at=None).update(sent_at=at)


@dataclass(frozen=True, slots=True)
class Listening:
    """What was read of several patients at once, about telling them of an offer now."""

    known: Known
    texts: Texts
    now: datetime

    @classmethod
    def of(cls, patients: Sequence[Patient], *, now: datetime) -> Listening:
        prefetch_related_objects(list(patients), "clinic")
        with _record():
            known = known_of(patients, Channel)
            ways = [_way(patient, Channel.SMS, known) for patient in patients]
            numbers = {digest for way in ways if way is not None for digest in way.indexes}
        return cls(known, Texts.read(numbers, now=now), now)

    def contact(self, patient: Patient) -> Contact:
        """Return by which clock a patient lives, and when they are not to be disturbed."""
        chosen = self.known.preference(patient)
        return Contact(_zone(patient), Quiet(chosen.quiet_from, chosen.quiet_until))

    def why_not(self, patient: Patient) -> str:
        """Return why nobody can tell the patient of an offer now; empty where somebody can."""
        known = self._known_ways(patient, clinic=patient.clinic_id, visit_type=None)
        if any(not self._is_capped(patient, way) for way in known.values()):
            return ""
        return CAP if known else NO_WAY

    def ways_for(self, offer: WaitlistOffer) -> list[Channel]:
        """Return by which ways an offer is told of."""
        patient = offer.entry.patient
        known = self._known_ways(
            patient, clinic=offer.opening.clinic_id, visit_type=offer.visit_type_id
        )
        free = [channel for channel, way in known.items() if not self._is_capped(patient, way)]
        beside = next((channel for channel in BESIDE if channel in free), None)
        told = [Channel.PUSH] if Channel.PUSH in free else []
        return [*told, beside] if beside is not None else told or [Channel.EMAIL]

    def _known_ways(
        self, patient: Patient, *, clinic: UUID, visit_type: UUID | None
    ) -> dict[Channel, Route]:
        policy = policy_of(clinic, visit_type)
        ways = {one: _way(patient, one, self.known) for one in Channel if is_on(policy, one)}
        return {channel: way for channel, way in ways.items() if way is not None}

    def _is_capped(self, patient: Patient, way: Route) -> bool:
        if way.channel != Channel.SMS:
            return False
        return self.texts.are_enough(way, zone=_zone(patient), now=self.now)


def _way(patient: Patient, channel: Channel, known: Known) -> Route | None:
    way = way_to(patient, channel, kind=NoticeKind.OFFER, known=known)
    return way if isinstance(way, Route) else None


def _zone(patient: Patient) -> ZoneInfo:
    return ZoneInfo(patient.time_zone_id) if patient.time_zone_id else patient.clinic.zone


def _notice(offer: WaitlistOffer, channel: Channel, *, now: datetime) -> Notice:
    return Notice(
        kind=NoticeKind.OFFER,
        subject=str(offer.pk),
        channel=channel,
        clinic_id=offer.opening.clinic_id,
        patient_id=offer.entry.patient_id,
        offer_id=offer.pk,
        due_at=now,
        not_after=offer.expires_at,
    )


def _record() -> AbstractContextManager[Any]:
    """Keep a record where contacts are opened: while their blind index has two keys."""
    if not settings.BLIND_INDEX_KEY_OLD:
        return nullcontext()
    return audit.keeping_record(system=SYSTEM, purpose="offer")
