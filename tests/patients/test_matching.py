"""How likely two records are one person: the weights, labelled pairs, generated slips."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.likeness import Likeness
from patients.matching import WEIGHTS, Band, Facts, Score, compare
from tests.patients.slips import PEOPLE, SLIPS, relatives

LABELLED = json.loads((Path(__file__).parent / "pairs.json").read_text())
PAIRS = LABELLED["pairs"]
ANA = Facts(
    given="Ana",
    family="Torres",
    dob=date(1961, 4, 7),
    sex="female",
    phone="+12125550134",
    email="ana@mail.example",
    member="XK-4471",
    street="12 Oak Street",
    postal_code="10003",
)
NAME_AND_BIRTHDAY = Facts(given="Ana", family="Torres", dob=date(1961, 4, 7))


def facts(told: dict[str, Any]) -> Facts:
    born = told.get("dob")
    numbers = frozenset((system, value) for system, value in told.get("numbers", []))
    return Facts(
        **{
            **told,
            "dob": date.fromisoformat(born) if born else None,
            "numbers": numbers,
        }
    )


def both(pair: dict[str, Any]) -> tuple[Facts, Facts]:
    """Return the two records; the other one is told by what it says differently."""
    one = LABELLED["people"][pair["one"]]
    return facts(one), facts({**one, **pair["other"]})


def score(pair: dict[str, Any]) -> Score:
    return compare(*both(pair))


@pytest.mark.parametrize("name", WEIGHTS)
def test_the_chances_of_a_field_add_up_to_one(name: str) -> None:
    table = WEIGHTS[name].values()
    assert sum(m for m, _u in table) == pytest.approx(1)
    assert sum(u for _m, u in table) == pytest.approx(1)


@pytest.mark.parametrize("name", WEIGHTS)
def test_nothing_speaks_more_for_one_person_than_full_agreement(name: str) -> None:
    weights = {likeness: m / u for likeness, (m, u) in WEIGHTS[name].items()}
    besides_swapped = {k: v for k, v in weights.items() if k is not Likeness.SWAPPED}
    assert max(besides_swapped, key=lambda likeness: besides_swapped[likeness]) is Likeness.EQUAL
    assert min(weights, key=lambda likeness: weights[likeness]) is Likeness.OTHER


@pytest.mark.parametrize("pair", PAIRS, ids=[pair["story"] for pair in PAIRS])
def test_a_labelled_pair_falls_where_a_person_puts_it(pair: dict[str, Any]) -> None:
    assert score(pair).band in pair["bands"]
    assert compare(*reversed(both(pair))) == score(pair)


def test_the_labelled_pairs_are_many_and_of_both_kinds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = [(pair["same"], score(pair).band) for pair in PAIRS]
    assert len(found) >= 60
    assert min(Counter(same for same, _band in found).values()) >= 25
    with capsys.disabled():
        print(f"\nlabelled pairs   {measures(found)}")
    assert not any(band is Band.CERTAIN for same, band in found if not same)


def measures(found: Iterable[tuple[bool, Band]]) -> str:
    """Return precision and recall of what is shown to staff, and of what is called certain."""
    told = list(found)
    words = [f"{len(told)} pairs, {sum(same for same, _ in told)} of one person"]
    for name, bands in (
        ("shown", {Band.POSSIBLE, Band.CERTAIN}),
        ("certain", {Band.CERTAIN}),
    ):
        right = sum(same for same, band in told if band in bands)
        all_found = sum(band in bands for _same, band in told)
        precision = right / all_found if all_found else 1.0
        recall = right / sum(same for same, _ in told)
        words.append(f"{name}: precision {precision:.3f}, recall {recall:.3f}")
    return "; ".join(words)


def test_generated_slips_are_found_and_generated_relatives_are_not_taken_for_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    chance = random.Random(20260607)
    same = [
        (True, compare(person, slip(person, chance)).band)
        for person in PEOPLE
        for slip in SLIPS
        for _ in range(5)
    ]
    others = [
        (False, compare(person, other).band)
        for person in PEOPLE
        for other in relatives(person, chance)
    ]
    strangers = [
        (False, compare(one, other).band) for one in PEOPLE for other in PEOPLE if one is not other
    ]
    with capsys.disabled():
        print(f"\ngenerated slips  {measures(same + others + strangers)}")
    found = sum(band is not Band.NO for _same, band in same)
    assert found / len(same) >= 0.97
    shown = sum(band is not Band.NO for _same, band in others + strangers)
    assert shown / len(others + strangers) <= 0.02
    assert not any(band is Band.CERTAIN for _same, band in others + strangers)


def test_name_and_birthday_alone_are_never_enough() -> None:
    found = compare(NAME_AND_BIRTHDAY, NAME_AND_BIRTHDAY)
    assert found.band is Band.POSSIBLE
    assert found.chance > 0.99


@pytest.mark.parametrize("name", ["phone", "email", "member", "numbers"])
def test_something_that_few_others_have_makes_name_and_birthday_certain(name: str) -> None:
    known = replace(ANA, numbers=frozenset({("urn:hospital", "4471")}))
    both = replace(NAME_AND_BIRTHDAY, **{name: getattr(known, name)})
    assert compare(both, both).band is Band.CERTAIN


@pytest.mark.parametrize("other", ["Eva", "Anita", "María", "Bo"])
def test_twins_are_two_people(other: str) -> None:
    found = compare(ANA, replace(ANA, given=other))
    assert found.band is Band.NO


def test_twins_whose_names_differ_by_a_letter_are_left_to_a_person() -> None:
    found = compare(replace(ANA, given="Jayden"), replace(ANA, given="Hayden"))
    assert found.band is Band.POSSIBLE


@pytest.mark.parametrize(("one", "other"), [("Jr", "Sr"), ("Jr.", "III"), ("II", "Senior")])
def test_father_and_son_are_two_people(one: str, other: str) -> None:
    son = replace(ANA, given="John", family="Smith", suffix=one)
    father = replace(son, suffix=other)
    assert compare(son, father).band is Band.NO
    assert compare(son, replace(father, dob=date(1931, 4, 7))).band is Band.NO


def test_a_family_that_shares_everything_but_name_and_birthday_is_no_person() -> None:
    assert compare(ANA, replace(ANA, given="Luis", dob=date(1990, 1, 2))).band is Band.NO


texts = st.sampled_from(["", "Ana", "Ann", "Anna Maria", "Torres", "de la Cruz", "Ñuñez", "J", "x"])
dates = st.none() | st.dates(date(1920, 1, 1), date(2026, 1, 1))
people = st.builds(
    Facts,
    given=texts,
    family=texts,
    suffix=st.sampled_from(["", "Jr", "Sr", "III", "MD"]),
    dob=dates,
    sex=st.sampled_from(["", "female", "male", "other", "unknown"]),
    phone=st.sampled_from(["", "+12125550134", "+12125550199"]),
    email=st.sampled_from(["", "a@mail.example", "b@mail.example"]),
    member=st.sampled_from(["", "XK-4471", "xk4471", "QQ1"]),
    street=st.sampled_from(["", "12 Oak St", "12 Oak Street", "9 Elm Rd"]),
    postal_code=st.sampled_from(["", "10003", "10003-1234", "11201"]),
    numbers=st.frozensets(st.tuples(st.sampled_from("ab"), st.sampled_from("12")), max_size=2),
)


@given(people, people)
def test_which_comes_first_makes_no_difference(one: Facts, other: Facts) -> None:
    assert compare(one, other) == compare(other, one)


@given(people, people)
def test_chance_and_band_follow_the_bits(one: Facts, other: Facts) -> None:
    found = compare(one, other)
    assert 0 <= found.chance <= 1
    if found.band is Band.CERTAIN:
        assert found.chance > 0.99
    if found.chance < 0.5:
        assert found.band is Band.NO


@given(people)
def test_nobody_is_more_like_somebody_than_they_are_themselves(one: Facts) -> None:
    itself = compare(one, one)
    told = {reason.name: reason.likeness for reason in itself.reasons}
    if not one.street:
        told.pop("address", None)
    assert set(told.values()) == {Likeness.EQUAL}


@given(people, people, st.sampled_from([f.name for f in fields(Facts) if f.name != "numbers"]))
def test_taking_over_a_value_never_makes_two_records_less_alike(
    one: Facts, other: Facts, name: str
) -> None:
    before = compare(one, other)
    if {reason.likeness for reason in before.reasons} & {Likeness.SWAPPED, Likeness.PART}:
        return  # one half of swapped or divided names is not a step towards the other's
    if not getattr(other, name) or not getattr(one, name):
        return  # what was not known before may well speak against it
    after = compare(one, replace(other, **{name: getattr(one, name)}))
    assert after.bits >= before.bits - 1e-9
