"""Vendors are believed by their signature over what they sent, and nobody else; replays, odd
bodies and things that are none of ours change nothing."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from patients.indexes import contact_index
from patients.models import AuditEntry
from patients.models.audit import Act, Outcome
from reminders import suppressions
from reminders.kinds import Channel, State
from reminders.models import ConsentChange, Delivery, InboundText, Suppression, VendorReport
from tests.reminders.texting import (
    NUMBER,
    OTHER_NUMBER,
    OURS,
    asked_visit,
    status,
    texted,
    visit_of,
)

pytestmark = pytest.mark.django_db
ACCOUNT, TOKEN = "AC" + "1" * 32, "the account's token"
SITE = "https://clinic.example"
STATUS, TEXTS, EVENTS = ("hooks:twilio_status", "hooks:twilio_inbound", "hooks:sendgrid_events")
ADDRESS = "ada@mail.example"
KEY = ec.generate_private_key(ec.SECP256R1())
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def _vendors(settings: Any) -> None:
    settings.SITE_URL = SITE
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = ACCOUNT, TOKEN
    settings.SENDGRID_EVENT_KEY = public(KEY)
    settings.LOOKS_MUST_BE_RECORDED = True


def public(key: ec.EllipticCurvePrivateKey) -> str:
    """Return a public key as SendGrid shows it: base64 without the lines around it."""
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def twilio(name: str, *, token: str = TOKEN, query: str = "", **form: str) -> int:
    """Post a form as Twilio does, signed with its own library; return the status."""
    path = reverse(name) + query
    form = {"AccountSid": ACCOUNT, **form}
    signature = RequestValidator(token).compute_signature(SITE + path, form)
    return post(path, urlencode(form).encode(), {"X-Twilio-Signature": signature})


def post(path: str, body: bytes, headers: dict[str, str], *, kind: str = FORM) -> int:
    """Post bytes from the internet: no cookie, no token of ours."""
    answer = Client(enforce_csrf_checks=True).post(path, body, kind, headers=headers)
    if answer.status_code not in {200, 204}:
        assert answer.content == b""  # who is turned away learns nothing
    return answer.status_code


def sendgrid(
    *events: Any,
    key: ec.EllipticCurvePrivateKey = KEY,
    at: float = 0,
    alter: Callable[[bytes], bytes] = bytes,
) -> int:
    """Post events as SendGrid does: signed over timestamp and bytes, then perhaps altered."""
    return raw_events(json.dumps(events).encode(), key=key, at=at, alter=alter)


def raw_events(
    body: bytes,
    *,
    key: ec.EllipticCurvePrivateKey = KEY,
    at: float = 0,
    alter: Callable[[bytes], bytes] = bytes,
) -> int:
    timestamp = str(int(at or time.time()))
    signed = key.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signed).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
    }
    return post(reverse(EVENTS), alter(body), headers, kind="application/json")


def event(sent: Delivery, name: str, **more: Any) -> dict[str, Any]:
    return {
        "event": name,
        "email": ADDRESS,
        "timestamp": int(time.time()),
        "sg_event_id": f"event-{name}",
        "sg_message_id": f"{sent.vendor_id}.filter0001.16648.5515E0B88.0",
        "delivery": str(sent.pk),
        **more,
    }


@pytest.fixture
def sms() -> Delivery:
    return texted(visit_of(), state=State.SENT)


@pytest.fixture
def mail() -> Delivery:
    visit = visit_of()
    sent = texted(visit, state=State.SENT, channel=Channel.EMAIL)
    sent.vendor, sent.vendor_id = "sendgrid", "14c5d75ce93"
    sent.recipient_index = contact_index("email", ADDRESS)
    sent.save()
    return sent


def state(sent: Delivery) -> str:
    return Delivery.objects.get(pk=sent.pk).state


def told(sent: Delivery, word: str, **more: str) -> int:
    form = {"MessageSid": sent.vendor_id, "MessageStatus": word, "To": NUMBER}
    return twilio(STATUS, **{**form, **more})


def test_a_status_of_twilios_reaches_the_ledger(sms: Delivery) -> None:
    assert told(sms, "delivered") == 204
    assert state(sms) == State.DELIVERED


def test_a_text_is_known_by_the_name_that_we_gave_it(sms: Delivery) -> None:
    """The vendor's report may be quicker than its answer, which brings its own name for it."""
    Delivery.objects.filter(pk=sms.pk).update(vendor_id="", state=State.UNKNOWN.value)
    form = {"MessageSid": f"SM{99:032x}", "MessageStatus": "sent", "To": NUMBER}
    assert twilio(STATUS, query=f"?delivery={sms.pk}", **form) == 204
    assert state(sms) == State.SENT


