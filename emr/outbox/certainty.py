"""Decides which of the other side's patients is surely ours: one, or nobody until a person looked.

Pure, and a table: a wrong link would write one patient's visits into another's record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from patients.likeness import Likeness
from patients.matching import Facts, compare

EQUAL, OTHER = Likeness.EQUAL, Likeness.OTHER
Found = Mapping[str, Likeness]
# A record that says otherwise in one of these is not taken without a look, whatever else agrees.
OBJECTIONS = ("given", "family", "dob", "sex", "suffix", "number")


@dataclass(frozen=True, slots=True)
class Told:
    """One candidate as they told of it; `facts` are None where it cannot be read, or is no longer
    in use. `is_certain` is their own word for it."""

    remote_id: str
    facts: Facts | None
    is_certain: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """`holds` is asked with what was found alike; `is_alone` where no other may have the same name
    and birthday."""

    name: str
    holds: Callable[[Found, bool], bool]
    is_alone: bool = False


def _is_named(found: Found) -> bool:
    return found.get("given") is EQUAL and found.get("family") is EQUAL


def _is_born(found: Found) -> bool:
    return _is_named(found) and found.get("dob") is EQUAL


RULES = (
    Rule("record number", lambda found, _said: found.get("number") is EQUAL),
    Rule("their own word", lambda found, said: said and _is_born(found)),
    Rule("insurance", lambda found, _said: _is_born(found) and found.get("member") is EQUAL),
    Rule(
        "contact",
        lambda found, _said: (
            _is_born(found)
            and found.get("member") is None
            and EQUAL in {found.get("phone"), found.get("email")}
        ),
        is_alone=True,
    ),
)


def certain(ours: Facts, candidates: Sequence[Told]) -> str | None:
    """Return the id of the one candidate who is surely the patient; None where nobody is, or
    several are."""
    found = {told.remote_id: likenesses(ours, told) for told in candidates}
    named = [remote_id for remote_id, alike in found.items() if _is_born(alike)]
    sure = [
        told.remote_id
        for told in candidates
        if rule_for(found[told.remote_id], said=told.is_certain, is_alone=len(named) <= 1)
    ]
    return sure[0] if len(set(sure)) == 1 else None


def rule_for(found: Found, *, said: bool, is_alone: bool) -> Rule | None:
    """Return the first rule by which a candidate is certain, if nothing speaks against it."""
    if any(found.get(name) is OTHER for name in OBJECTIONS):
        return None
    possible = (rule for rule in RULES if is_alone or not rule.is_alone)
    return next((rule for rule in possible if rule.holds(found, said)), None)


def likenesses(ours: Facts, told: Told) -> Found:
    """Return how far each field that both know agrees; nothing for what cannot be read."""
    if told.facts is None:
        return {}
    return {reason.name: reason.likeness for reason in compare(ours, told.facts).reasons}
