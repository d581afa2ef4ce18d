"""`manage.py reminders`: what would go, and plans for visits that have none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from patients.models import AuditEntry, Patient
from providers.models import Clinic, Provider, VisitType
from reminders.kinds import Channel, Kind, Standing, Why
from reminders.models import ContactPreference, Delivery, Reminder, ReminderPolicy
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment
from tests.factories import AppointmentFactory, PatientFactory

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NOON = datetime(2027, 6, 8, 16, tzinfo=UTC)  # a Tuesday, noon in New York
Book = Callable[..., Appointment]


@pytest.fixture(autouse=True)
def _at_noon() -> Any:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def book(provider: Provider, visit_type: VisitType) -> Book:
    """Book a visit two days from now at two, a week ago, for somebody new."""

    def book(*, after: timedelta = 2 * DAY + 2 * HOUR, **more: Any) -> Appointment:
        values = {"start": NOON + after, "provider": provider, "visit_type": visit_type}
        return AppointmentFactory.create(now=NOON - 7 * DAY, **(values | more))

    return book


def with_mobile(clinic: Clinic, **more: Any) -> Patient:
    return PatientFactory.create(
        clinic=clinic, phone="+12012340123", phone_is_textable=True, **more
    )


def run(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("reminders", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_it_shows_what_would_go_and_when_and_sends_nothing(book: Book, clinic: Clinic) -> None:
    visit = book(patient=with_mobile(clinic))
    before = list(Reminder.objects.order_by("pk").values())
    lines = run("--dry-run")
    assert [" ".join(line.split()) for line in lines[1:]] == [
        f"Tue 08 Jun 14:00 EDT follow up {visit.reference} Text message goes",
        f"Wed 09 Jun 14:00 EDT reminder {visit.reference} Text message goes",
        f"Wed 09 Jun 14:00 EDT reminder {visit.reference} E-mail goes",
        "In the next 48 hours: 3 would go, 0 would wait, 0 would not go. Nothing was sent.",
    ]
    assert list(Reminder.objects.order_by("pk").values()) == before
    assert not Delivery.objects.exists()


def test_it_names_no_patient(book: Book, clinic: Clinic) -> None:
    patient = with_mobile(clinic, given_name="Rosalind", email="rosalind@mail.example")
    book(patient=patient)
    text = "\n".join(run("--dry-run"))
    for secret in ("Rosalind", patient.family_name, "rosalind@mail.example", "201"):
        assert secret not in text


def test_it_says_why_something_does_not_go(book: Book, clinic: Clinic) -> None:
    book(patient=with_mobile(clinic, email=""))
    lines = run("--dry-run")
    assert any(line.endswith("not sent: No e-mail address on file") for line in lines)
    assert lines[-1].startswith("In the next 48 hours: 2 would go, 0 would wait, 1 would not go.")


def test_it_says_by_which_other_way_something_goes(book: Book, clinic: Clinic) -> None:
    book(patient=PatientFactory.create(clinic=clinic, phone=""))
    follow_up = next(line for line in run("--dry-run") if "follow up" in line)
    assert "E-mail" in follow_up
    assert follow_up.endswith("goes: No phone number on file")


def test_it_says_what_the_patient_and_the_clinic_do_not_want(book: Book, clinic: Clinic) -> None:
    visit = book(patient=with_mobile(clinic))
    ContactPreference.objects.create(patient=visit.patient, email=False)
    ReminderPolicy.objects.create(clinic=clinic, sms=False)
    told = {line.split(": ")[1] for line in run("--dry-run") if "not sent" in line}
    assert told == {"The patient does not want it", "The clinic has switched it off"}


def test_a_second_text_on_one_day_is_shown_as_too_many(
    book: Book, clinic: Clinic, provider: Provider
) -> None:
    patient = with_mobile(clinic)
    book(patient=patient, after=1 * DAY + 2 * HOUR)  # its reminder is due at two
    book(patient=patient, after=2 * DAY + 3 * HOUR)  # its follow-up at three
    lines = run("--dry-run", "--hours", "8")
    assert lines[-1].startswith("In the next 8 hours: 3 would go")
    follow_up = next(line for line in lines if "follow up" in line)
    assert follow_up.endswith("E-mail        goes: Already had a text that day, or three that week")


def test_what_was_left_out_already_is_told_with_its_reason(book: Book, clinic: Clinic) -> None:
    visit = book(patient=with_mobile(clinic))
    booking.confirm(appointment=visit, by=Actor.patient(), now=NOON)
    follow_up = next(line for line in run("--dry-run") if "follow up" in line)
    assert follow_up.endswith("not sent: The visit was already confirmed")


def test_one_clinic_is_shown_alone(book: Book, clinic: Clinic) -> None:
    visit = book(patient=with_mobile(clinic))
    Clinic.objects.create(name="Other", slug="other", is_active=False)
    assert visit.reference in "\n".join(run("--dry-run", "--clinic", clinic.slug))
    assert run("--dry-run", "--clinic", "other") == [
        "In the next 48 hours: 0 would go, 0 would wait, 0 would not go. Nothing was sent."
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--dry-run", "--hours", "0"], "--hours must be from 1 to 744"),
        (["--dry-run", "--hours", "745"], "--hours must be from 1 to 744"),
        (["--plan", "--clinic", "nowhere"], "There is no clinic of this name"),
        ([], "one of the arguments --dry-run --plan is required"),
        (["--dry-run", "--plan"], "not allowed with argument"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said) as refusal:
        run(*arguments)
    assert "\n" not in str(refusal.value)


def test_visits_without_a_plan_get_one_of_what_is_to_come(book: Book) -> None:
    visit = book()
    Reminder.objects.all().delete()
    assert run("--plan") == ["1 visits looked at, 3 messages planned."]
    kinds = {row.kind for row in Reminder.objects.filter(appointment=visit)}
    assert kinds == {Kind.FOLLOW_UP, Kind.REMINDER}  # the first request would be late by now
    assert run("--plan") == ["0 visits looked at, 0 messages planned."]


def test_visits_that_are_cancelled_over_or_begun_are_not_planned(book: Book, desk: Actor) -> None:
    cancelled, here, _past = book(), book(after=3 * HOUR), book(after=-20 * HOUR)
    booking.cancel(appointment=cancelled, reason="OTHER", by=desk, now=NOON)
    booking.check_in(appointment=here, by=desk, now=NOON)
    Reminder.objects.all().delete()
    assert run("--plan") == ["0 visits looked at, 0 messages planned."]


def test_every_coming_visit_can_be_planned_anew(book: Book, clinic: Clinic) -> None:
    visit = book()
    ReminderPolicy.objects.create(clinic=clinic, follow_up_hours=None, reminder_hours=20)
    assert run("--plan", "--all", "--clinic", clinic.slug)[0].startswith("1 visits looked at")
    dues = {
        row.kind: (row.standing, row.due_at)
        for row in Reminder.objects.filter(appointment=visit, channel=Channel.SMS)
    }
    assert dues[Kind.REMINDER] == (Standing.PLANNED, visit.scheduled_start - 20 * HOUR)
    assert dues[Kind.FOLLOW_UP][0] == Standing.SKIPPED
    assert Reminder.objects.get(kind=Kind.FOLLOW_UP).why == Why.SWITCHED_OFF


def test_a_look_ahead_leaves_its_own_record_and_opens_nothing(
    book: Book, clinic: Clinic, settings: Any
) -> None:
    book(patient=with_mobile(clinic))
    settings.LOOKS_MUST_BE_RECORDED = True
    last = AuditEntry.objects.order_by("id").last()
    run("--dry-run")
    fresh = AuditEntry.objects.filter(id__gt=last.pk if last else 0)
    assert [row.field_names for row in fresh] in ([], [[]])
