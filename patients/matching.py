"""How likely two records are one person's, from what each of them says; decides nothing by itself.

Fellegi and Sunter's way: each field that both records know adds log2(m / u), where m is how often
the field of one person's two records stands so, and u how often that of two people does. Fields
that a household shares count together at most so much, and a few rules that no sum can express
(twins, father and son) come last. Knows neither rows nor who is asking.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from math import log2

from patients import likeness
from patients.likeness import Likeness

EQUAL, SWAPPED, NICKNAME, PART, CLOSE, INITIAL, OTHER = Likeness
Pair = tuple[float, float]

# (m, u) of each field; both columns of a field add up to 1. The m are judgements: contacts change
# often, names with a marriage or a slip, birthdays by slips alone. The u follow from counting: the
# squared shares of given and of family names in a clinic with families, one birthday among eighty
# years' days, one household's phone among those of some thousand households.
WEIGHTS: dict[str, dict[Likeness, Pair]] = {
    "given": {
        EQUAL: (0.85, 0.006), SWAPPED: (0.005, 0.00003), NICKNAME: (0.03, 0.001),
        PART: (0.04, 0.004), CLOSE: (0.04, 0.005), INITIAL: (0.01, 0.0008), OTHER: (0.025, 0.98317),
    },
    "family": {
        EQUAL: (0.86, 0.002), SWAPPED: (0.005, 0.00003), PART: (0.03, 0.0006),
        CLOSE: (0.035, 0.0015), OTHER: (0.07, 0.99587),
    },
    "dob": {
        EQUAL: (0.95, 0.000035), SWAPPED: (0.012, 0.000012), CLOSE: (0.022, 0.001),
        OTHER: (0.016, 0.998953),
    },
    "sex": {EQUAL: (0.98, 0.5), OTHER: (0.02, 0.5)},
    "suffix": {EQUAL: (0.995, 0.6), OTHER: (0.005, 0.4)},
    "phone": {EQUAL: (0.65, 0.001), OTHER: (0.35, 0.999)},
    "email": {EQUAL: (0.6, 0.001), OTHER: (0.4, 0.999)},
    "member": {EQUAL: (0.8, 0.0008), OTHER: (0.2, 0.9992)},
    "address": {EQUAL: (0.6, 0.0015), PART: (0.2, 0.04), OTHER: (0.2, 0.9585)},
    "number": {EQUAL: (0.9, 0.00001), OTHER: (0.1, 0.99999)},
}  # fmt: skip
# Families share these, so that agreeing in all of them is hardly more than agreeing in one.
HOUSEHOLD = ("phone", "email", "member", "address")
HOUSEHOLD_AT_MOST = 12.0
# One pair in 2^17: ten thousand records of which one in seven has a double make so many.
PRIOR = -17.0
CHANCE_POSSIBLE = 0.5
CHANCE_CERTAIN = 0.999
IDENTIFIERS = ("phone", "email", "member", "number")
A_GENERATION = 12
MOST_BITS = 1_000.0


class Band(StrEnum):
    """CERTAIN still means that a person looks; NO is not worth anybody's time."""

    NO = "NO"
    POSSIBLE = "POSSIBLE"
    CERTAIN = "CERTAIN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a record says of somebody; contacts normalised, empty where it says nothing.

    `numbers` are (system, number) pairs of other systems. `sex` counts if "female" or "male".
    """

    given: str
    family: str
    suffix: str = ""
    dob: date | None = None
    sex: str = ""
    phone: str = ""
    email: str = ""
    member: str = ""
    street: str = ""
    postal_code: str = ""
    numbers: frozenset[tuple[str, str]] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Reason:
    """One field that both records know, how far it agrees, and what that is worth in bits."""

    name: str
    likeness: Likeness
    bits: float

    @property
    def code(self) -> str:
        return f"{self.name}:{self.likeness}"


@dataclass(frozen=True, slots=True)
class Score:
    """`chance` that both are one person, in [0, 1]; `bits` are its log-odds without the prior."""

    bits: float
    chance: float
    band: Band
    reasons: tuple[Reason, ...]


def compare(one: Facts, other: Facts) -> Score:
    """Return how likely two records are one person's; which comes first makes no difference."""
    reasons = tuple(_reasons(one, other))
    household = sum(reason.bits for reason in reasons if reason.name in HOUSEHOLD)
    alone = sum(reason.bits for reason in reasons if reason.name not in HOUSEHOLD)
    bits = alone + min(household, HOUSEHOLD_AT_MOST)
    chance = 1 / (1 + 2 ** min(-(bits + PRIOR), MOST_BITS))
    return Score(bits, chance, _band(chance, reasons, _years_apart(one, other)), reasons)


def _reasons(one: Facts, other: Facts) -> Iterator[Reason]:
    for name, found in _likenesses(one, other):
        if found is not None:
            m, u = WEIGHTS[name][found]
            yield Reason(name, found, log2(m / u))


def _likenesses(one: Facts, other: Facts) -> Iterator[tuple[str, Likeness | None]]:
    given, family = likeness.names((one.given, one.family), (other.given, other.family))
    yield "given", given
    yield "family", family
    yield "suffix", likeness.suffixes(one.suffix, other.suffix)
    yield "dob", likeness.births(one.dob, other.dob)
    yield "sex", _sexes(one.sex, other.sex)
    yield "phone", likeness.exactly(one.phone, other.phone)
    yield "email", likeness.exactly(one.email, other.email)
    yield "member", likeness.codes(one.member, other.member)
    homes = [(facts.street, facts.postal_code) for facts in (one, other)]
    yield "address", likeness.addresses(homes[0], homes[1])
    yield "number", _numbers(one.numbers, other.numbers)


def _sexes(one: str, other: str) -> Likeness | None:
    if not {one, other} <= {"female", "male"}:
        return None
    return EQUAL if one == other else OTHER


def _numbers(one: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]]) -> Likeness | None:
    """Compare numbers of the same system; those of two systems say nothing of each other."""
    if one & other:
        return EQUAL
    systems = {system for system, _number in one} & {system for system, _number in other}
    return OTHER if systems else None


def _years_apart(one: Facts, other: Facts) -> int:
    return abs(one.dob.year - other.dob.year) if one.dob and other.dob else 0


def _band(chance: float, reasons: tuple[Reason, ...], years_apart: int) -> Band:
    found = {reason.name: reason.likeness for reason in reasons}
    if chance < CHANCE_POSSIBLE:
        return Band.NO
    if found.get("number") is not EQUAL and _are_relatives(found, years_apart):
        return Band.NO
    return Band.CERTAIN if chance >= CHANCE_CERTAIN and _is_proven(found) else Band.POSSIBLE


def _are_relatives(found: dict[str, Likeness], years_apart: int) -> bool:
    """Say whether the differences are those of twins, of two generations, or of a couple."""
    given, dob = found["given"], found.get("dob")
    if given is OTHER or found.get("suffix") is OTHER:
        return True
    if dob is OTHER and years_apart >= A_GENERATION:
        return True
    return given is CLOSE and found.get("sex") is OTHER


def _is_proven(found: dict[str, Likeness]) -> bool:
    """Say whether name and birthday agree wholly, something else proves it, and nothing objects.

    A name and a birthday alone are never enough.
    """
    agrees_in_name = found["given"] in {EQUAL, SWAPPED, NICKNAME} and found["family"] is not OTHER
    objections = {found.get("suffix"), found.get("sex"), found.get("number")}
    return (
        agrees_in_name
        and found.get("dob") is EQUAL
        and any(found.get(name) is EQUAL for name in IDENTIFIERS)
        and OTHER not in objections
    )
