"""How fast a record system is asked, and when it is left alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from emr import pacing
from emr.failures import (
    BeingEdited,
    Clash,
    EMRError,
    NotOffered,
    Refused,
    TryLater,
    Unauthorized,
    Unsure,
)
from emr.kinds import Vendor
from emr.models import ConnectionState, EMRConnection
from providers.models import Clinic
from tests.factories import ClinicFactory

NOTHING = timedelta()


@pytest.fixture
def connection(clinic: Clinic) -> EMRConnection:
    return EMRConnection.objects.create(
        clinic=clinic,
        name="Record system",
        source_system="there",
        vendor=Vendor.GENERIC_R4.value,
        base_url="http://127.0.0.1:9/r4",
        rate_per_second=2,
        burst=3,
        timeout_seconds=10,
    )


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def state(connection: EMRConnection) -> ConnectionState:
    return ConnectionState.objects.get(connection=connection)


def fail(connection: EMRConnection, error: EMRError, times: int, now: datetime) -> None:
    for _ in range(times):
        pacing.failed(connection, error, now=now)


@pytest.mark.django_db
def test_a_full_bucket_lets_a_burst_through_and_then_as_many_as_the_rate(
    connection: EMRConnection, now: datetime
) -> None:
    assert [pacing.take(connection, now=now) for _ in range(3)] == [NOTHING] * 3

    wait = pacing.take(connection, now=now)
    assert wait == timedelta(seconds=0.5)
    assert pacing.take(connection, now=now + wait / 2) == wait / 2
    assert pacing.take(connection, now=now + wait) == NOTHING
    assert pacing.take(connection, now=now + wait) > NOTHING


@pytest.mark.django_db
def test_a_bucket_holds_no_more_than_the_burst_however_long_nothing_was_asked(
    connection: EMRConnection, now: datetime
) -> None:
    pacing.take(connection, now=now)
    later = now + timedelta(days=3)
    assert [pacing.take(connection, now=later) == NOTHING for _ in range(4)] == [True] * 3 + [False]


@pytest.mark.django_db
def test_a_clock_that_goes_back_makes_no_tokens(connection: EMRConnection, now: datetime) -> None:
    for _ in range(3):
        pacing.take(connection, now=now)
    for minutes in range(1, 5):
        assert pacing.take(connection, now=now - timedelta(minutes=minutes)) > NOTHING
    assert pacing.take(connection, now=now) > NOTHING


@pytest.mark.django_db
@given(
    steps=st.lists(
        st.integers(min_value=0, max_value=2_000).map(lambda ms: timedelta(milliseconds=ms)),
        max_size=25,
    ),
    rate=st.floats(min_value=0.5, max_value=20),
    burst=st.integers(min_value=1, max_value=5),
)
def test_the_database_counts_as_the_formula_does(
    steps: list[timedelta], rate: float, burst: int
) -> None:
    connection = EMRConnection.objects.create(
        clinic=ClinicFactory.create(),
        name="Formula",
        source_system=uuid4().hex,
        vendor="GENERIC_R4",
        rate_per_second=rate,
        burst=burst,
    )
    now, held = timezone.now(), float(burst)
    for step in steps:
        now += step
        held = pacing.refilled(held, since=step, rate=rate, burst=burst)
        if abs(held - 1) < 1e-6:
            return  # too near to say which side of it a rounding falls
        went = pacing.take(connection, now=now) == NOTHING
        assert went == (held >= 1)
        held -= 1 if went else 0


@given(st.integers(min_value=0, max_value=10_000))
def test_a_breaker_opens_for_longer_with_each_failure_and_never_beyond_its_limit(
    failures: int,
) -> None:
    assert pacing.opens_for(failures) <= pacing.opens_for(failures + 1) <= pacing.LONGEST
    assert (pacing.opens_for(failures) > NOTHING) == (failures >= pacing.FAILURES)


@pytest.mark.django_db
@pytest.mark.parametrize("error", [TryLater("503"), Unsure("ReadTimeout")])
def test_five_failures_in_a_row_open_the_breaker(
    connection: EMRConnection, now: datetime, error: EMRError
) -> None:
    fail(connection, error, 4, now)
    assert pacing.take(connection, now=now) == NOTHING
    fail(connection, error, 1, now)

    assert pacing.take(connection, now=now) == pacing.FIRST
    assert pacing.is_left_alone(connection, now=now) == now + pacing.FIRST
    assert state(connection).last_failure == str(type(error).__name__) + f" {error.codes[0]}"


@pytest.mark.django_db
def test_each_failure_beyond_opens_it_for_as_long_as_the_formula_says(
    connection: EMRConnection, now: datetime
) -> None:
    for failures in range(1, 14):
        fail(connection, TryLater("500"), 1, now)
        until = state(connection).open_until
        assert (until - now if until else NOTHING) == pacing.opens_for(failures)


@pytest.mark.django_db
def test_of_all_that_wait_for_an_open_breaker_one_may_try(
    connection: EMRConnection, now: datetime
) -> None:
    fail(connection, TryLater("500"), 5, now)
    over = now + pacing.FIRST

    assert pacing.take(connection, now=over) == NOTHING
    assert pacing.take(connection, now=over) == timedelta(seconds=10) + pacing.PROBE
    pacing.succeeded(connection, now=over)
    assert pacing.take(connection, now=over) == NOTHING
    assert pacing.is_left_alone(connection, now=over) is None


@pytest.mark.django_db
def test_a_try_that_fails_opens_it_for_twice_as_long(
    connection: EMRConnection, now: datetime
) -> None:
    fail(connection, TryLater("500"), 5, now)
    over = now + pacing.FIRST
    pacing.take(connection, now=over)
    fail(connection, TryLater("500"), 1, over)

    assert pacing.is_left_alone(connection, now=over) == over + 2 * pacing.FIRST


@pytest.mark.django_db
def test_a_try_whose_process_died_leaves_the_way_free_for_another(
    connection: EMRConnection, now: datetime
) -> None:
    fail(connection, TryLater("500"), 5, now)
    over = now + pacing.FIRST
    pacing.take(connection, now=over)

    later = over + timedelta(seconds=10) + pacing.PROBE
    assert pacing.take(connection, now=later) == NOTHING


@pytest.mark.django_db
def test_a_success_between_failures_begins_the_count_anew(
    connection: EMRConnection, now: datetime
) -> None:
    fail(connection, TryLater("500"), 4, now)
    pacing.succeeded(connection, now=now)
    fail(connection, TryLater("500"), 4, now)
    assert pacing.take(connection, now=now) == NOTHING


@pytest.mark.django_db
def test_wrong_credentials_open_it_at_once(connection: EMRConnection, now: datetime) -> None:
    fail(connection, Unauthorized("401", "invalid_client"), 1, now)
    assert pacing.is_left_alone(connection, now=now) == now + pacing.LONGEST
    assert state(connection).last_failure == "Unauthorized 401"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "error", [Refused("422"), Clash("412"), BeingEdited("423"), NotOffered("NO_SHOW")]
)
def test_an_answer_that_says_no_is_no_failure_of_the_connection(
    connection: EMRConnection, now: datetime, error: EMRError
) -> None:
    fail(connection, error, 20, now)
    assert pacing.is_left_alone(connection, now=now) is None


@pytest.mark.django_db
def test_a_refusal_shuts_the_breaker_that_a_try_found_open(
    connection: EMRConnection, now: datetime
) -> None:
    fail(connection, TryLater("500"), 5, now)
    over = now + pacing.FIRST
    pacing.take(connection, now=over)
    fail(connection, Refused("404"), 1, over)
    assert pacing.is_left_alone(connection, now=over) is None


@pytest.mark.django_db
def test_a_server_that_asks_for_patience_is_left_alone_until_then_and_not_counted(
    connection: EMRConnection, now: datetime
) -> None:
    fail(connection, TryLater("429", after=timedelta(seconds=90)), 9, now)

    assert pacing.is_left_alone(connection, now=now) == now + timedelta(seconds=90)
    assert pacing.take(connection, now=now) == timedelta(seconds=90)
    assert pacing.take(connection, now=now + timedelta(seconds=90)) == NOTHING


@pytest.mark.django_db
def test_a_shorter_pause_does_not_end_a_longer_one(
    connection: EMRConnection, now: datetime
) -> None:
    fail(connection, TryLater("429", after=timedelta(minutes=9)), 1, now)
    fail(connection, TryLater("429", after=timedelta(seconds=1)), 1, now)
    assert pacing.is_left_alone(connection, now=now) == now + timedelta(minutes=9)


@pytest.mark.django_db
def test_successes_close_together_are_written_once(
    connection: EMRConnection, now: datetime
) -> None:
    pacing.take(connection, now=now)
    pacing.succeeded(connection, now=now)
    pacing.succeeded(connection, now=now + timedelta(seconds=1))
    assert state(connection).last_success_at == now
    later = now + timedelta(seconds=6)
    pacing.succeeded(connection, now=later)
    assert state(connection).last_success_at == later


@pytest.mark.django_db
def test_one_connection_never_slows_another(connection: EMRConnection, now: datetime) -> None:
    other = EMRConnection.objects.create(
        clinic=connection.clinic, name="Other", source_system="other", vendor="GENERIC_R4"
    )
    fail(connection, TryLater("500"), 9, now)
    assert pacing.take(other, now=now) == NOTHING
