"""Which kind of browser on which kind of device a User-Agent header speaks of, in plain words.

A header can say anything: the words help a person to know their own devices, and prove nothing.
"""

from __future__ import annotations

BROWSERS = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
]
DEVICES = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "Chromebook"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
]


def browser_name(user_agent: str) -> str:
    """Return the browser's name; "" of one that is not known."""
    return _first(BROWSERS, user_agent)


def device_name(user_agent: str) -> str:
    """Return the kind of device, or its system; "" of one that is not known."""
    return _first(DEVICES, user_agent)


def _first(names: list[tuple[str, str]], user_agent: str) -> str:
    return next((name for mark, name in names if mark in user_agent), "")
