"""A clinic's deliveries, the newest first, in pages whose border no new row moves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils.translation import gettext as _

from reminders.kinds import Why
from reminders.models import Delivery, Notice, Reminder
from reminders.models.delivery import DeliveryQuerySet
from reminders.timeline import notes_of, state_tag
from reminders.words import channel_words, kind_words, why_words
from scheduling.desk_words import when_words
from scheduling.presenters import Tag

ON_A_PAGE = 50
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class LogRow:
    """One delivery in words; `visit` is one that it told of, None for a code or an answer."""

    delivery: Delivery
    when: str
    what: str
    way: str
    tag: Tag
    notes: tuple[str, ...]
    visit: UUID | None


def narrowed(
    log: DeliveryQuerySet, *, states: list[str], channel: str, day: date | None, zone: ZoneInfo
) -> DeliveryQuerySet:
    """Return those in one of these states, by this way, made on this day of the zone's calendar."""
    if states:
        log = log.filter(state__in=states)
    if channel:
        log = log.filter(channel=channel)
    if day is not None:
        begins = datetime.combine(day, time(), zone)
        ends = datetime.combine(day + timedelta(days=1), time(), zone)
        log = log.filter(created_at__gte=begins, created_at__lt=ends)
    return log


def page_after(log: DeliveryQuerySet, cursor: str) -> tuple[list[Delivery], str]:
    """Return a page and the cursor of the next one, empty on the last page.

    `cursor` is empty for the first. Raises ValueError for one that was not made here.
    """
    if cursor:
        at, pk = _parse(cursor)
        log = log.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=pk))
    found = list(log.order_by("-created_at", "-pk")[: ON_A_PAGE + 1])
    shown = found[:ON_A_PAGE]
    return shown, _cursor(shown[-1]) if len(found) > ON_A_PAGE else ""


def _cursor(row: Delivery) -> str:
    return f"{(row.created_at - EPOCH) // MICROSECOND}-{row.pk.hex}"


def _parse(cursor: str) -> tuple[datetime, UUID]:
    micros, _dash, pk = cursor.partition("-")
    try:
        return EPOCH + int(micros) * MICROSECOND, UUID(hex=pk)
    except OverflowError as error:
        raise ValueError(cursor) from error


def in_words(deliveries: list[Delivery]) -> list[LogRow]:
    """Return these deliveries in words, with the visits that they tell of: two statements."""
    about = _visits(deliveries)
    return [_row(delivery, about.get(delivery.pk)) for delivery in deliveries]


def _row(delivery: Delivery, visit: UUID | None) -> LogRow:
    zone = delivery.clinic.zone if delivery.clinic else ZoneInfo("UTC")
    notes = [why_words(delivery.why)] if delivery.why != Why.NONE else []
    if delivery.raised_at is not None:
        notes.append(_("Put on the call list"))
    return LogRow(
        delivery=delivery,
        when=when_words(delivery.sent_at or delivery.created_at, zone),
        what=", ".join(kind_words(kind) for kind in dict.fromkeys(delivery.kinds)),
        way=channel_words(delivery.channel),
        tag=state_tag(delivery.state),
        notes=(*notes, *notes_of(delivery, zone)),
        visit=visit,
    )


def _visits(deliveries: Iterable[Delivery]) -> dict[UUID, UUID]:
    keys = [delivery.pk for delivery in deliveries]
    about = {"delivery__in": keys, "appointment__isnull": False}
    columns = ("delivery_id", "appointment_id")
    rows = chain(
        Reminder.objects.filter(**about).values_list(*columns),
        Notice.objects.filter(**about).values_list(*columns),
    )
    return dict(rows)
