from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from patients import codes
from patients.codes import CodeEnded, CodeRefused, Purpose, WrongCode, redeem, request_code
from patients.models import OneTimeCode, Patient, contact_index
from patients.throttle import TooManyRequests
from reminders.channels.memory import outbox
from reminders.models import Notice

BROWSER, OTHER_BROWSER = "ab" * 32, "cd" * 32
EMAIL = "ada@mail.example"
MOBILE = "+12012340123"
MINUTE = timedelta(minutes=1)

Commit = Callable[..., AbstractContextManager[list[Callable[[], object]]]]
Ask = Callable[..., UUID]


@pytest.fixture
def ask(now: datetime, django_capture_on_commit_callbacks: Commit) -> Ask:
    """Ask for a code and let the worker do its part."""

    def ask(contact: str = EMAIL, *, purpose: Purpose = Purpose.SIGN_IN, **given: object) -> UUID:
        wanted = {"browser": BROWSER, "network": "ef" * 32, "now": now, **given}
        with django_capture_on_commit_callbacks(execute=True):
            return request_code(purpose=purpose, contact=contact, **wanted)  # type: ignore[arg-type]

    return ask


@pytest.fixture
def on_file(patient: Patient) -> Patient:
    patient.email = EMAIL
    patient.save()
    return patient


def code_in_mail() -> str:
    found = re.search(r"\d{4} \d{4}", str(mail.outbox[-1].body))
    assert found is not None
    return found.group()


def use(code_id: UUID, code: str, now: datetime, **given: str) -> OneTimeCode:
    wanted = {"browser": BROWSER, **given}
    return redeem(purpose=Purpose.SIGN_IN, code_id=code_id, code=code, now=now, **wanted)


def test_a_code_sent_to_a_contact_on_file_proves_that_contact(
    ask: Ask, on_file: Patient, now: datetime
) -> None:
    code_id = ask()

    assert mail.outbox[0].to == [EMAIL]
    spent = use(code_id, code_in_mail(), now)
    assert bytes(spent.contact_index) == contact_index("email", EMAIL)


def test_spaces_and_dashes_in_a_code_do_not_count(
    ask: Ask, on_file: Patient, now: datetime
) -> None:
    code_id = ask()

    use(code_id, f"  {code_in_mail().replace(' ', '-')} ", now)


def test_a_code_works_once(ask: Ask, on_file: Patient, now: datetime) -> None:
    code_id, code = ask(), code_in_mail()
    use(code_id, code, now)

    with pytest.raises(CodeEnded):
        use(code_id, code, now)


def test_a_code_works_for_ten_minutes(ask: Ask, on_file: Patient, now: datetime) -> None:
    code_id, code = ask(), code_in_mail()

    with pytest.raises(CodeEnded):
        use(code_id, code, now + 10 * MINUTE)
    use(code_id, code, now + 9.9 * MINUTE)


def test_another_browser_cannot_use_a_code(ask: Ask, on_file: Patient, now: datetime) -> None:
    code_id, code = ask(), code_in_mail()

    with pytest.raises(CodeEnded):
        use(code_id, code, now, browser=OTHER_BROWSER)


def test_a_code_for_a_booking_signs_nobody_in(ask: Ask, on_file: Patient, now: datetime) -> None:
    code_id = ask(purpose=Purpose.BOOKING)

    with pytest.raises(CodeEnded):
        use(code_id, code_in_mail(), now)


def test_a_code_does_not_prove_another_address(ask: Ask, on_file: Patient, now: datetime) -> None:
    code_id = ask()

    with pytest.raises(CodeEnded):
        use(code_id, code_in_mail(), now, contact="other@mail.example")


def test_five_wrong_tries_burn_a_code(ask: Ask, on_file: Patient, now: datetime) -> None:
    code_id, code = ask(), code_in_mail()
    wrong = "0000 0001" if code != "0000 0001" else "0000 0002"

    for _ in range(4):
        with pytest.raises(WrongCode) as refusal:
            use(code_id, wrong, now)
        assert refusal.value.can_try_again
    with pytest.raises(CodeEnded):
        use(code_id, wrong, now)

    with pytest.raises(CodeEnded):
        use(code_id, code, now)


