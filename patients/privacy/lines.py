"""Rows of the audit as lines to read: for officers one by one, for patients gathered by day.

Patients are told names and roles of staff, never an address or a number of anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import ngettext

from patients.models import AuditEntry
from patients.models.audit import Act, Outcome
from patients.privacy import wording
from providers.models import Clinic, Provider

ENDING = 8
FEW = 4


def ending_of(patient: UUID) -> str:
    """Return how a record is called where its name is not shown: its id's last characters."""
    return str(patient)[-ENDING:].upper()


@dataclass(frozen=True, slots=True)
class Names:
    """What the rows of a page refer to, read at once."""

    users: dict[int, User]
    providers: dict[int, str]
    clinics: dict[UUID, Clinic]

    @classmethod
    def of(cls, entries: Iterable[AuditEntry]) -> Names:
        rows = list(entries)
        users = User.objects.in_bulk({row.actor_id for row in rows if row.actor_id})
        theirs = Provider.objects.filter(user__in=users).values_list("user", "name")
        places = {row.clinic_id for row in rows if row.clinic_id}
        found = Clinic.objects.select_related("time_zone").in_bulk(places)
        return cls(users, {pk: name for pk, name in theirs if pk}, found)

    def person(self, entry: AuditEntry) -> str:
        """Return who did it, as colleagues know them; patients' accounts have no name."""
        if entry.actor_id is None:
            return wording.system_words(entry.system_actor)
        if entry.role == wording.PATIENT:
            return str(wording.OWN_ACCOUNT)
        user = self.users.get(entry.actor_id)
        if user is None:
            return str(wording.NOBODY)
        return self.providers.get(user.pk) or user.get_full_name() or user.get_username()

    def person_for_patients(self, entry: AuditEntry) -> str:
        """Return who did it by name, without an account's or an address's."""
        if entry.actor_id is None:
            return wording.system_words(entry.system_actor)
        if entry.role == wording.PATIENT:
            return str(wording.OWN_ACCOUNT)
        user = self.users.get(entry.actor_id)
        name = user and (self.providers.get(user.pk) or user.get_full_name())
        return name or str(wording.NOBODY)

    def clinic(self, entry: AuditEntry) -> str:
        place = self.clinics.get(entry.clinic_id) if entry.clinic_id else None
        return place.name if place else ""


@dataclass(frozen=True, slots=True)
class Line:
    """One row for an officer. `patients` are the records it names, by the ends of their ids."""

    at: datetime
    who: str
    actor: int | None
    role: str
    clinic: str
    act: str
    page: str
    purpose: str
    outcome: str
    is_refused: bool
    patients: list[UUID]
    fields: str
    address: str
    request: str

    @property
    def few_fields(self) -> str:
        """The first of the columns in words, and how many more there are."""
        names = [name.replace("_", " ") for name in self.fields.split(", ") if name]
        more = len(names) - FEW
        told = ", ".join(names[:FEW])
        if more <= 0:
            return told
        count = ngettext("%(count)d more", "%(count)d more", more) % {"count": more}
        return f"{told}, {count}"

    @property
    def only_patient(self) -> UUID | None:
        return self.patients[0] if len(self.patients) == 1 else None

    @property
    def record(self) -> str:
        return ending_of(self.patients[0]) if self.patients else ""


def lines_of(entries: Sequence[AuditEntry]) -> list[Line]:
    """Return rows as an officer reads them, in their order."""
    names = Names.of(entries)
    return [
        Line(
            at=entry.timestamp,
            who=names.person(entry),
            actor=entry.actor_id,
            role=wording.role_words(entry.role),
            clinic=names.clinic(entry),
            act=str(Act(entry.action).label),
            page=wording.page_words(entry.page),
            purpose=wording.purpose_words(entry.purpose),
            outcome=str(Outcome(entry.outcome).label),
            is_refused=entry.outcome != Outcome.DONE,
            patients=list(entry.patient_ids),
            fields=", ".join(entry.field_names),
            address=entry.remote_addr or "",
            request=entry.request_id,
        )
        for entry in entries
    ]


@dataclass(slots=True)
class Told:
    """What somebody did with a patient's record on a day; `last` is the earliest of `times`."""

    first: datetime
    last: datetime
    who: str
    role: str
    clinic: str
    what: str
    why: str
    times: int = 1


@dataclass(slots=True)
class Day:
    """A day on the clinic's clock, with what was done on it, newest first."""

    day: date
    told: list[Told] = field(default_factory=list)


def days_of(entries: Sequence[AuditEntry], zone: ZoneInfo) -> list[Day]:
    """Return rows as a patient reads them: the same act by the same person once a day."""
    names = Names.of(entries)
    days: list[Day] = []
    known: dict[tuple[Any, ...], Told] = {}
    for entry in entries:
        day = entry.timestamp.astimezone(zone).date()
        if not days or days[-1].day != day:
            days.append(Day(day))
            known = {}
        told = _told(entry, names)
        key = (told.who, told.role, told.clinic, told.what, told.why)
        if key in known:
            known[key].times += 1
            known[key].last = entry.timestamp
        else:
            known[key] = told
            days[-1].told.append(told)
    return days


def _told(entry: AuditEntry, names: Names) -> Told:
    model = ContentType.objects.get_for_id(entry.content_type_id) if entry.content_type_id else None
    kind = (entry.changes or {}).get("kind", [None, ""])[1] or ""
    return Told(
        first=entry.timestamp,
        last=entry.timestamp,
        who=names.person_for_patients(entry),
        role=wording.role_words(entry.role),
        clinic=names.clinic(entry),
        what=wording.deed_words(
            entry.action, model=model.model if model else "", kind=kind, page=entry.page
        ),
        why=wording.reason_words(entry.purpose),
    )