def test_reports_in_any_order_and_any_number_end_the_same(sms: Delivery) -> None:
    for word in ("delivered", "sent", "queued", "delivered", "sent"):
        assert told(sms, word) == 204
    assert state(sms) == State.DELIVERED
    assert VendorReport.objects.count() == 3


def test_a_number_that_the_carrier_refuses_is_suppressed(sms: Delivery) -> None:
    assert told(sms, "undelivered", ErrorCode="21610") == 204
    assert suppressions.is_suppressed(channel=Channel.SMS, recipient=NUMBER)
    assert Suppression.objects.get().cause == Suppression.Cause.CARRIER
    change = ConsentChange.objects.get()
    assert (change.patient, change.given, change.source) == (sms.patient, False, "VENDOR")
    told(sms, "failed", ErrorCode="21610")
    assert ConsentChange.objects.count() == 1


def test_a_report_suppresses_only_the_number_that_our_message_went_to(sms: Delivery) -> None:
    assert told(sms, "undelivered", ErrorCode="21610", To=OTHER_NUMBER) == 204
    assert not Suppression.objects.exists()


def test_a_message_that_is_none_of_ours_changes_nothing() -> None:
    form = {"MessageSid": f"SM{1:032x}", "MessageStatus": "undelivered", "ErrorCode": "21610"}
    assert twilio(STATUS, To=NUMBER, **form) == 204
    assert not Suppression.objects.exists()
    assert not Delivery.objects.exists()


def test_words_and_fields_that_are_new_to_us_are_left_alone(sms: Delivery) -> None:
    assert told(sms, "teleported") == 204
    assert told(sms, "delivered", Brand="new", RawDlrDoneDate="2605041200") == 204
    assert state(sms) == State.DELIVERED


def test_a_text_is_taken_and_answered_by_nothing() -> None:
    visit = asked_visit()
    form = {"MessageSid": f"SM{5:032x}", "From": NUMBER, "To": OURS, "Body": "Sí"}
    assert twilio(TEXTS, **form) == 200
    assert status(visit) == "CONFIRMED"
    row = AuditEntry.objects.get(page=TEXTS, action=Act.ACCESS)
    assert (row.system_actor, row.purpose) == ("system:reminders", "text_received")
    assert row.patient_ids == [visit.patient_id]


def test_a_text_that_is_sent_again_is_taken_once() -> None:
    form = {"MessageSid": f"SM{5:032x}", "From": NUMBER, "To": OURS, "Body": "Hello"}
    for _ in range(3):
        assert twilio(TEXTS, **form) == 200
    assert InboundText.objects.count() == 1


def test_a_text_without_sender_or_number_is_left_alone() -> None:
    assert twilio(TEXTS, MessageSid=f"SM{5:032x}", Body="Hello") == 200
    assert twilio(TEXTS, MessageSid="5", From=NUMBER, Body="Hello") == 200
    assert not InboundText.objects.exists()


def test_a_carrier_that_stopped_by_itself_is_believed() -> None:
    form = {"MessageSid": f"SM{5:032x}", "From": NUMBER, "Body": "Basta", "OptOutType": "STOP"}
    assert twilio(TEXTS, **form) == 200
    assert suppressions.is_suppressed(channel=Channel.SMS, recipient=NUMBER)


