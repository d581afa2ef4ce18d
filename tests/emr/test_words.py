"""Every state, reason, task and conflict has words, and a code that nobody knows is shown."""

from __future__ import annotations

import pytest

from emr import words
from emr.kinds import Arrival, ConflictKind, Source, State, TaskKind, Vendor, What, Why
from emr.log_rows import sent_row
from emr.models import EMRConnection
from providers.models import Provider, VisitType
from scheduling.models import Appointment
from tests.factories import AppointmentFactory
from tests.factories.emr import EMRConnectionFactory
from tests.factories.emr_work import message_of

NEED_NO_HELP = {Why.NONE, Why.NOTHING_TO_SAY, Why.UNDONE, Why.SUPERSEDED, Why.BY_HAND}


@pytest.fixture
def connection(visit: Appointment) -> EMRConnection:
    return EMRConnectionFactory.create(clinic=visit.clinic)


@pytest.fixture
def visit(provider: Provider, visit_type: VisitType) -> Appointment:
    return AppointmentFactory.create(provider=provider, visit_type=visit_type)


def test_every_kind_has_words() -> None:
    assert set(words.STATES) == set(State)
    assert set(words.ARRIVALS) == set(Arrival)
    assert set(words.CONFLICTS) == set(ConflictKind)
    assert set(words.TASKS) == set(TaskKind)
    assert set(words.VENDORS) == set(Vendor)
    assert set(words.SOURCES) == set(Source)
    assert set(words.WHYS) == set(Why) - {Why.NONE}


@pytest.mark.parametrize("why", sorted(set(Why) - NEED_NO_HELP))
def test_every_reason_that_needs_somebody_says_what_helps(why: Why) -> None:
    assert words.why_words(why).endswith(".")
    assert words.help_words(why).endswith(".")


@pytest.mark.parametrize("why", sorted(NEED_NO_HELP))
def test_the_others_ask_nothing_of_anybody(why: Why) -> None:
    assert words.help_words(why) == ""


def test_codes_become_sentences_each_once_and_in_order() -> None:
    told = words.code_words(["412", "conflict", "business-rule", "x-unheard-of"])
    assert told == [
        "The entry was changed there meanwhile.",
        "A rule of the record system forbids it.",
    ]


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        ("Unauthorized 401", "It does not accept our credentials."),
        ("TryLater ConnectTimeout", "It could not be reached."),
        ("Unsure x-unheard-of", "It answered: Unsure x-unheard-of."),
        ("", ""),
    ],
)
def test_a_connections_last_failure_is_told_by_its_code(kept: str, says: str) -> None:
    assert words.failure_words(kept) == says


def test_what_a_message_tells_has_words_for_every_act() -> None:
    assert words.what_words(What.NOTE, "COMPLETE") == "Draft note of the visit"
    assert words.what_words(What.PATIENT, "") == "Patient's record"
    assert words.what_words(What.VISIT, "MOVE") == "Visit moved"
    assert words.what_words(What.VISIT, "SOMETHING_NEW") == "Visit"


@pytest.mark.django_db
def test_a_code_without_words_is_shown_as_it_is(
    visit: Appointment, connection: EMRConnection
) -> None:
    message = message_of(visit, connection, why="", codes=["x-unheard-of"])
    assert sent_row(message).why == ("x-unheard-of",)