def test_an_unknown_contact_gets_a_row_but_no_mail(
    ask: Ask, on_file: Patient, now: datetime
) -> None:
    code_id = ask("nobody@mail.example")

    assert mail.outbox == []
    row = OneTimeCode.objects.get(pk=code_id)
    assert row.contact == ""
    assert bytes(row.code_digest) == b""


@pytest.mark.parametrize("tries", range(1, 6))
def test_a_wrong_code_is_answered_alike_for_known_and_unknown_contacts(
    ask: Ask, on_file: Patient, now: datetime, tries: int
) -> None:
    answers = []
    for email in (EMAIL, "nobody@mail.example"):
        code_id = ask(email)
        for _ in range(tries):
            with pytest.raises(CodeRefused) as refusal:
                use(code_id, "not it", now)
        answers.append((type(refusal.value), str(refusal.value)))

    assert answers[0] == answers[1]


def test_asking_runs_the_same_statements_for_known_and_unknown_contacts(
    on_file: Patient, now: datetime, django_capture_on_commit_callbacks: Commit
) -> None:
    seen = []
    for email in (EMAIL, "nobody@mail.example"):
        with (
            CaptureQueriesContext(connection) as queries,
            django_capture_on_commit_callbacks() as due,
        ):
            request_code(
                purpose=Purpose.SIGN_IN, contact=email, browser=BROWSER, network="ef" * 32, now=now
            )
        statements = [
            re.sub(r"'[^']*'|\"s\d+_x\d+\"|\b\d+\b", "?", query["sql"]) for query in queries
        ]
        seen.append((statements, len(due)))

    assert seen[0] == seen[1]


def test_a_booking_code_is_sent_to_an_address_that_nobody_has_on_file(ask: Ask, db: None) -> None:
    ask("new@mail.example", purpose=Purpose.BOOKING)

    assert mail.outbox[0].to == ["new@mail.example"]
    assert "Nothing is booked before you have typed it" in mail.outbox[0].body


def test_the_mail_says_neither_the_code_in_its_subject_nor_who_the_patient_is(
    ask: Ask, on_file: Patient
) -> None:
    ask()

    assert not re.search(r"\d", str(mail.outbox[0].subject))
    assert on_file.given_name not in mail.outbox[0].body


def test_neither_code_nor_contact_is_kept_after_sending(ask: Ask, on_file: Patient) -> None:
    code_id = ask()

    row = OneTimeCode.objects.get(pk=code_id)
    assert row.contact == ""
    assert code_in_mail().replace(" ", "").encode() not in bytes(row.code_digest)


def test_the_worker_is_given_an_id_and_a_language_only(
    on_file: Patient, now: datetime, django_capture_on_commit_callbacks: Commit
) -> None:
    with django_capture_on_commit_callbacks() as due:
        code_id = request_code(
            purpose=Purpose.SIGN_IN, contact=EMAIL, browser=BROWSER, network="ef" * 32, now=now
        )

    assert due[0].args == ("reminders.tasks.dispatch",)  # type: ignore[attr-defined]
    notice = Notice.objects.get()
    assert (notice.code_id, notice.language, notice.details) == (code_id, "en", {})
    assert (notice.patient, notice.clinic, notice.subject) == (None, None, str(code_id))


def test_a_worker_that_comes_too_late_sends_nothing(
    on_file: Patient, now: datetime, django_capture_on_commit_callbacks: Commit
) -> None:
    with django_capture_on_commit_callbacks() as due:
        code_id = request_code(
            purpose=Purpose.SIGN_IN, contact=EMAIL, browser=BROWSER, network="ef" * 32, now=now
        )
    with time_machine.travel(now + 11 * MINUTE):
        due[0]()

    assert mail.outbox == []
    assert OneTimeCode.objects.get(pk=code_id).contact == ""