@pytest.mark.parametrize("name", [STATUS, TEXTS])
def test_another_token_or_account_is_turned_away(name: str, sms: Delivery) -> None:
    form = {"MessageSid": sms.vendor_id, "MessageStatus": "delivered", "From": NUMBER}
    assert twilio(name, token="another token", **form) == 403
    assert twilio(name, **{**form, "AccountSid": "AC" + "2" * 32}) == 403
    assert state(sms) == State.SENT
    assert not InboundText.objects.exists()


@pytest.mark.parametrize("name", [STATUS, TEXTS])
def test_each_altered_part_is_turned_away(name: str, sms: Delivery) -> None:
    form = {"AccountSid": ACCOUNT, "MessageSid": sms.vendor_id, "MessageStatus": "sent"}
    path, url = reverse(name), SITE + reverse(name)
    signature = RequestValidator(TOKEN).compute_signature(url, form)
    head, good = {"X-Twilio-Signature": signature}, urlencode(form)
    assert post(path, good.encode(), head) in {200, 204}
    assert post(path, good.replace("sent", "delivered").encode(), head) == 403
    assert post(path, f"{good}&Body=STOP".encode(), head) == 403
    assert post(path, f"{good}&MessageStatus=sent".encode(), head) == 403  # twice is once to it
    assert post(f"{path}?delivery={sms.pk}", good.encode(), head) == 403
    assert post(path, good.encode(), {"X-Twilio-Signature": signature[:-1]}) == 403
    assert post(path, good.encode(), {}) == 403


def test_a_signature_is_for_one_address_alone(sms: Delivery) -> None:
    form = {"AccountSid": ACCOUNT, "MessageSid": f"SM{5:032x}", "From": NUMBER, "Body": "STOP"}
    signature = RequestValidator(TOKEN).compute_signature(SITE + reverse(STATUS), form)
    head = {"X-Twilio-Signature": signature}
    assert post(reverse(TEXTS), urlencode(form).encode(), head) == 403
    assert post(reverse(STATUS), urlencode(form).encode(), head) == 204


def test_the_host_that_a_request_names_does_not_count() -> None:
    form = {"AccountSid": ACCOUNT, "MessageSid": f"SM{5:032x}", "From": NUMBER, "Body": "Hi"}
    path = reverse(TEXTS)
    there = RequestValidator(TOKEN).compute_signature(f"http://localhost{path}", form)
    head = {"X-Twilio-Signature": there, "Host": "localhost"}
    assert post(path, urlencode(form).encode(), head) == 403


@pytest.mark.parametrize("unset", ["TWILIO_AUTH_TOKEN", "TWILIO_ACCOUNT_SID"])
def test_without_a_token_nothing_of_twilios_is_believed(unset: str, settings: Any) -> None:
    setattr(settings, unset, "")
    form = {"MessageSid": f"SM{5:032x}", "From": NUMBER, "Body": "STOP", "AccountSid": ""}
    for token in ("", TOKEN):
        assert twilio(TEXTS, token=token, **form) == 403
    assert not Suppression.objects.exists()


def test_events_of_sendgrids_reach_the_ledger(mail: Delivery) -> None:
    assert sendgrid(event(mail, "processed"), event(mail, "delivered")) == 204
    assert state(mail) == State.DELIVERED


def test_an_event_finds_its_message_by_either_name(mail: Delivery) -> None:
    assert sendgrid(event(mail, "delivered", sg_message_id="")) == 204
    assert state(mail) == State.DELIVERED
    Delivery.objects.filter(pk=mail.pk).update(state=State.SENT.value)
    assert sendgrid(event(mail, "delivered", delivery="", sg_event_id="another")) == 204
    assert state(mail) == State.DELIVERED


