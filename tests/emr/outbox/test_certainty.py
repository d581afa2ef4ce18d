"""Who is linked without a look, and who never is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from emr.outbox.certainty import RULES, Told, certain, likenesses, rule_for
from patients.matching import Facts

MRN = ("urn:h", "77")
ADA = Facts(
    given="Ada",
    family="Moreno",
    dob=date(1984, 2, 29),
    sex="female",
    phone="+12125550100",
    email="ada@mail.example",
    member="M-1",
    numbers=frozenset({MRN}),
)
PLAIN = Facts(given="Ada", family="Moreno", dob=ADA.dob)


def told(facts: Facts | None, remote_id: str = "r1", *, said: bool = False) -> Told:
    return Told(remote_id, facts, said)


@pytest.mark.parametrize(
    ("facts", "said", "rule"),
    [
        (replace(PLAIN, numbers=ADA.numbers), False, "record number"),
        (Facts(given="ADA", family="moreno", numbers=ADA.numbers), False, "record number"),
        (PLAIN, True, "their own word"),
        (replace(PLAIN, member="m 1"), False, "insurance"),
        (replace(PLAIN, phone=ADA.phone), False, "contact"),
        (replace(PLAIN, email=ADA.email), False, "contact"),
    ],
)
def test_each_rule_suffices(facts: Facts, said: bool, rule: str) -> None:
    found = rule_for(likenesses(ADA, told(facts)), said=said, is_alone=True)
    assert found is not None
    assert found.name == rule
    assert certain(ADA, [told(facts, said=said)]) == "r1"


def test_the_table_has_no_other_rule() -> None:
    assert [rule.name for rule in RULES] == [
        "record number",
        "their own word",
        "insurance",
        "contact",
    ]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (PLAIN, False),  # a name and a birthday alone
        (Facts(given="Ada", family="Moreno"), True),  # no birthday
        (replace(PLAIN, dob=date(1984, 2, 28)), True),
        (replace(ADA, dob=date(1950, 1, 1)), True),  # the number agrees, the person does not
        (replace(ADA, given="Eva"), True),
        (replace(ADA, family="Ruiz"), True),  # perhaps married: somebody looks
        (replace(ADA, sex="male"), True),
        (replace(ADA, suffix="Jr"), False),
        (replace(ADA, numbers=frozenset({("urn:h", "78")})), True),
        (replace(PLAIN, phone=ADA.phone, member="M-2"), False),  # a household, two people
        (None, True),
    ],
)
def test_whatever_speaks_against_it_is_for_a_person(facts: Facts | None, said: bool) -> None:
    ours = replace(ADA, suffix="Sr") if facts and facts.suffix else ADA
    assert certain(ours, [told(facts, said=said)]) is None


def test_two_who_are_certain_are_nobody() -> None:
    both = [told(ADA, "r1"), told(ADA, "r2")]
    assert certain(ADA, both) is None


def test_one_who_is_certain_wins_over_those_who_are_alike() -> None:
    alike = told(replace(PLAIN, dob=None), "r2")
    assert certain(ADA, [alike, told(ADA, "r1")]) == "r1"


def test_a_contact_decides_only_where_nobody_else_has_that_name_and_birthday() -> None:
    by_phone = told(replace(PLAIN, phone=ADA.phone), "r1")
    assert certain(ADA, [by_phone, told(PLAIN, "r2")]) is None
    assert certain(ADA, [by_phone, told(replace(PLAIN, dob=None), "r2")]) == "r1"


def test_nobody_is_nobody() -> None:
    assert certain(ADA, []) is None
