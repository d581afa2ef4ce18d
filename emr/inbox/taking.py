"""Takes what came in, message by message: claims it, reads what it tells of, and lets it be so.

One thread for each connection, so that a record system that does not answer holds up no other.
"""

from __future__ import annotations

import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection as database
from django.db import connections
from django.utils import timezone

from emr import failures
from emr.fhir import errors
from emr.hl7v2.reading import read_siu
from emr.inbox import claims, demographics, orders, visits
from emr.inbox.outcomes import (
    MOST_ATTEMPTS,
    NotNow,
    Outcome,
    backoff,
    dead,
    ignored,
    is_left_alone,
    plain,
    refused,
    wait_after,
)
from emr.inbox.people import PATIENT
from emr.inbox.reading import Reader, reading
from emr.kinds import Source
from emr.models import EMRConnection, InboundMessage
from patients.privacy import audit
from scheduling.errors import SchedulingError

logger = logging.getLogger(__name__)

SYSTEM, PURPOSE = "system:emr", "emr"
SECONDS = 30.0
AT_ONCE = 10
MOST_THREADS = 8
UNFINISHED = "unfinished"
APPOINTMENT = "Appointment"


def take_in(*, seconds: float = SECONDS) -> Counter[str]:
    """Take all that is due, for at most so many seconds; return how many messages ended how, and
    of how many connections something is perhaps left."""
    ends_at, due = monotonic() + seconds, claims.due(now=timezone.now())
    if len(due) < 2:
        return sum((take_from(pk, ends_at=ends_at) for pk in due), Counter())
    with ThreadPoolExecutor(min(len(due), MOST_THREADS), thread_name_prefix="emr-inbox") as pool:
        parts = [pool.submit(_in_thread, pk, ends_at) for pk in due]
    return sum((part.result() for part in parts), Counter())


def take_from(pk: UUID, *, ends_at: float) -> Counter[str]:
    """Take what is due of one connection until `ends_at` (monotonic seconds)."""
    counts: Counter[str] = Counter()
    connection = EMRConnection.objects.select_related("clinic__time_zone").get(pk=pk)
    with reading(connection) as reader:
        while monotonic() < ends_at:
            claimed = claims.claim(pk, most=AT_ONCE, now=timezone.now())
            if not claimed:
                return counts
            for message in claimed:
                if claims.renew(message, now=timezone.now()):
                    counts[_take_one(message, reader)] += 1
    counts[UNFINISHED] += 1
    return counts


def _in_thread(pk: UUID, ends_at: float) -> Counter[str]:
    try:
        return take_from(pk, ends_at=ends_at)
    finally:
        connections.close_all()


def _take_one(message: InboundMessage, reader: Reader) -> str:
    """Take one message, and write what became of it; a fault in it is told, and stops no other."""
    read_at = _clock()
    try:
        outcome = _understood(message, reader)
    except NotNow as reason:
        return _later(message, reason.after, reason.code, counts=False)
    except (errors.Refused, failures.Refused, failures.NotOffered) as error:
        outcome = refused(error)
    except failures.EMRError as error:
        codes, after = map(plain, error.codes), wait_after(error, attempts=message.attempts)
        if is_left_alone(error):
            return _later(message, after, *codes, counts=False)
        return _try_again(message, after, *codes)
    except SchedulingError as refusal:
        return _try_again(message, backoff(0), refusal.code)
    except Exception as error:
        logger.exception("arrival not taken", extra={"row": str(message.pk)})
        return _try_again(message, backoff(message.attempts), type(error).__name__)
    now = timezone.now()
    if claims.settle(message, outcome, now=now):
        claims.cover(message, before=read_at, now=now)
    return outcome.state.value


def _understood(message: InboundMessage, reader: Reader) -> Outcome:
    clinic = reader.connection.clinic
    with audit.keeping_record(system=SYSTEM, purpose=PURPOSE, clinic=clinic):
        if message.source == Source.HL7:
            return _hl7(message, reader, now=timezone.now())
        return _fhir(message, reader, now=timezone.now())


def _fhir(message: InboundMessage, reader: Reader, *, now: datetime) -> Outcome:
    """Read what a message tells of, and take what is read: what the message itself says is old."""
    kind, remote_id = message.resource_type, message.resource_id
    if kind == APPOINTMENT:
        try:
            remote = reader.visit(remote_id)
        except failures.NotFound:
            return visits.gone(remote_id, connection=reader.connection)
        return visits.take(remote, reader=reader, now=now)
    if kind == PATIENT:
        return demographics.take(remote_id, reader=reader, now=now)
    if kind in orders.ORDERS + orders.RESULTS:
        return orders.take(kind, remote_id, reader=reader, now=now)
    return ignored("not-followed")


def _hl7(message: InboundMessage, reader: Reader, *, now: datetime) -> Outcome:
    """Take what a message of HL7 v2 says: there is nothing else to be read."""
    connection = reader.connection
    zone = ZoneInfo(connection.hl7_zone_id) if connection.hl7_zone_id else connection.clinic.zone
    siu = read_siu(message.body, zone=zone)
    if not siu.patient_id:
        return dead("no-patient")
    reader.people[siu.patient_id] = siu.patient
    return visits.take(siu.remote, reader=reader, npi=siu.npi, now=now)


def _try_again(message: InboundMessage, after: timedelta, *codes: str) -> str:
    if message.attempts < MOST_ATTEMPTS:
        return _later(message, after, *codes)
    outcome = dead("too-often", *codes)
    claims.settle(message, outcome, now=timezone.now())
    return outcome.state.value


def _later(message: InboundMessage, after: timedelta, *codes: str, counts: bool = True) -> str:
    claims.later(message, at=timezone.now() + after, codes=codes, counts=counts)
    return "LATER"


def _clock() -> datetime:
    """Return the database's clock, by which messages are received."""
    with database.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return now  # type: ignore[no-any-return]
