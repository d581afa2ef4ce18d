"""Whom an opening can be offered to, in the order of the rule, with why, and why not.

Decides neither how fast it is offered nor until when, and opens nothing of a patient's record.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from itertools import count
from uuid import UUID

from django.conf import settings
from django.db.models import prefetch_related_objects

from providers.fields import ClockTimestamp
from scheduling.models import Opening, WaitlistEntry
from scheduling.waitlist import ranking
from scheduling.waitlist.fitting import Diary
from scheduling.waitlist.keeping import hold_of
from scheduling.waitlist.matching import Match, who_fit
from scheduling.waitlist.pacing import Rule
from scheduling.waitlist.policies import policy_of
from scheduling.waitlist.ranking import Waiting
from scheduling.waitlist.telling import NO_WAY, Spoken, Telling, spoken_to, tellings

__all__ = ["Match", "ask", "diary_of", "in_order", "matches"]


def matches(
    opening: Opening,
    *,
    now: datetime,
    all_: bool = False,
    diary: Diary | None = None,
    rule: Rule | None = None,
) -> list[Match]:
    """Return whom this opening fits, best first, with why each may or may not be told.

    `all_` adds those whom no message may offer it to: nobody can reach them, they had an offer of
    it, or it is sooner than they wish. They come in the same order, for the desk to call.
    `diary` and `rule` are read unless they are at hand already.
    """
    diary = diary_of(opening, now=now) if diary is None else diary
    rule = policy_of(opening) if rule is None else rule
    ordered = in_order(opening, diary, now=now, all_=all_)
    spoken = spoken_to(opening, [match.entry for match in ordered], rule=rule, now=now)
    asked = ask(opening, ordered, spoken, now=now)
    return [match for match in asked if all_ or match.why_not != NO_WAY]


def in_order(opening: Opening, diary: Diary, *, now: datetime, all_: bool = False) -> list[Match]:
    """Return whom this opening fits, best first; whether they can be told is still to be asked."""
    found, had = who_fit(opening, diary, now=now, all_=all_), _had(opening)
    for match in found:
        match.why_not = had.get(match.entry.patient_id, match.why_not)
    ordered = ranking.rank((m for m in found if all_ or not m.why_not), key=_waiting)
    _number(ordered, had)
    return ordered


def ask(
    opening: Opening, some: Sequence[Match], spoken: Spoken, *, now: datetime
) -> Sequence[Match]:
    """Note of each of these whether they can be told, and why it is theirs."""
    prefetch_related_objects([match.entry for match in some], "patient")
    known = tellings([match.entry for match in some], spoken, now=now)
    for match in some:
        _note_telling(match, known[match.entry.pk])
        match.reasons = _reasons(match, opening, now)
    return some


def diary_of(opening: Opening, *, now: datetime) -> Diary:
    """Read the provider's time around an opening."""
    clock = Opening.objects.filter(pk=opening.pk).values_list(ClockTimestamp(), flat=True).get()
    return Diary(opening, own=hold_of(opening.pk), clock=clock, now=now)


def _had(opening: Opening) -> dict[UUID, str]:
    """Return the status of the offer of this opening that each patient had."""
    return dict(opening.offers.order_by("made_at").values_list("entry__patient", "status"))


def _note_telling(match: Match, known: Telling) -> None:
    match.contact = known.contact
    if not match.why_not:
        match.why_not, match.not_before = known.why_not, known.not_before


def _number(ordered: Iterable[Match], had: Container[UUID]) -> None:
    places = count(1)
    for match in ordered:
        if match.entry.patient_id not in had:
            match.rank = next(places)


def _waiting(match: Match) -> Waiting:
    entry = match.entry
    return Waiting(
        entry=entry.pk,
        is_urgent=entry.urgency == WaitlistEntry.Urgency.URGENT,
        is_existing=entry.is_existing_patient,
        since=entry.created_at,
    )


def _reasons(match: Match, opening: Opening, now: datetime) -> list[ranking.Reason]:
    entry, place = match.entry, match.placement
    return ranking.reasons(
        _waiting(match),
        start=place.start,
        zone=opening.clinic.zone,
        weekdays=entry.weekdays,
        after=entry.after_time,
        before=entry.before_time,
        sooner_than=entry.replaces.scheduled_start if entry.replaces else None,
        is_same_type=place.visit_type.pk == opening.visit_type_id,
        is_their_provider=entry.provider_id is not None,
        shares_language=_shares_language(entry, opening),
        now=now,
    )


def _shares_language(entry: WaitlistEntry, opening: Opening) -> bool:
    """Say whether the provider speaks the patient's language, where that is not the clinic's."""
    theirs = entry.patient.language.split("-")[0]
    spoken = {tag.split("-")[0] for tag in opening.provider.languages}
    return theirs != settings.LANGUAGE_CODE.split("-")[0] and theirs in spoken
