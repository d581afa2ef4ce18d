"""Template filters for shares and how sure they are."""

from __future__ import annotations

from django import template

from reminders import report_words
from reminders.figures import Rate

register = template.Library()


@register.filter
def percent(share: float) -> str:
    """{{ rate.share|percent }} → "7.4%"."""
    return report_words.percent(share)


@register.filter
def roundpercent(share: float) -> str:
    """{{ tick.share|roundpercent }} → "20%"."""
    return report_words.percent(share, 0)


@register.filter
def between(rate: Rate) -> str:
    """{{ rate|between }} → "5.1% to 10.3%"."""
    return report_words.range_words(rate)
