"""Who can be told of freed time, by which ways they are, and what becomes of an untold offer."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from patients.looks import Look, looking
from patients.models import Patient
from providers.models import VisitType
from reminders import composing, gathering, ledger, offers, policies, tasks
from reminders.channels import memory, registry
from reminders.channels.base import Refused, TryLater
from reminders.kinds import Channel, State
from reminders.models import (
    ContactPreference,
    Delivery,
    Notice,
    PushSubscription,
    ReminderPolicy,
    Suppression,
)
from reminders.offers import on_offers, reach_of
from reminders.passing_on import pass_on
from reminders.suppressions import suppress
from scheduling.models import Opening, WaitlistOffer
from scheduling.quiet import Quiet
from scheduling.waitlist import claims
from tests.factories import TimeZoneFactory
from tests.reminders.offering import fresh, offered, told_of
from tests.reminders.scene import HOUR, MINUTE, TEN, Scene, scene

pytestmark = pytest.mark.django_db
__all__ = ["scene"]
NOON = TEN - 2 * 24 * HOUR + 2 * HOUR
DAY = 24 * HOUR
EMAIL, SMS, PUSH = Channel.EMAIL, Channel.SMS, Channel.PUSH


@pytest.fixture(autouse=True)
def _at_noon() -> Any:
    """Let it be noon two days before the freed time, on a working day."""
    with time_machine.travel(NOON, tick=False):
        yield


def browser_of(patient: Patient) -> PushSubscription:
    return PushSubscription.objects.create(
        patient=patient,
        endpoint="https://updates.push.services.mozilla.com/one",
        endpoint_digest=patient.pk.bytes,
        p256dh="point",
        auth="secret",
    )


def text_of(patient: Patient, at: datetime) -> Delivery:
    """Write that an automated text went to a patient's number."""
    return Delivery.objects.create(
        clinic=patient.clinic,
        patient=patient,
        channel=SMS.value,
        kinds=["REMINDER"],
        is_automated=True,
        state=State.DELIVERED.value,
        recipient_index=bytes(patient.phone_index),
        not_before=at,
        not_after=at + HOUR,
        sent_at=at,
        created_at=at,
    )


def why(patient: Patient) -> str:
    known = Patient.objects.get(pk=patient.pk)
    return reach_of([known], now=NOON)[patient.pk].why


def without(patient: Patient, *columns: str) -> Patient:
    """Take an address or a number off a patient's record."""
    for column in columns:
        setattr(patient, column, "")
    patient.save(update_fields=list(columns))
    return patient


def test_whoever_can_be_written_to_can_be_told(scene: Scene) -> None:
    patient = scene.patient
    assert why(patient) == ""
    without(patient, "email")
    assert why(patient) == "", "a text will do"
    without(patient, "phone")
    assert why(patient) == "NO_WAY"
    browser_of(patient)
    assert why(patient) == "", "a notification will do"


def test_nobody_is_told_by_a_way_that_they_the_clinic_or_a_stop_has_closed(scene: Scene) -> None:
    patient = without(scene.patient, "email")
    chosen = ContactPreference.objects.create(patient=patient, sms=False)
    assert why(patient) == "NO_WAY"
    chosen.sms = True
    chosen.save()
    policy = ReminderPolicy.objects.create(clinic=scene.clinic, sms=False)
    assert why(patient) == "NO_WAY"
    policy.sms = True
    policy.save()
    assert why(patient) == ""
    suppress(channel=SMS, recipient=patient.phone, cause=Suppression.Cause.STOP, now=NOON)
    assert why(patient) == "NO_WAY"


