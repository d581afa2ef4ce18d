"""What an offer of freed time says by each way, and what is said to who answers it by text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.conf import settings

from patients.models import Patient
from reminders import tasks
from reminders.channels.memory import outbox
from reminders.composing import ComposeRefused, compose
from reminders.gsm import PART, septets
from reminders.kinds import Channel, Kind, NoticeKind, Standing, Why
from reminders.messages import Composed
from reminders.models import Delivery, InboundText, Notice
from reminders.preferences import patient_of
from reminders.replying import Answer
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment, Mode, WaitlistOffer
from scheduling.waitlist.tokens import offer_url, token_of
from tests.factories import TimeZoneFactory
from tests.reminders.offering import fresh, offered
from tests.reminders.scene import HOUR, MINUTE, TEN, Scene, scene
from tests.reminders.texting import answers, status, text, texted

pytestmark = pytest.mark.django_db
__all__ = ["scene"]
DAY = 24 * HOUR
NOON = TEN - 2 * DAY + 2 * HOUR  # a Tuesday, for a Thursday at ten
LATER = TEN + 15 * DAY + 30 * MINUTE
EMAIL, SMS, PUSH = Channel.EMAIL, Channel.SMS, Channel.PUSH


@pytest.fixture(autouse=True)
def _at_noon() -> Any:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def visit(scene: Scene) -> Appointment:
    """What the patient has, two weeks after the time that came free."""
    visit: Appointment = scene.visit(LATER)
    return visit


@pytest.fixture
def earlier(scene: Scene, visit: Appointment) -> WaitlistOffer:
    """An earlier time for the visit, offered until two in the afternoon."""
    return offered(scene.patient, scene.provider, TEN, now=NOON, replaces=visit)


@pytest.fixture
def first(scene: Scene) -> WaitlistOffer:
    """A time for who has none."""
    return offered(scene.patient, scene.provider, TEN, now=NOON)


def say(
    offer: WaitlistOffer, channel: Channel, *, language: str = "en", now: datetime = NOON
) -> Composed:
    """Return the message of an offer as it would leave now."""
    return compose(carrying(offer, channel, NoticeKind.OFFER), language=language, now=now)


def carrying(offer: WaitlistOffer, channel: Channel, kind: NoticeKind, **details: str) -> Delivery:
    patient = fresh(offer).entry.patient
    delivery = Delivery.objects.create(
        clinic=patient.clinic,
        patient=patient,
        channel=channel.value,
        kinds=[kind.value],
        not_before=NOON,
        not_after=NOON + HOUR,
    )
    Notice.objects.filter(offer=offer).delete()
    Notice.objects.create(
        kind=kind.value,
        subject=str(delivery.pk),
        channel=channel.value,
        delivery=delivery,
        standing=Standing.TAKEN.value,
        clinic=patient.clinic,
        patient=patient,
        offer=offer,
        details=details,
        due_at=NOON,
        not_after=NOON + HOUR,
    )
    return delivery


def on_one_line(words: Composed) -> str:
    return " ".join(words.text.split())


def test_an_e_mail_shows_the_new_time_beside_the_visit_as_it_is(earlier: WaitlistOffer) -> None:
    mail = say(earlier, EMAIL)
    words = on_one_line(mail)
    new, old = words.index("10:00 am"), words.index("Your visit is now at this time:")
    assert new < old < words.index("10:30 am")
    assert earlier.entry.replaces is not None
    assert words.count(earlier.entry.replaces.reference) == 1
    assert "You can take the new time until" in words
    assert "2:00 pm (EST)" in words
    assert "If you do nothing, your visit stays as it is." in words
    assert mail.subject.endswith(": an earlier time is free")
    assert (mail.url, mail.text.count(mail.url)) == (offer_url(earlier), 1)
    assert mail.url == f"{settings.SITE_URL}/o/{token_of(earlier.pk)}/"


def test_who_has_no_visit_is_not_told_of_an_earlier_one(first: WaitlistOffer) -> None:
    mail = say(first, EMAIL)
    assert "earlier" not in mail.text and "keep your own" not in mail.text
    assert mail.subject.endswith(": a time is free for you")
    assert "sooner" not in say(first, SMS).text
    assert "earlier" not in say(first, PUSH).text


@pytest.mark.parametrize(
    ("policy", "said", "unsaid"),
    [
        (Mode.SEQUENTIAL, "Until then we keep it for you.", "Who takes it first"),
        (Mode.OVERLAPPING, "We told others too. Who takes it first, has it.", "we keep it for you"),
    ],
)
def test_only_where_several_may_take_it_the_first_has_it(
    scene: Scene, policy: Mode, said: str, unsaid: str
) -> None:
    offer = offered(scene.patient, scene.provider, TEN, now=NOON, policy=policy)
    words = on_one_line(say(offer, EMAIL))
    assert said in words and unsaid not in words


def test_an_e_mail_can_be_unsubscribed_and_a_text_can_be_stopped(earlier: WaitlistOffer) -> None:
    mail = say(earlier, EMAIL)
    token = mail.unsubscribe_url.rstrip("/").rpartition("/")[2]
    assert patient_of(token) == earlier.entry.patient
    assert mail.unsubscribe_url in mail.text
    assert "STOP" in say(earlier, SMS).text


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_text_is_one_part_with_link_and_deadline(earlier: WaitlistOffer, language: str) -> None:
    words = say(earlier, SMS, language=language).text
    assert septets(words) <= PART
    assert offer_url(earlier) in words
    assert "2:00pm" in words


def test_a_text_says_which_visit_there_is_where_it_has_room(
    earlier: WaitlistOffer, settings: Any
) -> None:
    assert f"(now {LATER:%b} {LATER.day})" in say(earlier, SMS).text
    settings.SITE_URL = f"https://{'h' * 35}.example"
    assert "(now" not in say(earlier, SMS).text


def test_an_earlier_time_on_the_same_day_is_told_by_its_hour(scene: Scene) -> None:
    visit = scene.visit(TEN + 3 * HOUR)
    offer = offered(scene.patient, scene.provider, TEN, now=NOON, replaces=visit)
    assert "(now 1:00pm)" in say(offer, SMS).text


def test_the_deadline_is_told_by_the_patients_clock(scene: Scene) -> None:
    zone = TimeZoneFactory.create(name="Pacific/Honolulu")
    Patient.objects.filter(pk=scene.patient.pk).update(time_zone=zone)
    patient = Patient.objects.get(pk=scene.patient.pk)
    offer = offered(patient, scene.provider, TEN, now=NOON)
    words = on_one_line(say(offer, EMAIL))
    assert "until" in words and "9:00 am (HST)" in words
    assert "That is 5:00 am (HST) where you are." in words
    assert "By Tue 9:00am HST:" in say(offer, SMS).text


def test_a_cancelled_visit_is_not_shown_beside_an_offer(
    earlier: WaitlistOffer, visit: Appointment
) -> None:
    booking.cancel(appointment=visit, reason="PATIENT", by=Actor.patient(), now=NOON)
    assert "Your visit is now" not in say(earlier, EMAIL).text


def test_a_notification_leads_to_the_offer(earlier: WaitlistOffer) -> None:
    shown = say(earlier, PUSH)
    assert shown.url == offer_url(earlier)
    assert offer_url(earlier) not in shown.text


def test_nothing_is_said_of_what_has_ended(earlier: WaitlistOffer) -> None:
    with pytest.raises(ComposeRefused) as refused:
        say(earlier, EMAIL, now=earlier.expires_at)
    assert refused.value.why is Why.EXPIRED
    WaitlistOffer.objects.filter(pk=earlier.pk).update(status="GONE")
    with pytest.raises(ComposeRefused):
        say(earlier, EMAIL)


def sent(offer: WaitlistOffer) -> None:
    """Let the text about an offer go out."""
    assert Notice.objects.get(offer=offer).channel == SMS.value
    tasks.dispatch()
    assert offer_url(offer) in outbox[-1].message.text


def reply(offer: WaitlistOffer, body: str = "YES") -> InboundText:
    """Answer from the patient's phone, a minute later."""
    with time_machine.travel(NOON + MINUTE, tick=False):
        row = text(body, sender=fresh(offer).entry.patient.phone, now=NOON + MINUTE)
        tasks.dispatch()
    return row