def test_events_again_and_in_any_order_end_the_same(mail: Delivery) -> None:
    batch = [event(mail, name) for name in ("delivered", "processed", "deferred", "delivered")]
    for _ in range(2):
        assert sendgrid(*batch) == 204
    assert state(mail) == State.DELIVERED
    assert VendorReport.objects.count() == 3


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ({"event": "bounce", "type": "bounce"}, "BOUNCE"),
        ({"event": "bounce", "type": "blocked"}, None),
        ({"event": "spamreport"}, "COMPLAINT"),
        ({"event": "unsubscribe"}, "UNSUBSCRIBED"),
        ({"event": "dropped", "reason": "Bounced Address"}, None),
    ],
)
def test_an_address_that_cannot_or_will_not_have_mail_is_suppressed(
    more: dict[str, str], cause: str | None, mail: Delivery
) -> None:
    assert sendgrid(event(mail, **{"name": more["event"], **more})) == 204
    assert suppressions.is_suppressed(channel=Channel.EMAIL, recipient=ADDRESS) == bool(cause)
    assert [row.cause for row in Suppression.objects.all()] == ([cause] if cause else [])


def test_an_event_about_another_address_suppresses_nothing(mail: Delivery) -> None:
    assert sendgrid(event(mail, "bounce", email="eve@mail.example")) == 204
    assert not Suppression.objects.exists()


def test_events_of_nothing_of_ours_change_nothing(mail: Delivery) -> None:
    stranger = {"delivery": "no such", "sg_message_id": "nor.this"}
    assert sendgrid(event(mail, "bounce", **stranger), "odd", None, 7, []) == 204
    assert state(mail) == State.SENT


def test_an_altered_byte_is_turned_away(mail: Delivery) -> None:
    body = event(mail, "delivered")
    assert sendgrid(body, alter=lambda sent: sent.replace(b"delivered", b"bounced!!")) == 403
    assert sendgrid(body, alter=lambda sent: sent + b" ") == 403
    assert sendgrid(body, alter=lambda sent: sent[:-1] + b"\xff") == 403
    assert state(mail) == State.SENT


def test_another_key_is_turned_away(mail: Delivery) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    assert sendgrid(event(mail, "delivered"), key=other) == 403
    assert state(mail) == State.SENT


@pytest.mark.parametrize("minutes", [-11, 11, -60 * 24])
def test_what_was_signed_long_ago_or_is_to_be_is_turned_away(minutes: int, mail: Delivery) -> None:
    assert sendgrid(event(mail, "delivered"), at=time.time() + minutes * 60) == 403
    assert state(mail) == State.SENT


def test_the_window_is_a_setting(mail: Delivery, settings: Any) -> None:
    settings.WEBHOOK_WINDOW_SECONDS = 3600
    late = time.time() - timedelta(minutes=30).total_seconds()
    assert sendgrid(event(mail, "delivered"), at=late) == 204


@pytest.mark.parametrize("odd", ["", "soon", "1e9", "-1", "١٢٣", "9" * 40])
@pytest.mark.parametrize("signature", ["", "AAAA", "not base64 at all", "====", "ü"])
def test_odd_headers_are_turned_away(odd: str, signature: str) -> None:
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": odd,
    }
    assert post(reverse(EVENTS), b"[]", headers, kind="application/json") == 403
    headers["X-Twilio-Email-Event-Webhook-Timestamp"] = str(int(time.time()))
    assert post(reverse(EVENTS), b"[]", headers, kind="application/json") == 403
    assert post(reverse(TEXTS), b"a=1", {"X-Twilio-Signature": signature}) == 403


def test_without_a_key_nothing_of_sendgrids_is_believed(mail: Delivery, settings: Any) -> None:
    settings.SENDGRID_EVENT_KEY = ""
    assert sendgrid(event(mail, "delivered")) == 403


