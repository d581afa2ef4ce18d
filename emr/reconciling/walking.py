"""Walks a clinic's visits beside a record system's, provider by provider and day by day.

Finds what does not agree and, if asked to, queues its cure; writes neither side itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as clock
from functools import partial
from typing import TypeVar
from uuid import UUID

from emr import arrivals
from emr.drivers.base import Driver
from emr.failures import NotFound, NotOffered, TryLater
from emr.kinds import Feature, Source
from emr.models import EMRConnection
from emr.outbox import writing
from emr.reconciling import sides
from emr.reconciling.drift import Cure, Drift, compare
from emr.visits import Remote, Told
from providers.models import Provider
from scheduling.models import Appointment
from scheduling.models.appointment import AppointmentQuerySet

Answer = TypeVar("Answer")
DAY = timedelta(days=1)
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
LONGEST_PAUSE = 60.0


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One provider's day, by the clinic's clock."""

    provider: str
    day: date


@dataclass(frozen=True, slots=True)
class Compared:
    """What one cell came to: how many visits of ours, and what does not agree."""

    cell: Cell
    visits: int
    drifts: tuple[Drift, ...]


@dataclass
class Walk:
    """One comparison of a connection. `sleep` is how a system that asks for patience gets it."""

    connection: EMRConnection
    driver: Driver
    sleep: Callable[[float], None] = time.sleep
    _providers: dict[str, Provider] = field(init=False)
    _told: set[Drift] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        links = sides.links_at(self.connection, "Practitioner")
        linked = dict(links.values_list("resource_id", "local_id"))
        known = Provider.objects.in_bulk(list(linked.values()))
        self._providers = {rid: known[pk] for rid, pk in linked.items() if pk in known}

    def cells(self, since: date, until: date) -> list[Cell]:
        """Return the days of [since, until) of the clinic's linked providers, in order."""
        ids = sorted({str(one.pk) for one in self._providers.values()})
        days = [since + n * DAY for n in range((until - since).days)]
        return [Cell(provider, day) for provider in ids for day in days]

    def look(self, cell: Cell) -> Compared:
        """Compare one cell. Raises the kinds of EMRError."""
        start, end = self._span(cell.day)
        here = self._visits().filter(provider=UUID(cell.provider))
        visits = list(here.starting(start, end))
        remotes = self._there(cell, start, end)
        known = {visit.pk for visit in visits}
        elsewhere = sides.named_by(remotes, self.connection) - known
        visits += self._visits().filter(pk__in=elsewhere)
        links = sides.links_of(visits, self.connection)
        seen = {one.remote_id for one in remotes}
        missing = [link.resource_id for link in links.values() if link.resource_id not in seen]
        remotes += [found for one in missing if (found := self._read(one)) is not None]
        ours = sides.ours(visits, links, self.connection)
        theirs = sides.theirs(
            remotes, links, visits, providers=self._providers, connection=self.connection
        )
        heeds = Feature.ARRIVE in self.driver.features
        drifts = dict.fromkeys(compare(ours, theirs, heeds_arrival=heeds))
        return Compared(cell, len(known), tuple(self._news(drifts)))

    def cure(self, drift: Drift, *, now: datetime) -> bool:
        """Queue what helps; False where only a person can."""
        if drift.cure is Cure.TELL and drift.appointment is not None:
            appointment = self._visits().get(pk=drift.appointment)
            writing.tell_again(appointment, self.connection, now=now)
            return True
        if drift.cure is not Cure.READ:
            return False
        arrivals.receive(
            self.connection,
            Told("Appointment", drift.remote_id, drift.version_id),
            source=Source.RECONCILE,
            key=f"compared:{drift.remote_id}:{now:%Y%m%dT%H%M%S}",
        )
        return True

    def _news(self, drifts: Iterable[Drift]) -> list[Drift]:
        """Return what was not told of another day: a visit may stand on two."""
        news = [drift for drift in drifts if drift not in self._told]
        self._told.update(news)
        return news

    def _there(self, cell: Cell, start: datetime, end: datetime) -> list[Remote]:
        """Return what they have of a provider's day; nothing where they cannot be asked that: then
        each linked appointment is read."""
        here = UUID(cell.provider)
        found: dict[str, Remote] = {}
        for remote_id in (rid for rid, one in self._providers.items() if one.pk == here):
            try:
                ask = partial(self.driver.visits_between, start, end, provider_id=remote_id)
                hits = self._patiently(ask)
            except NotOffered:
                return []
            found |= {one.remote_id: one for one in hits}
        return list(found.values())

    def _read(self, remote_id: str) -> Remote | None:
        try:
            return self._patiently(partial(self.driver.read, remote_id))
        except NotFound:
            return None

    def _patiently(self, ask: Callable[[], Answer]) -> Answer:
        """Ask again after a while what was not answered; the last refusal is raised."""
        for pause in PAUSES:
            try:
                return ask()
            except TryLater as later:
                wanted = pause if later.after is None else later.after.total_seconds()
                self.sleep(min(max(wanted, 0.0), LONGEST_PAUSE))
        return ask()

    def _span(self, day: date) -> tuple[datetime, datetime]:
        """Return midnight to midnight by the clinic's clock."""
        zone = self.connection.clinic.zone
        return (
            datetime.combine(day, clock.min, zone),
            datetime.combine(day + DAY, clock.min, zone),
        )

    def _visits(self) -> AppointmentQuerySet:
        visits: AppointmentQuerySet = Appointment.objects.filter(clinic=self.connection.clinic_id)
        return visits