def test_a_code_goes_by_text_to_a_number_on_file(ask: Ask, patient: Patient, now: datetime) -> None:
    patient.phone, patient.phone_is_textable = MOBILE, True
    patient.save()
    texts = len(outbox)
    code_id = ask(MOBILE)

    assert mail.outbox == []
    (text,) = outbox[texts:]
    assert text.message.to == MOBILE
    found = re.search(r"\d{4} ?\d{4}", text.message.text)
    assert found is not None
    spent = use(code_id, found.group(), now, contact=MOBILE)
    assert spent.contact_indexes == [contact_index("phone", MOBILE)]


def test_a_number_that_nobody_has_gets_a_row_but_no_text(ask: Ask, patient: Patient) -> None:
    texts = len(outbox)
    row = OneTimeCode.objects.get(pk=ask(MOBILE))

    assert len(outbox) == texts
    assert (row.channel, row.contact, bytes(row.code_digest)) == ("SMS", "", b"")


def test_asking_by_number_runs_the_same_statements_whoever_has_it(
    patient: Patient, now: datetime, django_capture_on_commit_callbacks: Commit
) -> None:
    patient.phone, patient.phone_is_textable = MOBILE, True
    patient.save()
    seen = []
    for number in (MOBILE, "+12015550199"):
        with (
            CaptureQueriesContext(connection) as queries,
            django_capture_on_commit_callbacks() as due,
        ):
            request_code(
                purpose=Purpose.SIGN_IN, contact=number, browser=BROWSER, network="ef" * 32, now=now
            )
        said = [re.sub(r"'[^']*'|\"s\d+_x\d+\"|\b\d+\b", "?", query["sql"]) for query in queries]
        seen.append((said, len(due)))

    assert seen[0] == seen[1]


def test_a_code_that_is_made_twice_opens_by_the_last_one_only(
    on_file: Patient, now: datetime, django_capture_on_commit_callbacks: Commit
) -> None:
    with django_capture_on_commit_callbacks():
        code_id = request_code(
            purpose=Purpose.SIGN_IN, contact=EMAIL, browser=BROWSER, network="ef" * 32, now=now
        )
    row = OneTimeCode.objects.get(pk=code_id)
    first, second = codes.make(row), codes.make(row)

    assert first is not None and second is not None
    with pytest.raises(WrongCode):
        use(code_id, first, now)
    use(code_id, second, now)
    assert codes.make(row) is None


def test_a_contact_gets_five_codes_in_fifteen_minutes_and_another_one_later(
    ask: Ask, on_file: Patient, now: datetime
) -> None:
    for _ in range(5):
        ask()

    with pytest.raises(TooManyRequests):
        ask()
    ask("someone.else@mail.example")
    ask(now=now + 15 * MINUTE)


def test_an_unknown_contact_is_throttled_like_a_known_one(ask: Ask, db: None) -> None:
    for _ in range(5):
        ask("nobody@mail.example")

    with pytest.raises(TooManyRequests):
        ask("nobody@mail.example")


def test_a_network_gets_twenty_codes_in_fifteen_minutes(ask: Ask, db: None) -> None:
    with time_machine.travel("2026-06-09T15:00:00Z", tick=False):
        for n in range(20):
            ask(f"n{n}@mail.example")
        with pytest.raises(TooManyRequests):
            ask("one.more@mail.example")
        ask("elsewhere@mail.example", network="01" * 32)
    with time_machine.travel("2026-06-09T15:15:00Z", tick=False):
        ask("one.more@mail.example")


def test_codes_are_swept_a_day_after_they_ended(ask: Ask, db: None, now: datetime) -> None:
    ask()

    assert codes.sweep(now + timedelta(days=1)) == 0
    assert codes.sweep(now + timedelta(days=1) + 11 * MINUTE) == 1


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield
