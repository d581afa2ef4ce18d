"""How recovery codes are shown and carried away."""

from __future__ import annotations

from urllib.parse import quote

from django import template
from django.conf import settings

register = template.Library()


@register.filter
def in_fours(code: str) -> str:
    """Return a code in groups of four: "123456789012" → "1234 5678 9012"."""
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))


@register.filter
def as_download(codes: list[str]) -> str:
    """Return codes as the address of a text file, so that no page has to hand them out again."""
    lines = [settings.SITE_NAME, "", *map(in_fours, codes), ""]
    return "data:text/plain;charset=utf-8," + quote("\r\n".join(lines))
