"""What is due becomes messages: one for a day's visits, none that is late, untrue or too much."""

from __future__ import annotations

from datetime import time, timedelta
from itertools import count

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reminders import gathering
from reminders.judging import judge
from reminders.kinds import CallReason, Channel, Kind, NoticeKind, Why
from reminders.models import (
    CallItem,
    ContactPreference,
    Delivery,
    Notice,
    Reminder,
    ReminderPolicy,
    Suppression,
)
from reminders.notices import notice
from reminders.policies import forget
from reminders.suppressions import lift, suppress
from scheduling import booking
from scheduling.actors import Actor
from tests.factories import at, next_monday, someone_at_the_desk
from tests.reminders.scene import (
    DAY,
    DAY_OF_VISIT,
    HOUR,
    MINUTE,
    TEN,
    Scene,
    due,
    news_of,
    plan_of,
    scene,
    states,
)

pytestmark = pytest.mark.django_db
__all__ = ["scene"]
ONLINE = Actor.patient()


def test_each_step_of_a_cadence_goes_once_at_its_time(scene: Scene) -> None:
    visit = scene.visit()
    mail_to, text_to = f"EMAIL to {scene.patient.email}", f"SMS to {scene.patient.phone}"
    assert scene.minute(TEN - 73 * HOUR) == []
    assert scene.minute(TEN - 72 * HOUR) == [mail_to]
    assert scene.minute(TEN - 72 * HOUR + MINUTE) == []
    assert scene.minute(TEN - 48 * HOUR) == [text_to]
    assert scene.minute(TEN - 24 * HOUR) == [mail_to, text_to]
    assert scene.minute(TEN - HOUR) == []
    assert set(plan_of(visit).values()) == {"TAKEN"}


def test_confirm_check_in_and_undo_in_between_leave_each_message_exactly_once(scene: Scene) -> None:
    visit, desk = scene.visit(), someone_at_the_desk()
    left = scene.minute(TEN - 72 * HOUR)
    visit = booking.cancel(appointment=visit, reason="OTHER", by=desk, now=TEN - 50 * HOUR)
    left += scene.minute(TEN - 50 * HOUR + MINUTE)
    visit = booking.undo(appointment=visit, by=desk, now=TEN - 50 * HOUR + 2 * MINUTE)
    left += scene.minute(TEN - 50 * HOUR + 3 * MINUTE)
    left += scene.minute(TEN - 48 * HOUR)
    visit = booking.confirm(appointment=visit, by=ONLINE, now=TEN - 47 * HOUR)
    for hours in (46, 24, 23):
        left += scene.minute(TEN - hours * HOUR)
    booking.check_in(appointment=visit, by=desk, now=TEN - HOUR)
    left += scene.minute(TEN - HOUR)
    mail_to, text_to = f"EMAIL to {scene.patient.email}", f"SMS to {scene.patient.phone}"
    assert left == [mail_to, text_to, mail_to, text_to]


def test_several_visits_of_a_day_make_one_text(scene: Scene) -> None:
    first, second = scene.visit(), scene.visit(at(DAY_OF_VISIT, "15:30"))
    other_day = scene.visit(at(DAY_OF_VISIT + DAY, "15:30"))
    for at_once in (TEN - 72 * HOUR, TEN - 48 * HOUR):
        assert gathering.gather(now=at_once) == 1
        one = Delivery.objects.latest("pk")
        assert {row.appointment_id for row in one.reminders.all()} == {first.pk, second.pk}
        assert gathering.gather(now=at_once + 5 * HOUR) == 0
    assert plan_of(other_day)["FOLLOW_UP SMS"] == "PLANNED"


def test_two_people_are_two_texts(scene: Scene) -> None:
    scene.visit()
    scene.visit(at(DAY_OF_VISIT, "11:00"), patient=scene.person())
    gathering.gather(now=TEN - 47 * HOUR)
    assert Delivery.objects.filter(channel=Channel.SMS).count() == 2


