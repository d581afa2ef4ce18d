"""Messages of both directions as the desk's lists show them: rows of words around a row's id."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from emr import words
from emr.kinds import Arrival, State
from emr.models import InboundMessage, OutboundMessage
from scheduling.desk_words import when_words
from scheduling.models import Appointment
from scheduling.presenters import Tag

ON_A_PAGE = 50
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Row:
    """One message: what it is about, how it stands, and why (sentences)."""

    message: OutboundMessage | InboundMessage
    when: str
    what: str
    visit: str
    tag: Tag
    why: tuple[str, ...]


def sent_row(message: OutboundMessage) -> Row:
    kind, label = words.STATES[State(message.state)]
    zone = message.connection.clinic.zone
    return Row(
        message=message,
        when=when_words(message.done_at or message.created_at, zone),
        what=words.what_words(message.what, message.act),
        visit=visit_words(message.appointment),
        tag=Tag(kind, str(label)),
        why=tuple(filter(None, [words.why_words(message.why)])) or _told(message.codes),
    )


def received_row(message: InboundMessage) -> Row:
    kind, label = words.ARRIVALS[Arrival(message.state)]
    zone = message.connection.clinic.zone
    return Row(
        message=message,
        when=when_words(message.received_at, zone),
        what=resource_words(message.resource_type),
        visit=visit_words(message.appointment),
        tag=Tag(kind, str(label)),
        why=_told(message.codes),
    )


def visit_words(visit: Appointment | None) -> str:
    """Return "Tuesday, June 9, 3:30 pm · Dr. Ito"; "" where a message is about no visit."""
    if visit is None:
        return ""
    return f"{when_words(visit.scheduled_start, visit.zone)} · {visit.provider.name}"


def resource_words(resource_type: str) -> str:
    """Return what kind of entry of the other side something is."""
    known = {
        "Appointment": _("Visit"),
        "Patient": _("Patient's record"),
        "ServiceRequest": _("Order"),
        "DiagnosticReport": _("Result"),
        "Observation": _("Result"),
    }
    return known.get(resource_type, resource_type or _("Message"))


def _told(codes: Iterable[str]) -> tuple[str, ...]:
    """Return what the codes say; the codes themselves where none is known."""
    codes = list(codes)
    return tuple(words.code_words(codes)) or ((", ".join(codes),) if codes else ())


def page_after(rows: QuerySet[Any], cursor: str, *, by: str) -> tuple[list[Any], str]:
    """Return a page, the newest `by` first, and the cursor of the next one; empty at the end.

    `cursor` is empty for the first. Raises ValueError for one that was not made here.
    """
    if cursor:
        at, pk = _parse(cursor)
        rows = rows.filter(Q(**{f"{by}__lt": at}) | Q(**{by: at, "pk__lt": pk}))
    found = list(rows.order_by(f"-{by}", "-pk")[: ON_A_PAGE + 1])
    shown = found[:ON_A_PAGE]
    is_last = len(found) <= ON_A_PAGE
    return shown, "" if is_last else _cursor(getattr(shown[-1], by), shown[-1].pk)


def _cursor(at: datetime, pk: UUID) -> str:
    return f"{(at - EPOCH) // MICROSECOND}-{pk.hex}"


def _parse(cursor: str) -> tuple[datetime, UUID]:
    micros, _dash, pk = cursor.partition("-")
    try:
        return EPOCH + int(micros) * MICROSECOND, UUID(hex=pk)
    except OverflowError as error:
        raise ValueError(cursor) from error
