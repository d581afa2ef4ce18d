"""Why nothing is free, in the words of whoever reads it: short for staff, kind for patients.

Refuses to know how the reason was found and where a change leads. A patient is told nothing of
other patients, nor why a provider is away.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.utils.dates import WEEKDAYS
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from scheduling.availability.changing import ChangeKind
from scheduling.availability.explaining import Explanation
from scheduling.desk_words import when_words
from scheduling.explained_spans import (
    ahead_words,
    day_words,
    days_words,
    last_bookable,
    part_words,
)
from scheduling.explanations import Filter, Gap, Reason
from scheduling.presenters import clock, minutes_in_words
from scheduling.visit_words import language_name

MINUTE = timedelta(minutes=1)
Words = Callable[[Explanation], str]


def for_staff(explanation: Explanation) -> str:
    """Return why nothing is free: short, exact, with the figures that help to find a way."""
    words: dict[Reason, Words] = {
        Reason.NOBODY_MATCHES: _nobody,
        Reason.OUTSIDE_HOURS: _outside_hours,
        Reason.TYPE_NOT_ALLOWED: _type_not_allowed,
        Reason.CLOSED: _closed,
        Reason.AWAY: _away,
        Reason.GAP_TOO_SHORT: _booked_out,
        Reason.BOOKED: _booked_out,
        Reason.HELD: _held,
        Reason.NOTICE: _notice,
        Reason.HORIZON: _horizon,
        Reason.FILTERED_OUT: _filtered_out,
        Reason.FREE_BY_NOW: lambda _explanation: _("A time has just come free."),
    }
    return words[explanation.reason](explanation)


def _nobody(explanation: Explanation) -> str:
    """Name each filter that leaves nobody, of the provider who was asked for if there is one."""
    query, blamed = explanation.query, explanation.finding.filters
    told = {
        "name": query.provider.name if query.provider else "",
        "specialty": query.specialty or "",
        "plan": query.insurance_plan or "",
        "language": language_name(query.language),
    }
    if query.provider is None:
        lines = {
            Filter.SPECIALTY: _("Nobody in %(specialty)s fits the rest."),
            Filter.PLAN: _("Nobody who fits the rest takes %(plan)s."),
            Filter.LANGUAGE: _("Nobody who fits the rest speaks %(language)s."),
            Filter.TELEHEALTH: _("Nobody who fits the rest sees patients by video."),
            Filter.NEW_PATIENT: _("Nobody who fits the rest takes new patients."),
        }
    else:
        lines = {
            Filter.SPECIALTY: _("%(name)s is not in %(specialty)s."),
            Filter.PLAN: _("%(name)s does not take %(plan)s."),
            Filter.LANGUAGE: _("%(name)s does not speak %(language)s."),
            Filter.TELEHEALTH: _("%(name)s does not see patients by video."),
            Filter.NEW_PATIENT: _("%(name)s takes no new patients."),
        }
    named = [line % told for what, line in lines.items() if what in blamed]
    if named:
        return " ".join(named)
    if Filter.PROVIDER in blamed:
        return _("%(name)s does not fit the rest.") % told
    if query.visit_type.is_telehealth:
        return _("Nobody here sees patients by video.")
    return _("Nobody here can be booked.")


def _outside_hours(explanation: Explanation) -> str:
    told = {"name": _name(explanation), "days": days_words(explanation)}
    if told["name"]:
        return _("%(name)s has no hours %(days)s.") % told
    return _("Nobody who fits has hours %(days)s.") % told


def _type_not_allowed(explanation: Explanation) -> str:
    told = {"type": explanation.query.visit_type.label, "days": days_words(explanation)}
    return _("The hours %(days)s are not for this type of visit: %(type)s.") % told


def _closed(explanation: Explanation) -> str:
    told = {
        "clinic": get_text_list([c.name for c in explanation.query.clinics], _("and")),
        "day": _until(explanation),
        "days": days_words(explanation),
    }
    if told["day"]:
        return _("Closed until %(day)s: %(clinic)s.") % told
    return _("Closed %(days)s: %(clinic)s.") % told


def _away(explanation: Explanation) -> str:
    told = {
        "name": _name(explanation),
        "day": _until(explanation),
        "days": days_words(explanation),
    }
    if told["name"] and told["day"]:
        return _("%(name)s is away until %(day)s.") % told
    if told["name"]:
        return _("%(name)s is away %(days)s.") % told
    if told["day"]:
        return _("Everybody who fits is away until %(day)s.") % told
    return _("Everybody who fits is away %(days)s.") % told


def _booked_out(explanation: Explanation) -> str:
    gap = explanation.finding.gap
    later = explanation.change(ChangeKind.LATER)
    if gap is not None and not gap.beside_visits:
        return _gap_words(gap, explanation)
    if later is not None:
        told = {"day": day_words(later.slot.local_start.date(), explanation)}
        booked = _("Booked out until %(day)s.") % told
    else:
        booked = _("Booked out %(days)s.") % {"days": days_words(explanation)}
    return f"{booked} {_gap_words(gap, explanation)}" if gap else booked


def _gap_words(gap: Gap, explanation: Explanation) -> str:
    kind = explanation.query.visit_type
    told = {
        "longest": minutes_in_words(gap.longest // MINUTE),
        "needed": minutes_in_words(gap.needed // MINUTE),
        "type": kind.label,
        "when": when_words(gap.start, explanation.query.clinics[0].zone),
    }
    if gap.longest >= gap.needed:
        return _("No start time falls into the longest free gap: %(longest)s, %(when)s.") % told
    if kind.buffer_before_minutes or kind.buffer_after_minutes:
        return _("Longest free gap %(longest)s; %(type)s needs %(needed)s with buffers.") % told
    return _("Longest free gap %(longest)s; %(type)s needs %(needed)s.") % told


def _held(explanation: Explanation) -> str:
    until = explanation.finding.until
    if until is None:
        return _("The last free times are being kept for somebody.")
    told = {"time": clock(until.astimezone(explanation.query.clinics[0].zone))}
    return _("The last free times are being kept; the first may be free again at %(time)s.") % told


def _notice(explanation: Explanation) -> str:
    kind = explanation.query.visit_type
    told = {"type": kind.label, "notice": ahead_words(kind.minimum_notice_minutes)}
    return _("What is free begins too soon: %(type)s is booked at least %(notice)s ahead.") % told


def _horizon(explanation: Explanation) -> str:
    told = {
        "type": explanation.query.visit_type.label,
        "day": day_words(last_bookable(explanation), explanation),
    }
    return _("%(type)s can be booked until %(day)s.") % told


def _filtered_out(explanation: Explanation) -> str:
    query, blamed = explanation.query, explanation.finding.filters
    if Filter.DATES in blamed:
        return _("These days are over.")
    told = {"part": part_words(explanation), "weekdays": _weekdays(query.weekdays)}
    if blamed == {Filter.TIME_OF_DAY}:
        found = _("Free at other times of day, but not %(part)s.") % told
    elif blamed == {Filter.WEEKDAY}:
        found = _("Free on other days, but not on %(weekdays)s.") % told
    else:
        found = _("Free at other times, but not %(part)s on %(weekdays)s.") % told
    if explanation.finding.among_wanted is Reason.OUTSIDE_HOURS:
        nobody_works = _("Nobody has hours then.")
        return f"{found} {nobody_works}"
    return found


def _weekdays(days: frozenset[int]) -> str:
    return get_text_list([str(WEEKDAYS[day]) for day in sorted(days)], _("and"))


def _name(explanation: Explanation) -> str:
    provider = explanation.query.provider
    return provider.name if provider else ""


def _until(explanation: Explanation) -> str:
    """Return the day on which the first absence ends, if that is known."""
    until = explanation.finding.until
    if until is None:
        return ""
    return day_words(until.astimezone(explanation.query.clinics[0].zone).date(), explanation)
