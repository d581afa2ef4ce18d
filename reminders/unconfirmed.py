"""Reads what is known of visits that nobody confirmed: what was asked, what arrived, and whether
somebody already deals with it. Writes nothing, and decides nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet

from patients.indexes import contact_indexes
from patients.privacy import audit
from reminders.due import release_at
from reminders.kinds import Kind, Standing, State, Why
from reminders.models import CallItem, ContactPreference, InboundText, Reminder, ReminderPolicy
from reminders.models.contact import QUIET_FROM, QUIET_UNTIL
from reminders.policies import Policy, policy_of
from reminders.silence import Question, Silence
from scheduling.models import Appointment, AppointmentEvent
from scheduling.quiet import Quiet
from scheduling.transitions import Status

BATCH = 500
DAY = timedelta(days=1)
DEFAULT_HOURS = 24
QUESTIONS = [Kind.REQUEST.value, Kind.FOLLOW_UP.value]
SPOKEN_TO = [CallItem.Result.REACHED, CallItem.Result.NOT_REACHED]
# A mail server says only that it took a mail; see ReminderPolicy.sent_counts_as_delivered.
MAIL_SERVER = "mail"
CONCERNED = ("is_to_be_called", "was_called", "has_texted", "was_restored")


def unconfirmed(*, now: datetime) -> Iterator[list[Appointment]]:
    """Yield, by hundreds, coming visits that want a confirmation, have none, and may be due."""
    most = ReminderPolicy.objects.aggregate(most=Max("release_hours"))["most"]
    # Quiet hours bring the time of a release forward by less than a day.
    horizon = now + timedelta(hours=max(most or 0, DEFAULT_HOURS)) + DAY
    silent = Appointment.objects.filter(
        status=Status.SCHEDULED,
        arrived_at__isnull=True,
        appointment_type__confirmation_required=True,
        scheduled_start__gt=now,
        scheduled_start__lte=horizon,
    )
    keys = list(silent.order_by("scheduled_start", "id").values_list("pk", flat=True))
    for first in range(0, len(keys), BATCH):
        yield list(_with_standing(silent.filter(pk__in=keys[first : first + BATCH])))


def _with_standing(visits: QuerySet[Appointment]) -> QuerySet[Appointment]:
    """Read the visits with whether a person is, or was, concerned with them."""
    here = Q(appointment=OuterRef("pk"))
    moved_since = AppointmentEvent.objects.filter(
        appointment=OuterRef("appointment"), kind="MOVE", at__gt=OuterRef("at")
    )
    calls = CallItem.objects.filter(here).annotate(at=F("closed_at"))
    texts = InboundText.objects.waiting().filter(here | Q(patient=OuterRef("patient")))
    restored = AppointmentEvent.objects.filter(here, ~Exists(moved_since), kind="RESTORE")
    return visits.select_related("clinic", "appointment_type", "patient__preference").annotate(
        is_to_be_called=Exists(calls.filter(closed_at__isnull=True)),
        was_called=Exists(calls.filter(~Exists(moved_since), result__in=SPOKEN_TO)),
        has_texted=Exists(texts),
        was_restored=Exists(restored),
    )


def zone_of(visit: Appointment) -> ZoneInfo:
    """Return the zone of the patient's clock: their own, else the clinic's."""
    own = visit.patient.time_zone_id
    return ZoneInfo(own) if own else visit.zone


def quiet_of(visit: Appointment) -> Quiet:
    """Return the patient's quiet hours; costs no statement for visits that were read here."""
    chosen: ContactPreference | None = getattr(visit.patient, "preference", None)
    if chosen is None:
        return Quiet(QUIET_FROM, QUIET_UNTIL)
    return Quiet(chosen.quiet_from, chosen.quiet_until)


def time_of_release(visit: Appointment) -> datetime | None:
    """Return when silence about a visit counts as an answer; None where the clinic says never."""
    return release_at(
        start=visit.scheduled_start,
        cadence=_policy(visit).cadence,
        zone=zone_of(visit),
        quiet=quiet_of(visit),
    )


def what_is_known(visits: Sequence[Appointment]) -> Iterator[tuple[Appointment, Silence]]:
    """Yield each of these visits with what is known of its silence."""
    asked = _questions(visits)
    numbers = _numbers_that_wait(visits)
    for visit in visits:
        policy = _policy(visit)
        yield (
            visit,
            Silence(
                questions=tuple(asked.get(visit.pk, ())),
                may_release=visit.appointment_type.auto_release_allowed,
                follows_up=policy.cadence.follow_up is not None,
                needs_interpreter=visit.patient.needs_interpreter,
                in_hand=any(getattr(visit, name) for name in CONCERNED)
                or (visit.clinic_id, bytes(visit.patient.phone_index)) in numbers,
            ),
        )


def _policy(visit: Appointment) -> Policy:
    return policy_of(visit.clinic_id, visit.appointment_type_id)


def _questions(visits: Sequence[Appointment]) -> dict[UUID, list[Question]]:
    """Return what was asked about each visit, at the time that it has now: one statement."""
    by_pk = {visit.pk: visit for visit in visits}
    found: dict[UUID, list[Question]] = defaultdict(list)
    rows = Reminder.objects.filter(appointment__in=by_pk, kind__in=QUESTIONS)
    for row in rows.select_related("delivery"):
        visit = by_pk[row.appointment_id]
        if row.sequence == visit.sequence:
            found[visit.pk].append(_question(row, _policy(visit)))
    return found


def _question(row: Reminder, policy: Policy) -> Question:
    sent = row.delivery
    state = State(sent.state) if sent else None
    is_mail_server = sent is not None and sent.vendor == MAIL_SERVER
    return Question(
        kind=Kind(row.kind),
        standing=Standing(row.standing),
        why=Why(row.why or (sent.why if sent else "")),
        state=state,
        counts_as_delivered=state is State.DELIVERED
        or (state is State.SENT and is_mail_server and policy.sent_counts_as_delivered),
        sent_at=sent.sent_at if sent else None,
        not_after=row.not_after,
    )


def _numbers_that_wait(visits: Sequence[Appointment]) -> set[tuple[UUID, bytes]]:
    """Return the numbers, by clinic, whose unanswered texts may be anybody's who shares them."""
    clinics = {visit.clinic_id for visit in visits}
    texts = list(InboundText.objects.waiting().filter(patient=None, clinic__in=clinics))
    if not texts:
        return set()
    with audit.keeping_record(system="system:reminders", purpose="release"):
        return {
            (text.clinic_id, digest)
            for text in texts
            if text.clinic_id is not None
            for digest in contact_indexes("phone", text.sender)
        }