def test_after_six_hours_of_silence_only_what_is_still_true_goes_and_once(scene: Scene) -> None:
    visits = [
        scene.visit(at(DAY_OF_VISIT, f"{hour:02}:00"), patient=scene.person())
        for hour in range(9, 16)
    ]
    now = at(DAY_OF_VISIT - 2 * DAY, "16:00")
    assert len(scene.minute(now)) == len(visits)  # follow-ups alone: each request is too late
    assert scene.minute(now + MINUTE) == []
    for visit in visits:
        assert plan_of(visit)["REQUEST EMAIL"] == "SKIPPED TOO_LATE"
        assert plan_of(visit)["FOLLOW_UP SMS"] == "TAKEN"


def test_what_is_due_after_its_end_is_never_sent(scene: Scene) -> None:
    visit = scene.visit()
    assert scene.minute(TEN - HOUR) == []
    assert set(plan_of(visit).values()) == {"SKIPPED TOO_LATE"}


def test_of_two_steps_at_once_by_one_way_the_later_is_said(scene: Scene) -> None:
    visit = scene.visit()
    until = TEN - 2 * HOUR
    Reminder.objects.filter(kind=Kind.REQUEST).update(not_after=until)
    Reminder.objects.filter(kind=Kind.FOLLOW_UP).update(channel=Channel.EMAIL, not_after=until)
    assert scene.minute(TEN - 40 * HOUR) == [f"EMAIL to {scene.patient.email}"]
    assert plan_of(visit)["REQUEST EMAIL"] == "SKIPPED TOO_LATE"
    assert plan_of(visit)["FOLLOW_UP EMAIL"] == "TAKEN"


def test_a_visit_that_moved_or_was_cancelled_past_our_plan_is_not_spoken_of(scene: Scene) -> None:
    """The plan is made right with every change; should it not be, the visit itself is asked."""
    visit = scene.visit()
    rows = Reminder.objects.filter(appointment=visit)
    one = rows[0]
    type(visit).objects.filter(pk=visit.pk).update(sequence=1)
    assert judge(rows.get(pk=one.pk), now=TEN - 72 * HOUR).why == Why.MOVED
    type(visit).objects.filter(pk=visit.pk).update(status="CANCELLED")
    assert judge(rows.get(pk=one.pk), now=TEN - 72 * HOUR).why == Why.CANCELLED


def test_without_an_address_the_request_goes_by_text(scene: Scene) -> None:
    visit = scene.visit(patient=scene.person(email=""))
    assert scene.minute(TEN - 72 * HOUR) == [f"SMS to {visit.patient.phone}"]
    assert plan_of(visit)["REQUEST EMAIL"] == "SKIPPED NO_EMAIL"
    assert plan_of(visit)["REQUEST SMS"] == "TAKEN"
    assert scene.minute(TEN - 72 * HOUR + MINUTE) == []


def test_without_a_number_the_follow_up_goes_by_mail_and_the_reminder_by_mail_alone(
    scene: Scene,
) -> None:
    visit = scene.visit(patient=scene.person(phone="", phone_is_textable=False))
    by_mail = [f"EMAIL to {visit.patient.email}"]
    assert scene.minute(TEN - 48 * HOUR) == by_mail
    assert scene.minute(TEN - 24 * HOUR) == by_mail
    assert plan_of(visit)["REMINDER SMS"] == "SKIPPED NO_PHONE"


def test_whoever_cannot_be_reached_at_all_is_called(scene: Scene) -> None:
    visit = scene.visit(patient=scene.person(phone="", email="", phone_is_textable=False))
    for hours in (72, 48, 24):
        assert scene.minute(TEN - hours * HOUR) == []
    (call,) = CallItem.objects.all()
    assert (call.appointment_id, call.reason) == (visit.pk, CallReason.UNDELIVERABLE)


def test_whoever_wants_neither_mail_nor_texts_is_called_for_that(scene: Scene) -> None:
    visit = scene.visit()
    ContactPreference.objects.create(patient=visit.patient, email=False, sms=False)
    assert scene.minute(TEN - 72 * HOUR) == []
    assert plan_of(visit)["REQUEST SMS"] == "SKIPPED OPTED_OUT"
    assert [call.reason for call in CallItem.objects.all()] == [CallReason.OPTED_OUT]


def test_a_kind_that_was_switched_off_is_not_sent(scene: Scene) -> None:
    visit = scene.visit()
    ContactPreference.objects.create(patient=visit.patient, muted=["REMINDER"])
    assert scene.minute(TEN - 24 * HOUR) == []
    assert plan_of(visit)["REMINDER SMS"] == "SKIPPED OPTED_OUT"


def test_a_number_that_said_stop_gets_nothing_until_it_says_start(scene: Scene) -> None:
    visit, now = scene.visit(), TEN - 48 * HOUR
    suppress(
        channel=Channel.SMS, recipient=visit.patient.phone, cause=Suppression.Cause.STOP, now=now
    )
    assert scene.minute(now) == [f"EMAIL to {visit.patient.email}"]
    assert plan_of(visit)["FOLLOW_UP SMS"] == "SKIPPED SUPPRESSED"
    lift(channel=Channel.SMS, recipient=visit.patient.phone, now=now)
    assert f"SMS to {visit.patient.phone}" in scene.minute(TEN - 24 * HOUR)


def test_a_clinic_that_sends_no_texts_sends_mail(scene: Scene) -> None:
    visit = scene.visit()
    ReminderPolicy.objects.create(clinic=scene.clinic, sms=False)
    forget()
    assert scene.minute(TEN - 48 * HOUR) == [f"EMAIL to {visit.patient.email}"]
    assert plan_of(visit)["FOLLOW_UP SMS"] == "SKIPPED SWITCHED_OFF"
    forget()


def test_at_most_one_text_a_day_and_three_a_week_go_to_a_number(scene: Scene) -> None:
    days = [next_monday(2) + n * DAY for n in range(4)]
    people = [scene.person(phone=scene.patient.phone) for _day in days]  # one family's number
    for n, patient in enumerate(people):
        scene.visit(at(days[n], "10:00") if n != 2 else at(days[1], "11:00"), patient=patient)
    texts = []
    for day in range(-3, 5):
        for hour in range(8, 21):
            left = scene.minute(at(days[0] + day * DAY, f"{hour:02}:00"))
            texts += [day for line in left if line.startswith("SMS")]
    assert len(texts) == len(set(texts)), "two on one day"
    assert all(sum(first <= day < first + 7 for day in texts) <= 3 for first in texts)
    assert len(texts) >= 3
    assert Reminder.objects.filter(why=Why.CAP).exists()


def test_what_is_due_at_night_waits_for_the_morning(scene: Scene) -> None:
    visit = scene.visit()
    ContactPreference.objects.create(
        patient=visit.patient, quiet_from=time(9), quiet_until=time(11, 30)
    )
    row = Reminder.objects.get(appointment=visit, kind=Kind.FOLLOW_UP)
    Reminder.objects.filter(pk=row.pk).update(due_at=TEN - 48 * HOUR)
    assert scene.minute(TEN - 48 * HOUR) == []
    row.refresh_from_db()
    assert row.due_at == TEN - 48 * HOUR + timedelta(minutes=90)
    assert scene.minute(row.due_at) == [f"SMS to {visit.patient.phone}"]


def test_what_could_only_go_at_night_does_not_go(scene: Scene) -> None:
    visit = scene.visit()
    row = Reminder.objects.get(appointment=visit, kind=Kind.REMINDER, channel=Channel.SMS)
    night = at(DAY_OF_VISIT - DAY, "23:00")
    Reminder.objects.filter(pk=row.pk).update(due_at=night, not_after=night + 2 * HOUR)
    scene.minute(TEN - 24 * HOUR)
    assert scene.minute(night) == []
    assert plan_of(visit)["REMINDER SMS"] == "SKIPPED TOO_LATE"


def test_the_patients_own_act_is_told_at_night_and_staffs_act_in_the_morning(scene: Scene) -> None:
    night = at(DAY_OF_VISIT - 2 * DAY, "23:00")
    one, other = scene.visit(), scene.visit(at(DAY_OF_VISIT, "14:00"), patient=scene.person())
    for visit, by, details in ((one, "mine", {}), (other, "theirs", {"by": "STAFF"})):
        visit = booking.cancel(appointment=visit, reason="OTHER", by=ONLINE, now=night)
        Notice.objects.filter(appointment=visit).delete()
        notice(
            kind=NoticeKind.CANCELLED,
            subject=by,
            channels=[Channel.EMAIL],
            clinic=visit.clinic,
            patient=visit.patient,
            appointment=visit,
            details=details,
            due_at=night,
            not_after=visit.scheduled_start,
        )
    assert scene.minute(night) == [f"EMAIL to {one.patient.email}"]
    assert scene.minute(night + 8 * HOUR) == []
    assert scene.minute(night + 9 * HOUR) == [f"EMAIL to {other.patient.email}"]


def test_a_cancellation_that_was_undone_is_not_told(scene: Scene) -> None:
    visit, desk, now = scene.visit(), someone_at_the_desk(), TEN - 80 * HOUR
    visit = booking.cancel(appointment=visit, reason="OTHER", by=desk, now=now)
    Notice.objects.update(due_at=now)
    booking.undo(appointment=visit, by=desk, now=now + MINUTE)
    Notice.objects.update(standing="PLANNED", why="")  # as if planning had missed it
    assert scene.minute(now + MINUTE) == []
    assert news_of(visit) == {"CANCELLED EMAIL": "SKIPPED UNDONE"}


def test_news_without_an_address_goes_by_text_and_without_either_to_the_call_list(
    scene: Scene,
) -> None:
    desk, now = someone_at_the_desk(), TEN - 73 * HOUR
    texted = scene.visit(patient=scene.person(email=""))
    called = scene.visit(
        at(DAY_OF_VISIT, "13:00"),
        patient=scene.person(email="", phone="", phone_is_textable=False),
    )
    for visit in (texted, called):
        booking.cancel(appointment=visit, reason="PROVIDER_AWAY", by=desk, now=now)
    Notice.objects.update(due_at=now)
    assert scene.minute(now) == [f"SMS to {texted.patient.phone}"]
    assert [call.appointment_id for call in CallItem.objects.all()] == [called.pk]


def test_a_lost_link_is_sent_where_reference_and_contact_belong_together(scene: Scene) -> None:
    visit = scene.visit()
    asked = {"reference": visit.reference, "indexes": [bytes(visit.patient.email_index).hex()]}
    guessed = {**asked, "indexes": ["ab" * 32]}
    for subject, details in (("one", asked), ("two", guessed)):
        notice(
            kind=NoticeKind.LINK,
            subject=subject,
            channels=[Channel.EMAIL],
            details=details,
            due_at=TEN - 80 * HOUR,
            not_after=TEN - 79 * HOUR,
        )
    assert scene.minute(TEN - 80 * HOUR) == [f"EMAIL to {visit.patient.email}"]
    assert Notice.objects.get(subject="two").why == Why.NOT_ON_FILE


def test_a_batch_costs_the_same_for_three_as_for_thirty(scene: Scene) -> None:
    number = count()

    def cost(many: int) -> int:
        Reminder.objects.all().delete()
        for _visit in range(many):
            day, half = divmod(next(number), 18)
            start = at(DAY_OF_VISIT + day * 7 * DAY, "08:00") + half * 30 * MINUTE
            scene.visit(start, patient=scene.person())
        Reminder.objects.exclude(kind=Kind.FOLLOW_UP).delete()
        Reminder.objects.update(due_at=TEN - 48 * HOUR)
        with CaptureQueriesContext(connection) as asked:
            assert gathering.gather(now=TEN - 48 * HOUR) == many
        return len(asked)

    cost(1)  # what a policy costs is paid
    assert cost(3) == cost(30)


def test_nothing_is_opened_to_gather(scene: Scene, settings: object) -> None:
    scene.visit()
    settings.LOOKS_MUST_BE_RECORDED = True  # type: ignore[attr-defined]
    visit = scene.patient.appointments.get()
    assert gathering.gather(now=due(visit, Kind.REQUEST)) == 1
    assert states() == ["EMAIL QUEUED"]
