"""Lays a clinic's day out as the board component wants it: where every block stands, and its words.

Reads nothing: the rows come from `queries.clinic_day`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import chain
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext as _

from scheduling.intervals import Interval
from scheduling.models import Appointment, SlotHold
from scheduling.presenters import clock, long_date, status_tag
from scheduling.queries import ClinicDay, DayColumn

FIVE = 5
DAY_MINUTES = 24 * 60
MOST_LANES = 3
OFFICE_HOURS = (8, 17)
NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Entry:
    """One block of a column: `start` and `minutes` on the clinic's clock, cut to its day."""

    kind: str
    id: str
    start: int
    minutes: int
    time: str
    label: str = ""
    href: str = ""
    name: str = ""
    status: str = ""
    word: str = ""
    detail: str = ""
    is_overbooked: bool = False
    is_telehealth: bool = False
    lane: int = 0
    lanes: int = 1

    @property
    def end(self) -> int:
        return self.start + self.minutes

    @property
    def line(self) -> str:
        """What stands beneath the name: when, and what is particular about it."""
        notes = [_("overbooked")] if self.is_overbooked else []
        notes += [_("video")] if self.is_telehealth else []
        notes += [self.detail] if self.detail else []
        return " · ".join([self.time, *notes])

    @property
    def place(self) -> str:
        """The classes that say where it stands, in steps of five minutes."""
        start = self.start // FIVE * FIVE
        length = max(FIVE, -(-(self.end - start) // FIVE) * FIVE)
        length = min(length, DAY_MINUTES - start)
        lanes = f" of-{self.lanes} lane-{self.lane}" if self.lanes > 1 else ""
        return f"h{start // 60} m{start % 60} dh{length // 60} dm{length % 60}{lanes}"


def lay_out(day: ClinicDay, *, now: datetime) -> dict[str, Any]:
    """Return the context of the board component for a clinic's day."""
    columns = [_column(day, column) for column in day.columns]
    from_hour, to_hour = _hours(columns)
    for column in columns:
        column["entries"] = list(_cut(column["entries"], from_hour * 60, to_hour * 60))
    steps = {w.step for column in day.columns for w in column.windows}
    return {
        "label": long_date(day.begins),
        "from_hour": from_hour,
        "to_hour": to_hour,
        "step": _finest(steps),
        "hours": [
            {"hour": hour, "label": _hour_label(day, hour)} for hour in range(from_hour, to_hour)
        ],
        "now": _now(day, now, from_hour, to_hour),
        "columns": columns,
    }


def _finest(steps: set[int]) -> int:
    """Return the finest drawn grid that the steps in use need: 5, 10, 15, 20 or 30 minutes."""
    return next((grid for grid in (30, 20, 15, 10) if all(s % grid == 0 for s in steps)), FIVE)


def _hours(columns: list[dict[str, Any]]) -> tuple[int, int]:
    entries = [e for column in columns for e in column["entries"] if e.kind != "off"]
    spans = [span for column in columns for span in column["hours"]]
    starts = [e.start for e in entries] + [start for start, _end in spans]
    ends = [e.end for e in entries] + [end for _start, end in spans]
    if not starts:
        return OFFICE_HOURS
    return min(starts) // 60, min(24, -(-max(ends) // 60))


def _cut(entries: list[Entry], opens: int, closes: int) -> Iterator[Entry]:
    """Yield what lies within the hours that are drawn; only absences reach beyond them."""
    for entry in entries:
        start, end = max(entry.start, opens), min(entry.end, closes)
        if (start, end) == (entry.start, entry.end):
            yield entry
        elif start < end:
            yield replace(entry, start=start, minutes=end - start)


def _hour_label(day: ClinicDay, hour: int) -> str:
    return clock(day.begins.replace(hour=hour)).replace(":00", "")


def _now(day: ClinicDay, now: datetime, from_hour: int, to_hour: int) -> dict[str, Any] | None:
    local = now.astimezone(day.clinic.zone)
    if local.date() != day.day or not from_hour <= local.hour < to_hour:
        return None
    return {"hour": local.hour, "minute": local.minute // FIVE * FIVE, "label": clock(local)}


def _column(day: ClinicDay, column: DayColumn) -> dict[str, Any]:
    taken = _side_by_side(sorted(_taken(day, column), key=lambda e: (e.start, e.lane)))
    entries = sorted(
        chain(taken, _absences(day, column), _free(day, column)), key=lambda e: (e.start, e.kind)
    )
    provider = column.provider
    return {
        "id": provider.pk,
        "name": provider.name,
        "detail": provider.specialty.name if provider.specialty else "",
        "free_text": _("%(free)d of %(total)d free")
        % {"free": len(column.free), "total": column.total},
        "entries": entries,
        "hours": [_minutes(day, hours) for hours in column.hours],
    }


def _taken(day: ClinicDay, column: DayColumn) -> Iterator[Entry]:
    for visit in column.visits:
        yield _visit(day, visit)
    for hold in column.holds:
        yield _hold(day, hold)


def _visit(day: ClinicDay, visit: Appointment) -> Entry:
    tag = status_tag(visit)
    start, end = _minutes(day, Interval(visit.scheduled_start, visit.scheduled_end))
    return Entry(
        kind="visit",
        id=f"visit-{visit.pk}",
        start=start,
        minutes=end - start,
        time=_range(visit.scheduled_start, visit.scheduled_end, day.clinic.zone),
        href=_visit_address(visit.pk),
        name=visit.patient.full_name,
        status=tag.kind,
        word=tag.label,
        detail=visit.appointment_type.label,
        is_overbooked=visit.overbook_lane > 0,
        is_telehealth=visit.appointment_type.is_telehealth,
        lane=visit.overbook_lane,
    )


def _visit_address(pk: UUID) -> str:
    return _pattern().replace(str(NOBODY), str(pk))


@cache
def _pattern() -> str:
    """Return the address of a visit once: to work it out for each takes longer than to write it."""
    return reverse("desk:appointment", args=[NOBODY])


def _hold(day: ClinicDay, hold: SlotHold) -> Entry:
    start, end = _minutes(day, Interval(hold.visit_start, hold.visit_end))
    until = clock(hold.expires_at.astimezone(day.clinic.zone))
    undone = hold.appointment
    offered = _gap_address(hold)
    return Entry(
        kind="visit",
        id=f"hold-{hold.pk}",
        start=start,
        minutes=end - start,
        time=_range(hold.visit_start, hold.visit_end, day.clinic.zone),
        href=_visit_address(undone.pk) if undone else offered,
        name=_hold_name(hold, is_offered=bool(offered)),
        status="cancelled" if undone else "held",
        word=_("Cancelled") if undone else _("Offered") if offered else _("Held"),
        detail=""
        if offered
        else (_("undo until %(time)s") if undone else _("until %(time)s")) % {"time": until},
    )


def _hold_name(hold: SlotHold, *, is_offered: bool) -> str:
    """Return whose time it was, or what it is kept for; short, as the word beside it says more."""
    if hold.appointment is not None:
        return hold.appointment.patient.full_name
    return _("Waitlist") if is_offered else hold.get_purpose_display()


def _gap_address(hold: SlotHold) -> str:
    """Return where a time that is offered to the waitlist is dealt with; nothing for others."""
    whose, _mark, pk = hold.holder.partition(":")
    is_offer = hold.purpose == SlotHold.Purpose.OFFER and whose == "opening"
    return reverse("desk:gap", args=[pk]) if is_offer else ""


def _absences(day: ClinicDay, column: DayColumn) -> Iterator[Entry]:
    for number, absence in enumerate(column.absences):
        start, end = _minutes(day, absence.interval)
        yield Entry(
            kind="off",
            id=f"off-{column.provider.pk}-{number}",
            start=start,
            minutes=end - start,
            label=absence.label,
            time=_range(absence.interval.start, absence.interval.end, day.clinic.zone)
            if end - start < DAY_MINUTES
            else _("all day"),
        )


def _free(day: ClinicDay, column: DayColumn) -> Iterator[Entry]:
    for slot in column.free:
        start, end = _minutes(day, Interval(slot.start, slot.end))
        yield Entry(
            kind="free",
            id=f"free-{column.provider.pk}-{slot.start:%H%M}",
            start=start,
            minutes=end - start,
            time=clock(slot.start.astimezone(day.clinic.zone)),
            href=book_address(provider=column.provider.pk, start=slot.start),
        )


def book_address(*, provider: UUID, start: datetime) -> str:
    """Return the address of quick book for one start, an instant in UTC."""
    query = urlencode({"provider": provider, "start": start.isoformat()})
    return f"{reverse('desk:book')}?{query}"


def _side_by_side(entries: list[Entry]) -> list[Entry]:
    """Give overlapping blocks lanes of their own, three at most; the rest share the last."""
    placed: list[Entry] = []
    for group in _overlapping(entries):
        if len(group) == 1 and group[0].lane == 0:
            placed += group
            continue
        ends: list[int] = []
        for entry in group:
            lane = next((n for n, end in enumerate(ends) if end <= entry.start), len(ends))
            ends[lane : lane + 1] = [entry.end]
            placed.append(replace(entry, lane=min(lane, MOST_LANES - 1)))
        lanes = min(len(ends), MOST_LANES)
        placed[-len(group) :] = [replace(entry, lanes=lanes) for entry in placed[-len(group) :]]
    return placed


def _overlapping(entries: list[Entry]) -> Iterator[list[Entry]]:
    """Yield runs of blocks that touch one another's time, in order of their starts."""
    group: list[Entry] = []
    until = 0
    for entry in entries:
        if group and entry.start >= until:
            yield group
            group = []
        group.append(entry)
        until = max(until, entry.end) if len(group) > 1 else entry.end
    if group:
        yield group


def _minutes(day: ClinicDay, span: Interval) -> tuple[int, int]:
    """Return a span as minutes of the clinic's wall clock, cut to the day; at least one long."""
    zone = day.clinic.zone

    def minute(instant: datetime) -> int:
        local = instant.astimezone(zone)
        if local.date() != day.day:
            return 0 if local.date() < day.day else DAY_MINUTES
        return local.hour * 60 + local.minute

    start, end = minute(span.start), minute(span.end)
    if end <= start:
        end = start + max(1, int((span.end - span.start) / timedelta(minutes=1)))
    return start, min(end, DAY_MINUTES)


def _range(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    return _("%(start)s to %(end)s") % {
        "start": clock(start.astimezone(zone)),
        "end": clock(end.astimezone(zone)),
    }