def test_yes_to_an_offer_takes_nothing_and_is_told_where_to_take_it(first: WaitlistOffer) -> None:
    sent(first)
    row = reply(first)
    assert fresh(first).status == WaitlistOffer.Status.OFFERED
    assert not row.needs_staff
    said = outbox[-1].message.text
    assert "a text cannot take the time" in said
    assert offer_url(first) in said and "2:00pm" in said
    assert septets(said) <= PART


def asked_of(visit: Appointment, *, at: datetime) -> None:
    """Let a text have asked about a visit, at an instant."""
    sent = texted(visit, Kind.FOLLOW_UP, to=visit.patient.phone)
    Delivery.objects.filter(pk=sent.pk).update(created_at=at, not_before=at)


def test_yes_to_an_offer_confirms_no_visit_that_was_asked_about_before(
    visit: Appointment, earlier: WaitlistOffer
) -> None:
    asked_of(visit, at=NOON - 2 * DAY)
    sent(earlier)
    row = reply(earlier)
    assert status(visit) == "SCHEDULED"
    assert [words for words, _visit in answers()] == ["OFFER"]
    assert row.needs_staff, "a visit waits for a yes as well: a person reads it"


def test_yes_to_a_reminder_that_came_after_the_offer_confirms_its_visit(
    visit: Appointment, first: WaitlistOffer
) -> None:
    sent(first)
    asked_of(visit, at=NOON + MINUTE / 2)
    reply(first)
    assert status(visit) == "CONFIRMED"
    assert fresh(first).status == WaitlistOffer.Status.OFFERED