def test_where_no_texts_are_sent_at_all_a_number_is_no_way(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = without(scene.patient, "email")
    monkeypatch.setattr(registry, "is_off", lambda channel: channel == SMS)
    assert why(patient) == "NO_WAY"


def test_who_had_their_text_today_can_be_told_by_text_tomorrow(scene: Scene) -> None:
    patient = scene.patient
    text_of(patient, NOON - HOUR)
    assert why(patient) == "", "an e-mail is counted against no cap"
    without(patient, "email")
    assert why(patient) == "CAP"
    known = Patient.objects.get(pk=patient.pk)
    assert reach_of([known], now=NOON + DAY)[patient.pk].why == ""


def test_a_record_that_was_joined_into_another_is_told_nothing(scene: Scene) -> None:
    known = Patient.objects.get(pk=scene.patient.pk)
    known.merged_into = scene.person()
    assert reach_of([known], now=NOON)[known.pk].why == "NO_WAY"


def test_each_patient_is_left_alone_by_their_own_clock(scene: Scene) -> None:
    here, far = scene.patient, scene.person()
    far.time_zone = TimeZoneFactory.create(name="Pacific/Honolulu")
    far.save(update_fields=["time_zone"])
    ContactPreference.objects.create(patient=far, quiet_from=time(20), quiet_until=time(9, 30))
    found = reach_of(list(Patient.objects.filter(pk__in=[here.pk, far.pk])), now=NOON)
    assert found[here.pk].contact.zone == scene.clinic.zone
    assert found[here.pk].contact.quiet == Quiet(time(21), time(8))
    assert found[far.pk].contact.zone.key == "Pacific/Honolulu"
    assert found[far.pk].contact.quiet == Quiet(time(20), time(9, 30))


def test_a_crowd_costs_no_more_statements_than_one_and_opens_nobodys_address(
    scene: Scene,
) -> None:
    for _ in range(20):
        browser_of(scene.person())
    keys = list(Patient.objects.values_list("pk", flat=True))
    counts = []
    for some in (keys[:1], keys):
        people = list(Patient.objects.filter(pk__in=some))
        policies.forget()
        with CaptureQueriesContext(connection) as asked, looking(Look()) as look:
            assert reach_of(people, now=NOON).keys() == set(some)
        assert (look.patients, look.fields) == (set(), set())
        counts.append(len(asked))
    assert counts[0] == counts[1] == 6


def test_a_text_goes_and_no_e_mail_beside_it(scene: Scene) -> None:
    offer = offered(scene.patient, scene.provider, TEN, now=NOON)
    assert told_of(offer) == {"SMS": "PLANNED"}
    row = Notice.objects.get(offer=offer)
    assert (row.due_at, row.not_after) == (NOON, offer.expires_at)
    assert (row.patient, row.clinic, row.subject) == (scene.patient, scene.clinic, str(offer.pk))
    assert row.details == {}


def test_a_browser_is_told_besides(scene: Scene) -> None:
    browser_of(scene.patient)
    offer = offered(scene.patient, scene.provider, TEN, now=NOON)
    assert told_of(offer) == {"PUSH": "PLANNED", "SMS": "PLANNED"}


@pytest.mark.parametrize("closed", ["capped", "unwanted", "not textable", "off for the type"])
def test_where_no_text_can_go_it_is_an_e_mail(
    scene: Scene, visit_type: VisitType, closed: str
) -> None:
    patient = scene.patient
    match closed:
        case "capped":
            text_of(patient, NOON - HOUR)
        case "unwanted":
            ContactPreference.objects.create(patient=patient, sms=False)
        case "not textable":
            patient.phone_is_textable = False
            patient.save(update_fields=["phone_is_textable"])
        case _:
            ReminderPolicy.objects.create(clinic=scene.clinic, visit_type=visit_type, sms=False)
    offer = offered(patient, scene.provider, TEN, now=NOON, visit_type=visit_type)
    assert told_of(offer) == {"EMAIL": "PLANNED"}


def test_the_worker_is_called_in_the_same_statement(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reminders.writing.Conf.SYNC", False)
    with CaptureQueriesContext(connection) as asked:
        offer = offered(scene.patient, scene.provider, TEN, now=NOON)
    writes = [query["sql"] for query in asked if "reminders_notice" in query["sql"]]
    assert len(writes) == 1
    assert OrmQ.objects.count() == 1
    on_offers([offer], now=NOON)
    assert Notice.objects.count() == 1, "an offer is told of once"


def test_nothing_offered_writes_nothing() -> None:
    with CaptureQueriesContext(connection) as asked:
        on_offers([], now=NOON)
    assert len(asked) == 0


def test_an_offer_leaves_and_says_when(scene: Scene) -> None:
    browser_of(scene.patient)
    offer = offered(scene.patient, scene.provider, TEN, now=NOON)
    assert scene.minute(NOON + MINUTE) == [
        "PUSH to https://updates.push.services.mozilla.com/one",
        f"SMS to {scene.patient.phone}",
    ]
    assert fresh(offer).sent_at == NOON + MINUTE
    assert told_of(offer) == {"PUSH": "TAKEN", "SMS": "TAKEN"}
    kept = Delivery.objects.get(channel=SMS.value)
    assert (kept.is_automated, kept.patient, kept.clinic) == (True, scene.patient, scene.clinic)


def test_the_first_message_that_went_out_counts(scene: Scene) -> None:
    offer = offered(scene.patient, scene.provider, TEN, now=NOON)
    row = Notice.objects.get(offer=offer)
    offers.note_sent([row], at=NOON + MINUTE)
    offers.note_sent([row], at=NOON + HOUR)
    assert fresh(offer).sent_at == NOON + MINUTE


def test_a_vendors_report_says_as_well_that_it_went_out(scene: Scene) -> None:
    offer = offered(scene.patient, scene.provider, TEN, now=NOON)
    gathering.gather(now=NOON)
    sent = Delivery.objects.get()
    rows = Delivery.objects.filter(pk=sent.pk)
    rows.update(state="UNKNOWN", attempts=1, vendor="twilio", sending_at=NOON)
    ledger.report(vendor="twilio", marker=str(sent.pk), state=State.DELIVERED, at=NOON + 3 * MINUTE)
    assert fresh(offer).sent_at == NOON + 3 * MINUTE


@pytest.mark.parametrize("status", ["CLAIMED", "DECLINED", "EXPIRED", "GONE"])
def test_of_what_has_ended_nobody_is_told(scene: Scene, status: str) -> None:
    offer = offered(scene.patient, scene.provider, TEN, now=NOON)
    WaitlistOffer.objects.filter(pk=offer.pk).update(status=status)
    assert scene.minute(NOON + MINUTE) == []
    assert told_of(offer) == {"SMS": "SKIPPED EXPIRED"}
    assert fresh(offer).sent_at is None


def test_after_its_deadline_nobody_is_told(scene: Scene) -> None:
    offer = offered(scene.patient, scene.provider, TEN, now=NOON, expires_at=NOON + 5 * MINUTE)
    assert scene.minute(NOON + 5 * MINUTE) == []
    assert told_of(offer) == {"SMS": "SKIPPED EXPIRED"}


def test_what_ends_while_its_message_is_made_does_not_leave(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer = offered(scene.patient, scene.provider, TEN, now=NOON)

    def taken_meanwhile(*given: Any, **more: Any) -> Any:
        words = composing.compose(*given, **more)
        WaitlistOffer.objects.filter(pk=offer.pk).update(status="GONE")
        return words

    monkeypatch.setattr("reminders.sending.compose", taken_meanwhile)
    assert scene.minute(NOON + MINUTE) == []
    assert told_of(offer) == {"SMS": "SKIPPED EXPIRED"}


def test_what_comes_too_late_for_the_evening_waits_for_the_morning_where_there_is_time(
    scene: Scene,
) -> None:
    night = NOON + 9 * HOUR + MINUTE
    long_, short = scene.patient, scene.person()
    stays = offered(long_, scene.provider, TEN, now=NOON, expires_at=night + 12 * HOUR)
    ends = offered(short, scene.provider, TEN + HOUR, now=NOON, expires_at=night + HOUR)
    with time_machine.travel(night, tick=False):
        assert scene.minute(night) == []
    assert told_of(stays) == {"SMS": "PLANNED"}
    assert Notice.objects.get(offer=stays).due_at == night + 11 * HOUR - MINUTE, "08:00"
    assert told_of(ends) == {"SMS": "SKIPPED TOO_LATE"}


def test_an_e_mail_takes_the_place_of_a_text_that_failed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_message: Any) -> Any:
        raise Refused("21211")

    monkeypatch.setattr(registry.way(SMS), "send", refuse)
    offer = offered(scene.patient, scene.provider, TEN, now=NOON)
    scene.minute(NOON)
    assert told_of(offer) == {"EMAIL": "PLANNED", "SMS": "TAKEN"}
    assert pass_on(now=NOON) == 0, "somebody is being told"
    assert scene.minute(NOON + MINUTE) == [f"EMAIL to {scene.patient.email}"]
    assert fresh(offer).sent_at == NOON + MINUTE


def test_a_text_takes_the_place_of_an_e_mail_that_came_back(scene: Scene) -> None:
    patient = scene.patient
    chosen = ContactPreference.objects.create(patient=patient, sms=False)
    offer = offered(patient, scene.provider, TEN, now=NOON)
    assert scene.minute(NOON) == [f"EMAIL to {patient.email}"]
    chosen.sms = True
    chosen.save()
    sent = Delivery.objects.get()
    ledger.report(vendor=sent.vendor, marker=str(sent.pk), state=State.FAILED, at=NOON + MINUTE)
    assert scene.minute(NOON + MINUTE) == [f"SMS to {patient.phone}"]
    assert told_of(offer) == {"EMAIL": "TAKEN", "SMS": "TAKEN"}


def ended(offer: WaitlistOffer) -> tuple[str, str]:
    now = fresh(offer)
    return now.status, now.opening.state


def test_where_every_way_has_failed_it_is_passed_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_message: Any) -> Any:
        raise Refused("550")

    for channel in (SMS, EMAIL):
        monkeypatch.setattr(registry.way(channel), "send", refuse)
    offer = offered(scene.patient, scene.provider, TEN, now=NOON)
    asked = passed(monkeypatch)
    scene.minute(NOON)
    assert pass_on(now=NOON) == 0
    scene.minute(NOON + MINUTE)
    assert told_of(offer) == {"EMAIL": "TAKEN", "SMS": "TAKEN"}
    assert pass_on(now=NOON + MINUTE) == 1
    assert asked == [offer.pk]


def passed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Note what is passed on; the verb itself opens a transaction of its own."""
    asked: list[Any] = []
    monkeypatch.setattr(claims, "unreachable", lambda pk, now: asked.append(pk))
    return asked


def test_where_no_way_is_open_any_more_the_log_says_so_and_it_is_passed_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = without(scene.patient, "email", "phone")
    offer = offered(patient, scene.provider, TEN, now=NOON)
    asked = passed(monkeypatch)
    scene.minute(NOON)
    scene.minute(NOON + MINUTE)
    assert told_of(offer) == {"EMAIL": "SKIPPED NO_EMAIL", "SMS": "SKIPPED NO_PHONE"}
    assert pass_on(now=NOON + MINUTE) == 1
    assert asked == [offer.pk]


def test_a_message_that_perhaps_arrived_counts_as_told(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer = offered(scene.patient, scene.provider, TEN, now=NOON)
    asked = passed(monkeypatch)
    for state in (State.QUEUED, State.SENDING, State.UNKNOWN, State.SENT, State.DELIVERED):
        gathering.gather(now=NOON)
        Delivery.objects.update(state=state.value, lease_until=NOON + HOUR)
        assert pass_on(now=NOON) == 0, state
    Delivery.objects.update(state=State.FAILED.value)
    assert pass_on(now=NOON) == 1
    assert asked == [offer.pk]


def test_what_was_offered_by_phone_or_has_ended_is_not_passed_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = passed(monkeypatch)
    changes: list[dict[str, Any]] = [{"via": "PHONE"}, {"status": "CLAIMED"}, {"expires_at": NOON}]
    for n, more in enumerate(changes):
        offered(scene.person(), scene.provider, TEN + n * HOUR, now=NOON, **more)
    Notice.objects.all().delete()
    assert pass_on(now=NOON) == 0
    assert asked == []


def test_a_vendor_that_is_tried_again_later_still_tells(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def later(_message: Any) -> Any:
        raise TryLater("503")

    monkeypatch.setattr(registry.way(SMS), "send", later)
    offered(scene.patient, scene.provider, TEN, now=NOON)
    scene.minute(NOON)
    assert pass_on(now=NOON) == 0
    assert Delivery.objects.get().state == State.QUEUED


@pytest.mark.django_db(transaction=True)
def test_the_minutes_job_passes_on_what_cannot_be_told(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_q.conf.Conf.SYNC", False)
    patient = without(scene.patient, "email", "phone")
    offer = offered(patient, scene.provider, TEN, now=NOON, expires_at=NOON + 2 * HOUR)
    for _minute in range(3):
        tasks.remind()
    assert ended(offer) == ("GONE", Opening.State.OPEN)
    assert memory.outbox == []
    assert OrmQ.objects.exists(), "the next one's turn is called for"