def test_a_key_that_is_none_is_a_fault_of_the_settings(mail: Delivery, settings: Any) -> None:
    settings.SENDGRID_EVENT_KEY = "no key"
    with pytest.raises(ImproperlyConfigured, match="SENDGRID_EVENT_KEY"):
        sendgrid(event(mail, "delivered"))


@pytest.mark.parametrize("body", [b"{}", b'{"event": 1}', b"[", b"7", b"[" * 100_000])
def test_what_is_signed_and_no_list_of_events_is_a_bad_request(body: bytes) -> None:
    assert raw_events(body) == 400


def test_too_much_is_refused_before_it_is_looked_at(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    big = b"a=" + b"x" * 2_000
    assert post(reverse(TEXTS), big, {"X-Twilio-Signature": "AAAA"}) == 413
    assert raw_events(b"[" + b" " * 2_000 + b"]") == 413


def test_too_many_fields_are_a_bad_request(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 3
    assert twilio(STATUS, **{f"Field{n}": "x" for n in range(9)}) == 400


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/x"])
def test_another_type_of_content_is_refused(kind: str) -> None:
    assert post(reverse(TEXTS), b"a=1", {"X-Twilio-Signature": "AAAA"}, kind=kind) == 415


def test_a_refusal_stands_in_the_record_without_a_patient() -> None:
    asked_visit()
    assert twilio(TEXTS, token="x", MessageSid=f"SM{5:032x}", From=NUMBER, Body="YES") == 403
    row = AuditEntry.objects.get(page=TEXTS)
    assert (row.outcome, row.patient_ids) == (Outcome.DENIED, [])


@pytest.mark.parametrize("name", [STATUS, TEXTS, EVENTS])
def test_only_posts_are_taken(name: str) -> None:
    for method in ("get", "head", "put", "delete", "options"):
        assert getattr(Client(), method)(reverse(name)).status_code == 405


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(
    ["event", "email", "timestamp", "sg_event_id", "sg_message_id", "delivery", "type", "reason"]
)
names = st.sampled_from(["delivered", "bounce", "dropped", "spamreport", "deferred"])
odd_events = st.dictionaries(fields, json_values).flatmap(
    lambda odd: names.map(lambda name: {"event": name, "sg_event_id": "1", **odd})
)
many = hypothesis_settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@many
@given(batch=st.lists(odd_events | json_values, max_size=4))
def test_no_signed_batch_is_a_fault(batch: list[Any]) -> None:
    assert sendgrid(*batch) == 204


@many
@given(
    form=st.dictionaries(
        st.sampled_from(["MessageStatus", "To", "ErrorCode", "From", "Body", "OptOutType"])
        | st.text(max_size=5),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
        | st.sampled_from(["STOP", "YES", "2", "START", NUMBER, "undelivered", "21610"]),
        max_size=6,
    ),
    name=st.sampled_from([STATUS, TEXTS]),
)
def test_no_signed_form_is_a_fault(form: dict[str, str], name: str) -> None:
    form = {key.encode("utf-8", "replace").decode(): value for key, value in form.items()}
    sent = {**form, "MessageSid": f"SM{abs(hash(str(form))) % 16**8:032x}", "AccountSid": ACCOUNT}
    path = reverse(name)
    signature = RequestValidator(TOKEN).compute_signature(SITE + path, sent)
    assert post(path, urlencode(sent).encode(), {"X-Twilio-Signature": signature}) in {200, 204}


@many
@given(body=st.binary(min_size=1, max_size=200), name=st.sampled_from([STATUS, TEXTS, EVENTS]))
def test_no_bytes_of_a_strangers_are_a_fault(body: bytes, name: str) -> None:
    kind = "application/json" if name == EVENTS else FORM
    headers = {
        "X-Twilio-Signature": "AAAA",
        "X-Twilio-Email-Event-Webhook-Signature": "AAAA",
        "X-Twilio-Email-Event-Webhook-Timestamp": str(int(time.time())),
    }
    assert post(reverse(name), body, headers, kind=kind) in {400, 403}
