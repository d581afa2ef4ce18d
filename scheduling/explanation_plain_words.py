"""Why nothing is free, for patients: kind, plain, and nothing about anybody else.

Never says that others have booked or are choosing, nor why a provider is away.
"""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from scheduling.availability.explaining import Explanation
from scheduling.explained_spans import (
    ahead_words,
    day_words,
    last_bookable,
    part_words,
    span,
)
from scheduling.explanations import Filter, Reason
from scheduling.visit_words import language_name

Words = Callable[[Explanation], str]


def for_patients(explanation: Explanation) -> str:
    """Return why nothing is free; what to do next stands beside it."""
    words: dict[Reason, Words] = {
        Reason.NOBODY_MATCHES: _nobody,
        Reason.OUTSIDE_HOURS: _outside_hours,
        Reason.TYPE_NOT_ALLOWED: _type_not_allowed,
        Reason.CLOSED: _closed,
        Reason.AWAY: _away,
        Reason.GAP_TOO_SHORT: _too_short,
        Reason.BOOKED: _none_left,
        Reason.HELD: _perhaps_soon,
        Reason.NOTICE: _notice,
        Reason.HORIZON: _horizon,
        Reason.FILTERED_OUT: _filtered_out,
        Reason.FREE_BY_NOW: lambda _explanation: _("A time has just opened up."),
    }
    return words[explanation.reason](explanation)


def _told(explanation: Explanation) -> dict[str, str]:
    """Return what the sentences name; `day` is empty where they speak of many days."""
    query = explanation.query
    first, last = span(explanation)
    return {
        "name": query.provider.name if query.provider else "",
        "day": day_words(first, explanation) if first == last else "",
        "specialty": query.specialty.name if query.specialty else "",
        "plan": str(query.insurance_plan or ""),
        "language": language_name(query.language),
    }


def _nobody(explanation: Explanation) -> str:
    told, blamed = _told(explanation), explanation.finding.filters
    if told["name"]:
        lines = {
            Filter.NEW_PATIENT: _("%(name)s is not taking new patients right now."),
            Filter.PLAN: _("%(name)s does not take %(plan)s."),
            Filter.LANGUAGE: _("%(name)s does not speak %(language)s."),
            Filter.TELEHEALTH: _("%(name)s does not offer visits by video."),
        }
        other = _("%(name)s does not offer this visit online.")
    else:
        lines = {
            Filter.NEW_PATIENT: _("For this visit, we cannot take new patients online right now."),
            Filter.PLAN: _("For this visit, we found nobody who takes %(plan)s."),
            Filter.LANGUAGE: _("For this visit, we found nobody who speaks %(language)s."),
            Filter.TELEHEALTH: _("We do not offer this visit by video right now."),
            Filter.SPECIALTY: _("We do not offer this visit in %(specialty)s online."),
        }
        other = _("This visit cannot be booked online right now.")
    if not blamed and explanation.query.visit_type.is_telehealth:
        blamed = frozenset({Filter.TELEHEALTH})
    named = [line % told for what, line in lines.items() if what in blamed]
    return " ".join(named) if named else other % told


def _outside_hours(explanation: Explanation) -> str:
    return _choose(
        explanation,
        (_("%(name)s does not see patients on %(day)s."), _("We see no patients on %(day)s.")),
        (
            _("%(name)s has no hours online in the next weeks."),
            _("We have no hours for this visit in the next weeks."),
        ),
    )


def _type_not_allowed(explanation: Explanation) -> str:
    return _choose(
        explanation,
        (
            _("%(name)s does not offer this kind of visit on %(day)s."),
            _("We do not offer this kind of visit on %(day)s."),
        ),
        (
            _("%(name)s does not offer this kind of visit in the next weeks."),
            _("We do not offer this kind of visit in the next weeks."),
        ),
    )


def _closed(explanation: Explanation) -> str:
    on_day, for_weeks = _("The clinic is closed on %(day)s."), _("The clinic is closed for now.")
    return _choose(explanation, (on_day, on_day), (for_weeks, for_weeks))


def _away(explanation: Explanation) -> str:
    return _choose(
        explanation,
        (_("%(name)s is away on %(day)s."), _("The team for this visit is away on %(day)s.")),
        (_("%(name)s is away for now."), _("The team for this visit is away for now.")),
    )


def _too_short(explanation: Explanation) -> str:
    return _choose(
        explanation,
        (
            _("%(name)s has no open time on %(day)s that is long enough."),
            _("No open time on %(day)s is long enough for this visit."),
        ),
        (
            _("%(name)s has no open time in the next weeks that is long enough."),
            _("No open time in the next weeks is long enough for this visit."),
        ),
    )


def _none_left(explanation: Explanation) -> str:
    return _choose(
        explanation,
        (_("%(name)s has no times left on %(day)s."), _("No times are left on %(day)s.")),
        (
            _("%(name)s has no times left in the next weeks."),
            _("No times are left in the next weeks."),
        ),
    )


def _perhaps_soon(_explanation: Explanation) -> str:
    return _("No time is open right now. One may open again in a few minutes.")


def _notice(explanation: Explanation) -> str:
    minutes = explanation.query.visit_type.minimum_notice_minutes
    told = {"notice": ahead_words(minutes)}
    return _("Online, this visit can be booked up to %(notice)s before it starts.") % told


def _horizon(explanation: Explanation) -> str:
    told = {"day": day_words(last_bookable(explanation), explanation)}
    return _("Online, you can book this visit for days up to %(day)s.") % told


def _filtered_out(explanation: Explanation) -> str:
    blamed = explanation.finding.filters
    if Filter.DATES in blamed:
        return _("These days are over.")
    if Filter.TIME_OF_DAY in blamed:
        told = {"part": part_words(explanation)}
        return _("There are free times, but not %(part)s.") % told
    return _("There are free times, but on other days of the week.")


def _choose(explanation: Explanation, one_day: tuple[str, str], many: tuple[str, str]) -> str:
    """Fill in one of four sentences: with a provider's name or without, on a day or for weeks."""
    told = _told(explanation)
    with_name, without = one_day if told["day"] else many
    return (with_name if told["name"] else without) % told