@pytest.mark.parametrize("end", ["GONE", "EXPIRED", "DECLINED"])
def test_yes_to_what_has_ended_is_told_so(first: WaitlistOffer, end: str) -> None:
    sent(first)
    WaitlistOffer.objects.filter(pk=first.pk).update(status=end)
    assert not reply(first).needs_staff
    said = outbox[-1].message.text
    assert "that time is not free any more" in said
    assert "/o/" not in said


def test_yes_to_what_was_taken_is_read_by_a_person(first: WaitlistOffer) -> None:
    sent(first)
    WaitlistOffer.objects.filter(pk=first.pk).update(status="CLAIMED")
    assert reply(first).needs_staff
    assert [words for words, _visit in answers()] == ["UNCLEAR"]


def test_stop_to_an_offer_stops_texts_as_ever(first: WaitlistOffer) -> None:
    sent(first)
    before = len(outbox)
    row = reply(first, "STOP")
    assert (row.meaning, row.needs_staff) == ("STOP", False)
    assert len(outbox) == before
    assert fresh(first).status == WaitlistOffer.Status.OFFERED


def test_yes_from_a_number_that_is_no_longer_on_file_is_told_no_link(first: WaitlistOffer) -> None:
    sent(first)
    number = fresh(first).entry.patient.phone
    patient = Patient.objects.get(pk=first.entry.patient_id)
    patient.phone = "+12125550199"
    patient.save(update_fields=["phone"])
    assert text("YES", sender=number, now=NOON).needs_staff
    assert answers() == []


def test_an_answer_to_an_offer_names_no_ended_offer_as_live(first: WaitlistOffer) -> None:
    details = {"text": Answer.OFFER.value}
    delivery = carrying(first, SMS, NoticeKind.REPLY, **details)
    assert "a text cannot take" in compose(delivery, language="en", now=NOON).text
    over = compose(delivery, language="en", now=first.expires_at).text
    assert "not free any more" in over
