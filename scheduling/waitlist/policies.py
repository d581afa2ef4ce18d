"""Which rule an opening is offered by: the row of the freed visit's type, else the clinic's, else
one after the other. Refuses to know who waits.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db.models import F, Q

from scheduling.models import Mode, Opening, WaitlistPolicy
from scheduling.waitlist.pacing import Pace, Rule

MINUTE = timedelta(minutes=1)


def policy_of(opening: Opening) -> Rule:
    """Return the rule for an opening, in one statement."""
    return rule_for(clinic=opening.clinic_id, visit_type=opening.visit_type_id)


def rule_for(*, clinic: UUID, visit_type: UUID | None) -> Rule:
    """Return the rule of a clinic for the visits of a type, or for all where no type is given."""
    rows = WaitlistPolicy.objects.filter(clinic=clinic).filter(
        Q(visit_type=visit_type) | Q(visit_type=None)
    )
    row = rows.order_by(F("visit_type").asc(nulls_last=True)).first()
    return Rule(pace=Pace.SEQUENTIAL) if row is None else as_rule(row)


def as_rule(row: WaitlistPolicy) -> Rule:
    """Return what a row says, as pacing reads it."""
    return Rule(
        pace=Pace(Mode(row.mode).value),
        window=row.window_minutes * MINUTE,
        shortest_window=row.shortest_window_minutes * MINUTE,
        divisor=row.spacing_divisor,
        shortest_spacing=row.shortest_spacing_minutes * MINUTE,
        longest_spacing=row.longest_spacing_minutes * MINUTE,
        most_a_day=row.most_offers_a_day,
    )
