"""What must hold of the rows after each act, and after each look of the worker."""

from __future__ import annotations

from uuid import UUID

from tests.scheduling.waitlist.model import (
    HANDOVER,
    LONGEST_SLEEP,
    MINUTE,
    TRUE_ENDS,
    WINDOW,
    Model,
    Seen,
)


def check(model: Model) -> None:
    """Compare visits, entries and offers with what was foretold; look for time forgotten."""
    seen = model.seen
    assert {pk: (v.patient, v.slot) for pk, v in seen.visits.items()} == {
        pk: (v.patient, v.slot) for pk, v in model.visits.items() if v.live
    }
    assert seen.entries == {pk: entry.status for pk, entry in model.entries.items()}
    assert {pk: offer.status for pk, offer in seen.offers.items()} == model.answers
    _each_is_offered_one(model)
    _what_is_offered_is_kept(model)
    _nothing_is_forgotten(model)


def _each_is_offered_one(model: Model) -> None:
    """In turn: a time is one patient's, and a patient thinks about one time."""
    standing = [offer for offer in model.seen.offers.values() if offer.status == "OFFERED"]
    assert len({offer.opening for offer in standing}) == len(standing)
    assert len({offer.entry for offer in standing}) == len(standing)
    assert {model.seen.openings[offer.opening].state for offer in standing} <= {"OPEN"}


def _what_is_offered_is_kept(model: Model) -> None:
    """While an offer stands its time is kept a little longer; else hardly, and for nothing else."""
    seen = model.seen
    kept = {held.holder: held for held in seen.holds if held.until > model.now}
    for pk, opening in seen.openings.items():
        live = [
            seen.offers[each]
            for each in seen.offered(opening=pk)
            if seen.offers[each].expires_at > model.now
        ]
        held = kept.get(f"opening:{pk}")
        if live:
            assert held is not None, "an offer keeps no time"
            assert (held.slot, held.until) == (opening.slot, live[0].expires_at + HANDOVER)
        elif held is not None:
            assert opening.state == "OPEN"
            assert held.until <= model.now + HANDOVER


def _nothing_is_forgotten(model: Model) -> None:
    """Whatever came free is somebody's, or open and looked at within the hour, or truly ended."""
    for slot in model.freed:
        if slot.start <= model.now or model.is_taken(slot):
            continue
        known = [o for o in model.seen.openings.values() if o.slot == slot]
        assert known, f"forgotten: {slot}"
        is_open = any(opening.state == "OPEN" for opening in known)
        assert is_open or known[-1].ended in TRUE_ENDS, f"forgotten: {slot} {known}"
    for opening in model.seen.openings.values():
        assert opening.state != "OPEN" or opening.next_at <= model.now + LONGEST_SLEEP


def check_work(model: Model, before: Seen) -> None:
    """After the worker looked: what was due is done, in the order of the rule, and no other."""
    seen, now = model.seen, model.now
    for offer in seen.offers.values():
        assert offer.status != "OFFERED" or offer.expires_at > now
    for pk, opening in seen.openings.items():
        if opening.state == "OPEN":
            assert opening.next_at > now
        if before.openings[pk].state == "OPEN" and opening.state != "OPEN":
            _ended_for_a_true_reason(model, before, pk)
        elif before.openings[pk].next_at <= now and opening.state == "OPEN":
            _nobody_is_kept_waiting(model, before, pk)
    for pk in seen.offers.keys() - before.offers.keys():
        _is_the_turn_of(model, before, pk)


def _asked_elsewhere(model: Model, before: Seen, entry: UUID, opening: UUID) -> bool:
    """Say whether somebody was thinking about another time, before the worker looked or now."""
    offers = [rows.offers[pk] for rows in (before, model.seen) for pk in rows.offered(entry=entry)]
    return any(offer.opening != opening for offer in offers)


def _has_time(model: Model, before: Seen, entry: UUID, opening: UUID) -> bool:
    """Say whether somebody can answer in time, who may be thinking about another time as yet."""
    ends = [
        rows.offers[pk].expires_at
        for rows in (before, model.seen)
        for pk in rows.offered(entry=entry)
        if rows.offers[pk].opening != opening
    ]
    return model.has_time(entry, opening, since=max([model.now, *ends]))


def _could_be_asked(model: Model, before: Seen, opening: UUID) -> list[UUID]:
    return [
        pk
        for pk in model.entries
        if model.fits(pk, opening)
        and model.has_time(pk, opening)
        and not _asked_elsewhere(model, before, pk, opening)
    ]


def _ended_for_a_true_reason(model: Model, before: Seen, pk: UUID) -> None:
    opening = model.seen.openings[pk]
    fitting = [entry for entry in model.entries if model.fits(entry, pk)]
    if opening.ended == "EXHAUSTED":
        assert not fitting
    elif opening.ended == "TOO_LATE":
        is_over = opening.slot.start + 25 * MINUTE < model.now
        assert is_over or (fitting and not any(_has_time(model, before, e, pk) for e in fitting))
    else:
        assert opening.ended == "BOOKED"
        again = [o for key, o in model.seen.openings.items() if key > pk and o.slot == opening.slot]
        assert model.is_taken(opening.slot) or again


def _nobody_is_kept_waiting(model: Model, before: Seen, pk: UUID) -> None:
    opening = model.seen.openings[pk]
    others = set(model.holders(opening.slot)) - {f"opening:{pk}"}
    is_to_wait = opening.not_before is not None and opening.not_before > model.now
    if not (model.seen.offered(opening=pk) or others or is_to_wait):
        assert not _could_be_asked(model, before, pk)


def _is_the_turn_of(model: Model, before: Seen, pk: UUID) -> None:
    """The one who was asked is the first of all who could have been, and has as long as is due."""
    offer = model.seen.offers[pk]
    asked = model.entries[offer.entry]
    assert asked.status == "WAITING"
    assert offer.expires_at == min(
        model.now + WINDOW, model.last_moment(offer.entry, offer.opening)
    )
    first = [model.entries[each] for each in _could_be_asked(model, before, offer.opening)]
    for other in first:
        assert asked.rank < other.rank, "asked out of turn"
