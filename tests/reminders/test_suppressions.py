"""Nothing goes where somebody said stop, whoever has it on file and whichever key its index has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import override_settings

from patients.indexes import contact_index
from reminders import reindexing, suppressions
from reminders.kinds import Channel, State
from reminders.models import Delivery, Suppression
from reminders.suppressions import is_suppressed, lift, suppress
from tests.factories import PatientFactory

pytestmark = pytest.mark.django_db
STOP, BOUNCE = Suppression.Cause.STOP, Suppression.Cause.BOUNCE
NUMBER, ADDRESS = "+12125550134", "ada@mail.example"
OLD = "the index key that is to go, long enough to be one"


def silent(count: int) -> None:
    """Nobody watches how far it has come."""


@pytest.fixture
def both_keys(settings: Any) -> Iterator[None]:
    """The index key is changing: what stands in the tables has the old one."""
    with override_settings(BLIND_INDEX_KEY_OLD=OLD):
        yield


def stop(number: str = NUMBER, *, now: datetime) -> None:
    suppress(channel=Channel.SMS, recipient=number, cause=STOP, now=now)


def stopped(number: str = NUMBER) -> bool:
    return is_suppressed(channel=Channel.SMS, recipient=number)


def with_old_key(*, now: datetime, number: str = NUMBER) -> Suppression:
    """Suppress as a process did that knew the old key alone."""
    with override_settings(BLIND_INDEX_KEY=OLD):
        stop(number, now=now)
    return Suppression.objects.latest("id")


def test_a_number_is_suppressed_however_it_is_written(now: datetime) -> None:
    assert not stopped()
    stop("(212) 555-0134", now=now)
    assert stopped()
    assert stopped("1 212 555 0134")
    assert not stopped("+12125550135")
    assert not is_suppressed(channel=Channel.EMAIL, recipient=NUMBER)


def test_an_address_is_suppressed_whatever_its_case(now: datetime) -> None:
    suppress(channel=Channel.EMAIL, recipient=" Ada@Mail.example ", cause=BOUNCE, now=now)
    assert is_suppressed(channel=Channel.EMAIL, recipient=ADDRESS)
    assert not is_suppressed(channel=Channel.SMS, recipient=ADDRESS)


def test_doing_it_twice_leaves_one_row_with_the_first_cause(now: datetime) -> None:
    stop(now=now)
    carrier = Suppression.Cause.CARRIER
    suppress(channel=Channel.SMS, recipient=NUMBER, cause=carrier, now=now + timedelta(days=1))
    row = Suppression.objects.get()
    assert (row.cause, row.since, row.recipient) == (STOP, now, NUMBER)


def test_what_was_lifted_can_be_suppressed_again_and_both_stay_on_record(now: datetime) -> None:
    stop(now=now)
    lift(channel=Channel.SMS, recipient="212-555-0134", now=now)
    assert not stopped()
    stop(now=now)
    assert stopped()
    assert Suppression.objects.filter(lifted_at=now).count() == 1
    assert Suppression.objects.filter(lifted_at=None).count() == 1


def test_lifting_what_was_never_suppressed_does_nothing(now: datetime) -> None:
    stop("+12125550135", now=now)
    lift(channel=Channel.SMS, recipient=NUMBER, now=now)
    assert stopped("+12125550135")


def test_a_short_code_that_is_no_phone_number_can_say_stop(now: datetime) -> None:
    stop("26245", now=now)
    assert stopped(" 26245 ")


@pytest.mark.parametrize("nothing", ["", "  "])
def test_nothing_is_no_recipient(nothing: str, now: datetime) -> None:
    stop(nothing, now=now)
    assert not stopped(nothing)
    assert not Suppression.objects.exists()


def test_a_browser_is_never_suppressed() -> None:
    assert not is_suppressed(channel=Channel.PUSH, recipient="https://push.example/1")


def test_the_database_holds_one_live_row_for_each(now: datetime) -> None:
    stop(now=now)
    index = contact_index("phone", NUMBER)
    again = Suppression(
        channel="SMS", recipient=NUMBER, recipient_index=index, cause=STOP, since=now
    )
    with pytest.raises(IntegrityError, match="suppression_once"), transaction.atomic():
        again.save(force_insert=True)


def test_the_number_stands_nowhere_in_the_row(now: datetime) -> None:
    stop(now=now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(s)::text FROM reminders_suppression s")
        (stored,) = cursor.fetchone()
    assert "5550134" not in stored


@pytest.mark.django_db(transaction=True)
def test_several_that_stop_at_once_are_one(now: datetime) -> None:
    barrier, failed = Barrier(6), list[BaseException]()

    def one() -> None:
        barrier.wait()
        try:
            stop(now=now)
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert Suppression.objects.get().recipient == NUMBER


def test_while_the_key_changes_either_index_counts(now: datetime, both_keys: None) -> None:
    with_old_key(now=now)
    assert stopped()
    stop(now=now)
    assert Suppression.objects.count() == 1
    lift(channel=Channel.SMS, recipient=NUMBER, now=now)
    assert not stopped()


def test_after_reindexing_the_old_key_can_go(now: datetime, both_keys: None) -> None:
    with_old_key(now=now)
    stop("+12125550199", now=now)
    with override_settings(BLIND_INDEX_KEY_OLD=""):
        assert not stopped()  # the control: the new key alone does not find it
    assert suppressions.reindex(silent) == 1
    assert suppressions.reindex(silent) == 0
    with override_settings(BLIND_INDEX_KEY_OLD=""):
        assert stopped()
        assert stopped("+12125550199")


def test_reindexing_joins_what_two_processes_wrote_with_two_keys(
    now: datetime, both_keys: None
) -> None:
    with override_settings(BLIND_INDEX_KEY_OLD=""):
        stop(now=now)
    with_old_key(now=now)
    assert Suppression.objects.count() == 2
    suppressions.reindex(silent)
    with override_settings(BLIND_INDEX_KEY_OLD=""):
        assert stopped()
    assert Suppression.objects.count() == 1


def test_the_command_reindexes_suppressions_and_recent_deliveries(
    now: datetime, both_keys: None, capsys: Any
) -> None:
    patient = PatientFactory.create(phone=NUMBER)
    with_old_key(now=now)
    with override_settings(BLIND_INDEX_KEY=OLD):
        index = contact_index("phone", NUMBER)
    sent, gone = (
        Delivery.objects.create(
            patient=patient,
            channel=Channel.SMS.value,
            kinds=["REMINDER"],
            state=State.SENT.value,
            recipient_index=digest,
            not_before=now,
            not_after=now,
        )
        for digest in (index, b"of a number no longer on file")
    )
    call_command("rotate_keys")
    sent.refresh_from_db()
    gone.refresh_from_db()
    with override_settings(BLIND_INDEX_KEY_OLD=""):
        assert stopped()
        assert bytes(sent.recipient_index) == contact_index("phone", NUMBER)
    assert bytes(gone.recipient_index) == b"of a number no longer on file"
    assert reindexing.reindex(silent) == 0
