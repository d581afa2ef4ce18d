"""From the rows of a delivery to words that can leave: what is in them, and what never is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from patients import codes
from patients.models import OneTimeCode
from providers.models import Clinic, VisitType
from reminders.composing import ComposeRefused, compose
from reminders.gsm import PART, septets
from reminders.kinds import Channel, Kind, NoticeKind, Standing, Why
from reminders.messages import Composed
from reminders.models import Delivery, Notice, Reminder, ReminderPolicy
from reminders.preferences import patient_of
from reminders.replying import Answer
from scheduling import booking, links
from scheduling.actors import Actor
from scheduling.links import LinkEnded
from scheduling.models import Appointment, ManageLink
from scheduling.transitions import Status
from tests.factories import AppointmentFactory, TimeZoneFactory, at, next_monday
from tests.reminders.test_messages import ENGLISH

HOUR = timedelta(hours=1)
TOKEN = re.compile(r"/v/([\w-]{22})/")
BROWSER = "ab" * 32
OF_OFFERS = {Answer.OFFER, Answer.OFFER_OVER}


@pytest.fixture
def visit(clinic: Clinic) -> Appointment:
    visit = AppointmentFactory.create(
        patient__clinic=clinic,
        provider__clinic=clinic,
        provider__name="Dr. Amara Diallo",
        start=at(next_monday(), "09:00"),
    )
    visit.reason_for_visit = "A rash"
    visit.save(update_fields=["reason_for_visit"])
    Reminder.objects.all().delete()
    Notice.objects.all().delete()
    return visit


def delivered(visits: Sequence[Appointment], kind: Kind, channel: Channel) -> Delivery:
    """Return a claimed delivery of a reminder about each of some visits."""
    delivery = _delivery(channel, kind.value, visits[0])
    for visit in visits:
        Reminder.objects.create(
            appointment=visit, sequence=visit.sequence, kind=kind.value, **_taken(delivery)
        )
    return delivery


def told(visit: Appointment | None, kind: NoticeKind, channel: Channel, **more: Any) -> Delivery:
    """Return a claimed delivery of one notice."""
    delivery = _delivery(channel, kind.value, visit)
    Notice.objects.create(
        kind=kind.value, subject=str(delivery.pk), appointment=visit, **_taken(delivery), **more
    )
    return delivery


def _delivery(channel: Channel, kind: str, visit: Appointment | None) -> Delivery:
    now = at(next_monday(), "00:00")
    return Delivery.objects.create(
        clinic=visit.clinic if visit else None,
        patient=visit.patient if visit else None,
        channel=channel.value,
        kinds=[kind],
        not_before=now,
        not_after=now + HOUR,
    )


def _taken(delivery: Delivery) -> dict[str, Any]:
    return {
        "channel": delivery.channel,
        "delivery": delivery,
        "standing": Standing.TAKEN.value,
        "due_at": delivery.not_before,
        "not_after": delivery.not_after,
    }


def tokens(message: Composed) -> list[str]:
    return TOKEN.findall(message.text)


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS])
@pytest.mark.parametrize("kind", [Kind.REQUEST, Kind.FOLLOW_UP, Kind.REMINDER])
def test_a_reminder_brings_a_link_that_works_and_nothing_clinical(
    visit: Appointment, now: datetime, kind: Kind, channel: Channel
) -> None:
    message = compose(delivered([visit], kind, channel), language="en", now=now)
    (token,) = tokens(message)
    assert links.find(token, now=now).appointment == visit
    assert message.url == f"{settings.SITE_URL}/v/{token}/"
    for said in (visit.patient.given_name, "Diallo", visit.clinic.name):
        assert said in message.text
    for secret in ("A rash", visit.patient.family_name, str(visit.provider.specialty)):
        assert secret not in message.text + message.subject
    assert visit.appointment_type.label not in message.text + message.subject


def test_each_try_has_a_link_of_its_own_and_none_is_kept_in_clear(
    visit: Appointment, now: datetime
) -> None:
    delivery = delivered([visit], Kind.REMINDER, Channel.SMS)
    said = [compose(delivery, language="en", now=now) for _ in range(2)]
    made = {token for message in said for token in tokens(message)}
    assert len(made) == 2
    assert ManageLink.objects.filter(appointment=visit).count() == 2
    kept = repr(list(Delivery.objects.values())) + repr(list(Reminder.objects.values()))
    assert not [token for token in made if token in kept]


def test_it_speaks_spanish_to_whoever_reads_it(visit: Appointment, now: datetime) -> None:
    delivery = delivered([visit], Kind.REMINDER, Channel.EMAIL)
    message = compose(delivery, language="es-MX", now=now)
    body = message.text.replace(visit.clinic.name, "")
    assert not ENGLISH.search(re.sub(r"https?://\S+", "", body))


def test_only_an_e_mail_that_comes_by_itself_can_be_unsubscribed(
    visit: Appointment, now: datetime
) -> None:
    mail = compose(delivered([visit], Kind.REQUEST, Channel.EMAIL), language="en", now=now)
    assert mail.unsubscribe_url in mail.text
    token = mail.unsubscribe_url.rstrip("/").rpartition("/")[2]
    assert patient_of(token) == visit.patient
    assert str(visit.patient_id) not in mail.text
    for other in (
        delivered([visit], Kind.REMINDER, Channel.SMS),
        told(visit, NoticeKind.BOOKED, Channel.EMAIL),
    ):
        assert compose(other, language="en", now=now).unsubscribe_url == ""


def test_a_confirmed_visit_is_not_asked_about_again(visit: Appointment, now: datetime) -> None:
    asking = compose(delivered([visit], Kind.REMINDER, Channel.SMS), language="en", now=now)
    assert "Reply YES" in asking.text
    visit = booking.confirm(appointment=visit, by=Actor.patient(), now=now)
    Reminder.objects.all().delete()
    calm = compose(delivered([visit], Kind.REMINDER, Channel.SMS), language="en", now=now)
    assert "YES" not in calm.text


def test_a_type_of_visit_that_needs_no_confirmation_is_not_asked_about(
    visit: Appointment, now: datetime
) -> None:
    VisitType.objects.update(confirmation_required=False)
    text = compose(delivered([visit], Kind.REMINDER, Channel.SMS), language="en", now=now).text
    assert "YES" not in text


@pytest.mark.parametrize(
    ("allowed", "hours", "warns"), [(True, 24, True), (True, None, False), (False, 24, False)]
)
def test_a_request_warns_only_where_silence_frees_the_time(
    visit: Appointment, now: datetime, allowed: bool, hours: int | None, warns: bool
) -> None:
    VisitType.objects.update(auto_release_allowed=allowed)
    ReminderPolicy(clinic=visit.clinic, release_hours=hours).save()
    text = compose(delivered([visit], Kind.REQUEST, Channel.EMAIL), language="en", now=now).text
    assert ("may give your time" in text) == warns


def test_several_visits_in_a_day_are_one_message(visit: Appointment, now: datetime) -> None:
    later = AppointmentFactory.create(
        patient=visit.patient, clinic=visit.clinic, provider=visit.provider,
        start=visit.scheduled_start + 2 * HOUR,
    )  # fmt: skip
    Reminder.objects.all().delete()
    text = compose(delivered([later, visit], Kind.REMINDER, Channel.SMS), language="en", now=now)
    Reminder.objects.all().delete()
    mail = compose(delivered([later, visit], Kind.REMINDER, Channel.EMAIL), language="en", now=now)
    assert "2 visits" in text.text
    (token,) = tokens(text)
    assert [link.appointment for link in links.find_all(token, now=now)] == [visit, later]
    assert [links.find(token, now=now).appointment for token in tokens(mail)] == [visit, later]


def test_a_text_about_several_visits_opens_each_of_them(
    visit: Appointment, now: datetime, client: Client
) -> None:
    later = AppointmentFactory.create(
        patient=visit.patient,
        clinic=visit.clinic,
        provider=visit.provider,
        start=visit.scheduled_start + 2 * HOUR,
    )
    stranger = AppointmentFactory.create()
    Reminder.objects.all().delete()
    text = compose(delivered([later, visit], Kind.REMINDER, Channel.SMS), language="en", now=now)
    page = client.get(text.url.removeprefix(settings.SITE_URL), follow=True)
    assert page.redirect_chain == [(reverse("portal:manage", args=[visit.pk]), 302)]
    assert "Your other appointments" in page.content.decode()
    other = reverse("portal:manage", args=[later.pk])
    assert f'href="{other}"' in page.content.decode()
    assert client.get(other).status_code == 200
    client.post(reverse("portal:confirm", args=[later.pk]), {"sequence": later.sequence})
    later.refresh_from_db()
    assert later.status == Status.CONFIRMED
    assert client.get(reverse("portal:manage", args=[stranger.pk])).status_code == 302


def test_whoever_said_yes_to_several_gets_one_link_to_them_all(
    visit: Appointment, now: datetime
) -> None:
    later = AppointmentFactory.create(
        patient=visit.patient,
        clinic=visit.clinic,
        provider=visit.provider,
        start=visit.scheduled_start + timedelta(days=7),
    )
    sibling = AppointmentFactory.create(patient__phone=visit.patient.phone)
    details = {"text": Answer.SEVERAL.value}
    delivery = told(visit, NoticeKind.REPLY, Channel.SMS, details=details)
    (token,) = tokens(compose(delivery, language="en", now=now))
    opened = [link.appointment for link in links.find_all(token, now=now)]
    assert opened == [visit, later]
    assert sibling not in opened


def test_a_video_visit_brings_the_link_to_join_it(visit: Appointment, now: datetime) -> None:
    VisitType.objects.update(is_telehealth=True)
    for channel in Channel:
        Reminder.objects.all().delete()
        message = compose(delivered([visit], Kind.JOIN, channel), language="en", now=now)
        assert re.fullmatch(rf"{settings.SITE_URL}/v/[\w-]{{22}}/join/", message.url)
        assert message.url in message.text or channel == Channel.PUSH


def test_both_clocks_are_told_where_they_differ(visit: Appointment, now: datetime) -> None:
    visit.patient.time_zone = TimeZoneFactory.create(name="Pacific/Honolulu")
    visit.patient.save(update_fields=["time_zone"])
    mail = compose(delivered([visit], Kind.REQUEST, Channel.EMAIL), language="en", now=now).text
    assert "(HST) where you are" in mail
    visit.patient.time_zone = TimeZoneFactory.create(name="America/Detroit")
    visit.patient.save(update_fields=["time_zone"])
    Reminder.objects.all().delete()
    mail = compose(delivered([visit], Kind.REQUEST, Channel.EMAIL), language="en", now=now).text
    assert "where you are" not in mail


@pytest.mark.parametrize(
    "kind",
    [
        NoticeKind.BOOKED,
        NoticeKind.MOVED,
        NoticeKind.CANCELLED,
        NoticeKind.RELEASED,
        NoticeKind.RESTORED,
        NoticeKind.LINK,
    ],
)
@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS])
def test_a_notice_brings_a_link_that_works(
    visit: Appointment, now: datetime, kind: NoticeKind, channel: Channel
) -> None:
    message = compose(told(visit, kind, channel), language="en", now=now)
    (token,) = tokens(message)
    assert links.find(token, now=now).appointment == visit
    assert message.text.startswith(f"{visit.clinic.name}: {visit.patient.given_name}, ")


def test_a_lost_link_of_nobody_is_refused(db: None, now: datetime) -> None:
    details = {"reference": "22222222", "indexes": ["00" * 32]}
    with pytest.raises(ComposeRefused) as refusal:
        compose(told(None, NoticeKind.LINK, Channel.EMAIL, details=details), language="en", now=now)
    assert refusal.value.why is Why.NOT_ON_FILE
    assert not ManageLink.objects.exists()


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS])
def test_a_code_is_made_for_its_message_and_opens_once(
    visit: Appointment, now: datetime, channel: Channel
) -> None:
    contact = visit.patient.email if channel == Channel.EMAIL else visit.patient.phone
    code = _asked(contact, now=now)
    message = compose(
        told(None, NoticeKind.SIGN_IN_CODE, channel, code=code), language="en", now=now
    )
    (digits,) = re.findall(r"\d{4} \d{4}", message.text)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT row::text FROM patients_onetimecode row"
            " UNION ALL SELECT row::text FROM reminders_notice row"
        )
        kept = str(cursor.fetchall())
    assert str(code.pk) in kept and digits not in kept and digits.replace(" ", "") not in kept
    codes.redeem(
        purpose=OneTimeCode.Purpose.SIGN_IN, code_id=code.pk, browser=BROWSER, code=digits, now=now
    )


def test_a_code_that_would_open_nothing_is_refused(visit: Appointment, now: datetime) -> None:
    for contact, ended in (("nobody@mail.example", False), (visit.patient.email, True)):
        code = _asked(contact, now=now)
        if ended:
            OneTimeCode.objects.filter(pk=code.pk).update(used_at=now)
        delivery = told(None, NoticeKind.SIGN_IN_CODE, Channel.EMAIL, code=code)
        with pytest.raises(ComposeRefused):
            compose(delivery, language="en", now=now)


def _asked(contact: str, *, now: datetime) -> OneTimeCode:
    pk = codes.request_code(
        purpose=OneTimeCode.Purpose.SIGN_IN,
        contact=contact,
        browser=BROWSER,
        network="cd" * 32,
        now=now,
    )
    return OneTimeCode.objects.get(pk=pk)


@pytest.mark.parametrize("answer", [one for one in Answer if one not in OF_OFFERS])
def test_an_answer_to_a_text_is_one_part(visit: Appointment, now: datetime, answer: Answer) -> None:
    delivery = told(visit, NoticeKind.REPLY, Channel.SMS, details={"text": answer.value})
    message = compose(delivery, language="en", now=now)
    assert septets(message.text) <= PART
    assert bool(tokens(message)) == (answer in {Answer.LINK, Answer.SEVERAL})


def test_a_text_that_nobody_understood_is_answered_without_a_visit(
    clinic: Clinic, now: datetime
) -> None:
    details = {"text": Answer.UNCLEAR.value}
    delivery = told(None, NoticeKind.REPLY, Channel.SMS, clinic=clinic, details=details)
    assert compose(delivery, language="en", now=now).text.startswith("Riverside Clinic: thank you")
    details = {"text": Answer.LINK.value}
    delivery = told(None, NoticeKind.REPLY, Channel.SMS, clinic=clinic, details=details)
    with pytest.raises(ComposeRefused):
        compose(delivery, language="en", now=now)


def test_a_delivery_that_carries_nothing_any_more_is_refused(
    visit: Appointment, now: datetime
) -> None:
    delivery = delivered([visit], Kind.REMINDER, Channel.EMAIL)
    Reminder.objects.all().delete()
    with pytest.raises(ComposeRefused):
        compose(delivery, language="en", now=now)


def test_a_link_of_a_message_ends_as_others_do(visit: Appointment, now: datetime) -> None:
    message = compose(delivered([visit], Kind.REMINDER, Channel.SMS), language="en", now=now)
    (token,) = tokens(message)
    with pytest.raises(LinkEnded):
        links.find(token, now=visit.scheduled_end + timedelta(days=1))
