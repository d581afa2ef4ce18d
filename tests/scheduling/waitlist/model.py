"""What the waitlist must do, in plain Python: who has which time, who waits, who is asked next.

Knows no database and no code of the product. Offers, openings and holds come in as they were seen;
visits and entries are foretold, and so is what each act answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

MINUTE = timedelta(minutes=1)
LEAD, WINDOW, SHORTEST, HANDOVER = 60 * MINUTE, 120 * MINUTE, 15 * MINUTE, 2 * MINUTE
LONGEST_SLEEP = 60 * MINUTE
TRUE_ENDS = {"EXHAUSTED", "TOO_LATE", "WITHDRAWN"}
WAITS = ("WAITING", "PAUSED")


@dataclass(frozen=True)
class Slot:
    """Half an hour of a provider's."""

    provider: int
    start: datetime


@dataclass(frozen=True)
class Visit:
    patient: int
    slot: Slot
    live: bool = True
    undo_until: datetime | None = None


@dataclass(frozen=True)
class Entry:
    """`provider` is None for whoever would see anybody; `since` counts who came before whom."""

    patient: int
    provider: int | None
    urgent: bool
    existing: bool
    since: int
    notice: timedelta
    replaces: UUID | None = None
    status: str = "WAITING"

    @property
    def rank(self) -> tuple[bool, bool, int]:
        return (not self.urgent, not self.existing, self.since)


@dataclass(frozen=True)
class Offer:
    entry: UUID
    opening: UUID
    status: str
    expires_at: datetime


@dataclass(frozen=True)
class Opening:
    slot: Slot
    state: str
    ended: str
    next_at: datetime
    not_before: datetime | None


@dataclass(frozen=True)
class Held:
    holder: str
    slot: Slot
    until: datetime


@dataclass
class Seen:
    """The rows at one moment."""

    visits: dict[UUID, Visit] = field(default_factory=dict)
    entries: dict[UUID, str] = field(default_factory=dict)
    openings: dict[UUID, Opening] = field(default_factory=dict)
    offers: dict[UUID, Offer] = field(default_factory=dict)
    holds: list[Held] = field(default_factory=list)

    def offered(self, *, entry: UUID | None = None, opening: UUID | None = None) -> list[UUID]:
        """Return the offers that nobody has closed, of an entry or an opening."""
        return [
            pk
            for pk, offer in self.offers.items()
            if offer.status == "OFFERED" and (offer.entry == entry or offer.opening == opening)
        ]


class Model:
    """`seen` are the rows after the last act; `answers` what is foretold of the offers in them."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.visits: dict[UUID, Visit] = {}
        self.entries: dict[UUID, Entry] = {}
        self.answers: dict[UUID, str] = {}
        self.freed: list[Slot] = []
        self.seen = Seen()

    def live_visits(self, own: UUID | None = None) -> list[Visit]:
        return [visit for pk, visit in self.visits.items() if visit.live and pk != own]

    def is_busy(self, patient: int, start: datetime, own: UUID | None = None) -> bool:
        return any(v.patient == patient and v.slot.start == start for v in self.live_visits(own))

    def is_taken(self, slot: Slot, own: UUID | None = None) -> bool:
        return any(visit.slot == slot for visit in self.live_visits(own))

    def holders(self, slot: Slot) -> list[str]:
        live = [held for held in self.seen.holds if held.until > self.now]
        return [held.holder for held in live if held.slot == slot]

    def refusals(
        self, patient: int | None, slot: Slot, *, own: UUID | None = None, holder: str = ""
    ) -> set[str]:
        """Return what may be answered to whoever wants a time; nothing if they must get it."""
        found = set()
        if slot.start < self.now:
            found.add("InThePast")
        if patient is not None and self.is_busy(patient, slot.start, own):
            found.add("PatientBusy")
        if self.is_taken(slot, own) or set(self.holders(slot)) - {holder}:
            found.add("SlotTaken")
        return found

    def replaced(self, entry: Entry) -> Visit | None:
        """Return the visit that a sooner one takes the place of, while it can move."""
        visit = self.visits.get(entry.replaces) if entry.replaces else None
        return visit if visit and visit.live and visit.slot.start > self.now else None

    def fits(self, pk: UUID, opening: UUID) -> bool:
        """Say whether an entry would take an opening, which it was not offered before."""
        entry, slot = self.entries[pk], self.seen.openings[opening].slot
        if entry.status != "WAITING" or entry.provider not in (None, slot.provider):
            return False
        had = [o for o in self.seen.offers.values() if o.opening == opening]
        if any(self.entries[offer.entry].patient == entry.patient for offer in had):
            return False
        if slot.start <= self.now or slot.start - self.now < entry.notice:
            return False
        if self.is_busy(entry.patient, slot.start, entry.replaces):
            return False
        visit = self.replaced(entry)
        return entry.replaces is None or (visit is not None and slot.start < visit.slot.start)

    def last_moment(self, pk: UUID, opening: UUID) -> datetime:
        slot = self.seen.openings[opening].slot
        return slot.start - max(LEAD, self.entries[pk].notice)

    def has_time(self, pk: UUID, opening: UUID, since: datetime | None = None) -> bool:
        return (since or self.now) + SHORTEST <= self.last_moment(pk, opening)

    def twin(self, patient: int, provider: int | None) -> UUID | None:
        """Return the entry that waits for the same already."""
        same = [
            (entry.since, pk)
            for pk, entry in self.entries.items()
            if (entry.patient, entry.provider) == (patient, provider) and entry.status in WAITS
        ]
        return min(same)[1] if same else None

    def free(self, slot: Slot) -> None:
        """Note that a time came free, which nobody may forget."""
        if slot.start > self.now:
            self.freed.append(slot)

    def set_entry(self, pk: UUID, **values: object) -> None:
        self.entries[pk] = replace(self.entries[pk], **values)  # type: ignore[arg-type]

    def set_visit(self, pk: UUID, **values: object) -> None:
        self.visits[pk] = replace(self.visits[pk], **values)  # type: ignore[arg-type]

    def end_offers(self, pks: Iterable[UUID], status: str) -> None:
        for pk in pks:
            self.answers[pk] = status

    def expire_entries(self) -> None:
        """Foretell who waits for nothing any more, and whose visit to be replaced is no more."""
        for pk, entry in self.entries.items():
            if entry.status not in WAITS or entry.replaces is None:
                continue
            visit = self.visits[entry.replaces]
            if visit.live and visit.slot.start <= self.now:
                self.set_entry(pk, status="EXPIRED")
            elif not visit.live and (visit.undo_until is None or visit.undo_until <= self.now):
                self.set_entry(pk, replaces=None)
