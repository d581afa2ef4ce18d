"""What the worker and commands do for patients is in the audit, by a system with a name."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from config import schedule
from emr import trying
from patients import codes, second_factor, suggesting
from patients.accounts import mail_new_password
from patients.emergency import tell_officers
from patients.indexes import contact_indexes
from patients.looks import Unrecorded
from patients.models import (
    AuditEntry,
    BreakGlassGrant,
    GrantKind,
    MatchCandidate,
    OneTimeCode,
    Patient,
)
from patients.models.audit import Act, Outcome
from patients.privacy import audit
from patients.registration import account_for
from patients.suggesting import suggest
from providers.models import Clinic, Role
from reminders import planning, tasks, writing
from reminders.gathering import gather
from reminders.kinds import State
from reminders.models import Delivery, Reminder
from scheduling import links
from scheduling.actors import Actor
from scheduling.changes import Change
from scheduling.models import Appointment
from scheduling.tasks import offer, sweep, warm_availability
from tests.factories import (
    AppointmentFactory,
    MembershipFactory,
    PatientFactory,
    UserFactory,
    at,
    next_monday,
)
from tests.factories.waitlist import entry_of, opening_of
from tests.scheduling.redis_servers import RedisServer

pytestmark = pytest.mark.django_db
BUNDLE = Path(__file__).parent.parent / "emr" / "fixtures" / "bundle.json"
PROJECT = Path(__file__).parent.parent.parent
APPS = ("config", "emr", "patients", "providers", "reminders", "scheduling")
QUEUED = re.compile(r'async_task[,(]\s*"([a-z_.]+)"')


@pytest.fixture
def strict(settings: Any) -> None:
    """Nothing is opened from here on where nobody keeps a record of it."""
    settings.LOOKS_MUST_BE_RECORDED = True


@pytest.fixture
def visit(clinic: Clinic) -> Appointment:
    patient = PatientFactory.create(clinic=clinic, email="ada@mail.example")
    return AppointmentFactory.create(
        patient=patient, provider__clinic=clinic, start=at(next_monday(1), "09:00")
    )


@pytest.fixture
def officer(clinic: Clinic) -> User:
    user = UserFactory.create(email="officer@clinic.example")
    MembershipFactory.create(user=user, clinic=clinic, role=Role.PRIVACY_OFFICER)
    return user


def rows_of(job: Callable[[], object]) -> list[AuditEntry]:
    """Run a job; return what it left in the audit for looking."""
    last = AuditEntry.objects.order_by("id").values_list("id", flat=True).last() or 0
    job()
    looks = AuditEntry.objects.filter(id__gt=last, action__in=[Act.ACCESS, Act.SEND])
    return list(looks.order_by("id"))


@pytest.fixture
def booked(visit: Appointment) -> Appointment:
    """A visit that its patient has just booked, and was not told of yet."""
    change = Change("BOOK", visit, None, Actor.patient(), timezone.now())
    planning.on_appointment_change([change])
    return visit


def test_a_message_about_a_visit_is_recorded(booked: Appointment, strict: None) -> None:
    (row,) = rows_of(tasks.dispatch)
    assert len(mail.outbox) == 1
    assert (row.system_actor, row.action, row.outcome) == (
        "system:reminders",
        Act.SEND,
        Outcome.DONE,
    )
    assert row.patient_ids == [booked.patient_id]
    assert {"email", "given_name"} <= set(row.field_names)
    assert row.clinic == booked.clinic


def test_a_message_that_nobody_gets_is_not_said_to_be_sent(
    booked: Appointment, strict: None
) -> None:
    booked.patient.email = booked.patient.phone = ""
    booked.patient.save()
    assert [row for row in rows_of(tasks.dispatch) if row.action == Act.SEND] == []
    assert mail.outbox == []


def test_a_message_that_turns_out_to_be_stale_is_not_said_to_be_sent(
    booked: Appointment, strict: None
) -> None:
    gather(now=timezone.now())
    Appointment.objects.filter(pk=booked.pk).update(status="CANCELLED")
    (row,) = rows_of(tasks.dispatch)
    assert mail.outbox == []
    assert (row.action, row.patient_ids) == (Act.ACCESS, [booked.patient_id])


def test_a_reminder_is_recorded(visit: Appointment, strict: None) -> None:
    Reminder.objects.filter(kind="REMINDER", channel="EMAIL").update(due_at=timezone.now())
    with time_machine.travel(at(next_monday(1), "12:00") - timedelta(days=3)):
        rows = rows_of(tasks.remind)
    assert [(row.action, row.patient_ids) for row in rows] == [
        (Act.SEND, [visit.patient_id])
    ] * len(mail.outbox)
    assert mail.outbox


def test_a_lost_link_is_recorded(visit: Appointment, strict: None) -> None:
    links.ask_for_link(reference=visit.reference, contact="ada@mail.example", network="")
    (row,) = rows_of(tasks.dispatch)
    assert (row.action, row.patient_ids) == (Act.SEND, [visit.patient_id])


def test_a_message_that_cannot_be_sent_is_recorded_all_the_same(
    booked: Appointment, strict: None, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    (row,) = rows_of(tasks.dispatch)
    assert row.patient_ids == [booked.patient_id]
    assert Delivery.objects.get().state == State.QUEUED


@pytest.mark.parametrize("contact", ["ada@mail.example", "+12012340123"])
def test_a_code_that_is_sent_is_recorded(visit: Appointment, strict: None, contact: str) -> None:
    with audit.keeping_record(system="system:test", purpose="test"):
        visit.patient.phone, visit.patient.phone_is_textable = "+12012340123", True
        visit.patient.save()
    codes.request_code(
        purpose=OneTimeCode.Purpose.SIGN_IN,
        contact=contact,
        browser="00" * 32,
        network="",
        now=timezone.now(),
    )
    (row,) = rows_of(tasks.dispatch)
    told = (row.system_actor, row.action, row.field_names, row.patient_ids)
    assert told == ("system:reminders", Act.SEND, ["contact"], [])


def test_the_ledgers_other_jobs_open_nothing(booked: Appointment, strict: None) -> None:
    for job in (tasks.sweep, tasks.release, tasks.tidy):
        assert rows_of(job) == []


def test_an_account_that_gets_a_record_is_recorded(visit: Appointment, strict: None) -> None:
    account = account_for(*contact_indexes("email", "ada@mail.example"))
    row = AuditEntry.objects.filter(action=Act.UPDATE, patient_ids=[visit.patient_id]).latest("id")
    assert (row.actor, row.field_names) == (account, ["user"])


def test_an_import_is_recorded(clinic: Clinic, strict: None) -> None:
    (row,) = rows_of(
        lambda: call_command("import_fhir", str(BUNDLE), "--clinic", clinic.slug, stdout=StringIO())
    )
    assert (row.system_actor, row.purpose, row.clinic) == ("system:import", "import", clinic)
    made = AuditEntry.objects.filter(action=Act.CREATE, content_type__model="patient")
    assert made.count() >= Patient.objects.count() > 0


def test_the_demonstration_is_recorded(strict: None) -> None:
    rows = rows_of(lambda: call_command("seed_demo", stdout=StringIO()))
    assert [row.system_actor for row in rows if row.purpose == "demo"] == ["system:demo"]


def test_looking_for_doubles_is_recorded(visit: Appointment, strict: None) -> None:
    known = Patient.objects.get(pk=visit.patient_id)
    with audit.keeping_record(system="system:test", purpose="test"):
        facts = {name: getattr(known, name) for name in ("given_name", "family_name", "dob")}
    twin = PatientFactory.create(clinic=visit.clinic, email="ada@mail.example", **facts)
    rows = rows_of(lambda: suggest([str(twin.pk)]))
    assert MatchCandidate.objects.of(known.pk, twin.pk).exists()
    assert {row.system_actor for row in rows} == {"system:matching", "system:search"}
    assert {pk for row in rows for pk in row.patient_ids} == {known.pk, twin.pk}


def test_telling_officers_of_an_emergency_opens_nothing(
    visit: Appointment, officer: User, strict: None
) -> None:
    grant = BreakGlassGrant.objects.create(
        user=UserFactory.create(),
        patient=visit.patient,
        kind=GrantKind.EMERGENCY,
        purpose="TREATMENT",
        reason="unconscious",
        expires_at=timezone.now() + timedelta(minutes=30),
    )
    assert rows_of(lambda: tell_officers(str(grant.pk))) == []
    assert [message.to for message in mail.outbox] == [[officer.email]]


def test_mail_to_staff_opens_nothing(officer: User, strict: None) -> None:
    assert rows_of(lambda: second_factor.mail(officer.pk, "second_factor_reset", "en")) == []
    assert rows_of(lambda: mail_new_password(officer.pk, "en")) == []
    assert len(mail.outbox) == 2


def test_every_job_that_is_queued_or_scheduled_is_looked_at_here() -> None:
    """Jobs run inside the request's own record in tests, which hides that one keeps none."""
    sources = (path.read_text() for app in APPS for path in (PROJECT / app).rglob("*.py"))
    queued = {name for text in sources for name in QUEUED.findall(text)}
    queued |= {suggesting.TASK, writing.DISPATCH, trying.CHECK, trying.PUSH}
    scheduled = {job.task for job in schedule.JOBS}
    assert queued | scheduled == {
        "patients.accounts.mail_new_password",
        "patients.emergency.tell_officers",
        "patients.second_factor.mail",
        "patients.suggesting.suggest",
        "reminders.tasks.dispatch",
        "reminders.tasks.release",
        "reminders.tasks.remind",
        "reminders.tasks.sweep",
        "reminders.tasks.tidy",
        "scheduling.tasks.offer",
        "scheduling.tasks.sweep",
        "scheduling.tasks.warm_availability",
    } | {  # these read the audit alone
        "patients.tasks.seal_audit",
        "patients.tasks.verify_audit",
        "patients.tasks.verify_daily",
    } | {  # tests/emr/inbox/test_recorded.py and tests/emr/outbox/test_recorded.py look at these
        "emr.tasks.check",
        "emr.tasks.discover",
        "emr.tasks.poll",
        "emr.tasks.push",
        "emr.tasks.take_in",
    }


def test_sweeping_up_opens_nothing(visit: Appointment, strict: None) -> None:
    assert rows_of(sweep) == []


def test_offering_freed_time_opens_nothing(visit: Appointment, strict: None) -> None:
    gap = opening_of(visit.provider, at(next_monday(1), "10:00"))
    entry_of(visit.patient, provider=visit.provider)
    with time_machine.travel(at(next_monday(), "10:00")):
        assert rows_of(offer) == []
    assert gap.offers.count() == 1


def test_warming_opens_nothing(visit: Appointment, strict: None, redis_server: RedisServer) -> None:
    assert rows_of(warm_availability) == []


def test_a_job_that_keeps_no_record_opens_nothing(visit: Appointment, strict: None) -> None:
    """The control: what all the above do is refused where nobody keeps a record of it."""
    known = Patient.objects.get(pk=visit.patient_id)
    with pytest.raises(Unrecorded):
        str(known.email)
    with audit.keeping_record(system="system:test", purpose="test"):
        assert known.email == "ada@mail.example"
