"""What an answer means, whatever it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from emr.failures import EMRError, TryLater, Unsure
from emr.replies import LONGEST_WAIT, bare_version, failure_of, parsed, waiting_time

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"])


@given(
    METHODS,
    st.integers(min_value=100, max_value=999),
    st.dictionaries(st.sampled_from(["retry-after", "etag"]), st.text()),
    st.binary(),
    st.text(),
)
def test_every_answer_is_a_success_or_of_a_kind_and_none_is_a_crash(
    method: str, status: int, headers: dict[str, str], body: bytes, kind: str
) -> None:
    found = failure_of(method, status, headers, body, kind, now=NOW)
    assert found is None or isinstance(found, EMRError)
    if found is None:
        assert 200 <= status < 300


@given(st.integers(min_value=200, max_value=599), st.binary())
def test_what_may_have_been_made_is_never_simply_tried_again(status: int, body: bytes) -> None:
    found = failure_of("POST", status, {}, body, "text/html", now=NOW)
    if isinstance(found, TryLater):
        assert status in {423, 425, 429}  # these say that nothing was begun


@given(st.integers(min_value=200, max_value=599), st.binary())
def test_what_may_be_asked_twice_is_never_in_doubt(status: int, body: bytes) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        assert not isinstance(failure_of(method, status, {}, body, "", now=NOW), Unsure)


@given(st.text())
def test_any_header_says_how_long_or_nothing(said: str) -> None:
    wait = waiting_time(said, now=NOW)
    assert wait is None or timedelta() <= wait <= LONGEST_WAIT


def test_a_date_counts_from_now() -> None:
    assert waiting_time("Mon, 23 Nov 2026 08:00:30 GMT", now=NOW) == timedelta(seconds=30)
    assert waiting_time("Mon, 23 Nov 2026 03:00:30 -0500", now=NOW) == timedelta(seconds=30)
    assert waiting_time("Mon, 23 Nov 2026 07:59:00 GMT", now=NOW) == timedelta()
    assert waiting_time("Mon, 23 Nov 2026 08:00:30 -0000", now=NOW) is None  # says no zone


@given(st.binary())
def test_any_bytes_are_an_object_or_nothing(body: bytes) -> None:
    found = parsed(body)
    assert found is None or isinstance(found, dict)


def test_an_etag_is_read_strong_or_weak() -> None:
    assert [bare_version(tag) for tag in ('W/"3"', '"3"', "3", "")] == ["3", "3", "3", ""]
