"""The words of every reason: exact for staff; for patients plain and without anybody else in it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from providers.models import Clinic, InsurancePlan, Provider, TimeZone, VisitType
from scheduling.availability import FreeSlot, Query
from scheduling.availability.changing import Change, ChangeKind
from scheduling.availability.explaining import Explanation
from scheduling.change_words import (
    PATIENTS,
    STAFF,
    label_for_patients,
    label_for_staff,
    note_for_patients,
    note_for_staff,
)
from scheduling.explained_spans import ahead_words
from scheduling.explanation_plain_words import for_patients
from scheduling.explanation_words import for_staff
from scheduling.explanations import Filter, Finding, Gap, Reason

NOW = datetime(2026, 6, 8, 14, tzinfo=UTC)
MONDAY = NOW.date()
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
CLINIC = Clinic(name="Riverside Clinic", slug="riverside", time_zone=TimeZone("America/New_York"))
DOCTOR = Provider(name="Dr. Amara Diallo", clinic=CLINIC)
KIND = VisitType(code="X", label="Check-up", minutes=40, buffer_after_minutes=10)
QUERY = Query(KIND, MONDAY + DAY, MONDAY + DAY, (CLINIC,))
WITH_DOCTOR = replace(QUERY, provider=DOCTOR)
WEEKS = replace(QUERY, last_day=MONDAY + 200 * DAY)
SLOT = FreeSlot(NOW + 30 * DAY, NOW + 30 * DAY + 40 * MINUTE, DOCTOR, CLINIC)
LATER = Change(ChangeKind.LATER, QUERY, SLOT)
PLAN = InsurancePlan(payer="Acme", name="Gold")
FIRST_BACK = NOW + 11 * DAY


def explained(query: Query, reason: Reason, *changes: Change, **details: Any) -> Explanation:
    return Explanation(query, Finding(reason, **details), changes, NOW)


def gap(longest: int, needed: int = 50, *, beside_visits: bool = True) -> Gap:
    return Gap(NOW + DAY, longest * MINUTE, needed * MINUTE, beside_visits)


@pytest.mark.parametrize(
    ("explanation", "staff", "patient"),
    [
        (
            explained(WITH_DOCTOR, Reason.OUTSIDE_HOURS),
            "Dr. Amara Diallo has no hours on Tuesday, June 9.",
            "Dr. Amara Diallo does not see patients on Tuesday, June 9.",
        ),
        (
            explained(WEEKS, Reason.OUTSIDE_HOURS),
            "Nobody who fits has hours from Tuesday, June 9 to Friday, August 7.",
            "We have no hours for this visit in the next weeks.",
        ),
        (
            explained(QUERY, Reason.TYPE_NOT_ALLOWED),
            "The hours on Tuesday, June 9 are not for this type of visit: Check-up.",
            "We do not offer this kind of visit on Tuesday, June 9.",
        ),
        (
            explained(WITH_DOCTOR, Reason.AWAY, until=FIRST_BACK),
            "Dr. Amara Diallo is away until Friday, June 19.",
            "Dr. Amara Diallo is away on Tuesday, June 9.",
        ),
        (
            explained(WEEKS, Reason.AWAY),
            "Everybody who fits is away from Tuesday, June 9 to Friday, August 7.",
            "The team for this visit is away for now.",
        ),
        (
            explained(QUERY, Reason.CLOSED, until=NOW + 250 * DAY),
            "Closed until Saturday, February 13, 2027: Riverside Clinic.",
            "The clinic is closed on Tuesday, June 9.",
        ),
        (
            explained(QUERY, Reason.GAP_TOO_SHORT, LATER, gap=gap(20)),
            (
                "Booked out until Wednesday, July 8. Longest free gap 20 min; "
                "Check-up needs 50 min with buffers."
            ),
            "No open time on Tuesday, June 9 is long enough for this visit.",
        ),
        (
            explained(QUERY, Reason.GAP_TOO_SHORT, gap=gap(20, beside_visits=False)),
            "Longest free gap 20 min; Check-up needs 50 min with buffers.",
            "No open time on Tuesday, June 9 is long enough for this visit.",
        ),
        (
            explained(QUERY, Reason.GAP_TOO_SHORT, gap=gap(60)),
            (
                "Booked out on Tuesday, June 9. No start time falls into the longest free gap: "
                "1 h, Tuesday, June 9, 10:00 am."
            ),
            "No open time on Tuesday, June 9 is long enough for this visit.",
        ),
        (
            explained(WITH_DOCTOR, Reason.BOOKED),
            "Booked out on Tuesday, June 9.",
            "Dr. Amara Diallo has no times left on Tuesday, June 9.",
        ),
        (
            explained(QUERY, Reason.HELD, until=NOW + 7 * MINUTE),
            "The last free times are being kept; the first may be free again at 10:07 am.",
            "No time is open right now. One may open again in a few minutes.",
        ),
        (
            explained(QUERY, Reason.NOTICE),
            "What is free begins too soon: Check-up is booked at least 1 hour ahead.",
            "Online, this visit can be booked up to 1 hour before it starts.",
        ),
        (
            explained(QUERY, Reason.HORIZON),
            "Check-up can be booked until Saturday, December 5.",
            "Online, you can book this visit for days up to Saturday, December 5.",
        ),
        (
            explained(
                replace(QUERY, not_after=time(11, 59)),
                Reason.FILTERED_OUT,
                filters=frozenset({Filter.TIME_OF_DAY}),
                among_wanted=Reason.OUTSIDE_HOURS,
            ),
            "Free at other times of day, but not in the morning. Nobody has hours then.",
            "There are free times, but not in the morning.",
        ),
        (
            explained(
                replace(QUERY, weekdays=frozenset({5, 6})),
                Reason.FILTERED_OUT,
                filters=frozenset({Filter.WEEKDAY}),
                among_wanted=Reason.BOOKED,
            ),
            "Free on other days, but not on Saturday and Sunday.",
            "There are free times, but on other days of the week.",
        ),
        (
            explained(
                replace(QUERY, weekdays=frozenset({6}), not_before=time(3)),
                Reason.FILTERED_OUT,
                filters=frozenset({Filter.WEEKDAY, Filter.TIME_OF_DAY}),
            ),
            "Free at other times, but not at this time of day on Sunday.",
            "There are free times, but not at this time of day.",
        ),
        (
            explained(QUERY, Reason.FILTERED_OUT, filters=frozenset({Filter.DATES})),
            "These days are over.",
            "These days are over.",
        ),
        (
            explained(QUERY, Reason.FREE_BY_NOW),
            "A time has just come free.",
            "A time has just opened up.",
        ),
        (
            explained(
                replace(WITH_DOCTOR, language="es", insurance_plan=PLAN),
                Reason.NOBODY_MATCHES,
                filters=frozenset({Filter.LANGUAGE, Filter.PLAN, Filter.PROVIDER}),
            ),
            "Dr. Amara Diallo does not take Acme Gold. Dr. Amara Diallo does not speak Spanish.",
            "Dr. Amara Diallo does not take Acme Gold. Dr. Amara Diallo does not speak Spanish.",
        ),
        (
            explained(
                replace(QUERY, language="es"),
                Reason.NOBODY_MATCHES,
                filters=frozenset({Filter.LANGUAGE}),
            ),
            "Nobody who fits the rest speaks Spanish.",
            "For this visit, we found nobody who speaks Spanish.",
        ),
        (
            explained(QUERY, Reason.NOBODY_MATCHES),
            "Nobody here can be booked.",
            "This visit cannot be booked online right now.",
        ),
    ],
    ids=lambda value: value.reason if isinstance(value, Explanation) else "",
)
def test_each_reason_has_words_for_staff_and_for_patients(
    explanation: Explanation, staff: str, patient: str
) -> None:
    assert for_staff(explanation).replace("\xa0", " ") == staff
    assert for_patients(explanation) == patient


@pytest.mark.parametrize("query", [QUERY, WITH_DOCTOR, WEEKS, replace(WEEKS, provider=DOCTOR)])
@pytest.mark.parametrize("reason", list(Reason))
def test_patients_read_short_plain_sentences_about_nobody_else(
    query: Query, reason: Reason
) -> None:
    words = for_patients(explained(query, reason))
    sentences = re.split(r"(?<=[a-z0-9])\. ", words.replace("Dr. ", ""))
    assert max(len(sentence.split()) for sentence in sentences) <= 16
    assert not re.search("booked by|other patient|someone|vacation|sick|buffer|notice|slot", words)


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "0 minutes"), (1, "1 minute"), (90, "90 minutes"), (120, "2 hours"), (2880, "2 days")],
)
def test_notice_is_told_in_the_largest_whole_unit(minutes: int, words: str) -> None:
    assert ahead_words(minutes) == words


def test_a_change_is_named_with_the_first_time_it_finds() -> None:
    found = explained(QUERY, Reason.BOOKED)
    assert note_for_staff(LATER, found).replace("\xa0", " ") == (
        "Wednesday, July 8, 10:00 am, Dr. Amara Diallo"
    )
    assert note_for_patients(LATER, found).replace("\xa0", " ") == (
        "The first is Wednesday, July 8, 10:00 am, with Dr. Amara Diallo."
    )
    assert label_for_staff(replace(LATER, kind=ChangeKind.SHORTER_VISIT), found) == (
        "A shorter visit: Check-up, 40 min"
    )
    assert label_for_staff(replace(LATER, kind=ChangeKind.OTHER_CLINIC), found) == (
        "Another clinic: Riverside Clinic"
    )


def test_less_notice_and_a_day_beyond_the_horizon_have_names_of_their_own() -> None:
    found = explained(QUERY, Reason.NOTICE)
    far = replace(LATER, kind=ChangeKind.LESS_NOTICE)
    soon = replace(far, slot=replace(SLOT, start=NOW + 5 * MINUTE))
    assert label_for_staff(far, found) == "Beyond the last day, with a reason"
    assert label_for_staff(soon, found) == "Less notice, with a reason"


def test_every_change_has_a_name_for_whom_it_is_offered_to() -> None:
    assert set(STAFF) == set(ChangeKind)
    staff_only = {
        ChangeKind.SHORTER_VISIT,
        ChangeKind.OTHER_CLINIC,
        ChangeKind.NEW_PATIENT,
        ChangeKind.LESS_NOTICE,
    }
    assert set(PATIENTS) == set(ChangeKind) - staff_only
    assert label_for_patients(LATER) == "Show a later day"
