"""Messages from typed slots: the words of templates/messages/ in a language, by a channel.

Decides which kind of message speaks for several, and what is cut so that a text is one part.
Reads no row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from patients.contacts import show_phone
from reminders.gsm import PART, fold, septets
from reminders.kinds import Channel, Kind, NoticeKind
from reminders.letters import (
    Letter,
    VisitSlot,
    full_moment,
    short_day,
    short_deadline,
    told_from,
)
from reminders.names import given_name, short, short_provider

__all__ = ["Composed", "Letter", "VisitSlot", "is_automated", "leading", "nearest", "render"]

# Of several kinds in one message, the first of these gives it its words.
LEADING: list[Kind | NoticeKind] = [
    *NoticeKind,
    Kind.FOLLOW_UP,
    Kind.REQUEST,
    Kind.REMINDER,
    Kind.JOIN,
]
AUTOMATED = {*Kind, NoticeKind.OFFER}
# The names in a text that would be two parts are cut in this order, each to so many septets.
CUTS = [("provider", 8), ("name", 5), ("sender", 10), ("provider", 0), ("name", 0), ("sender", 4)]
# Characters of SITE_URL ("https://" and a host) with which no name is cut, and with which a text
# is still one part after all names are.
SITE_URL_FITS, SITE_URL_MOST = 24, 48
EMPTY_LINES = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Composed:
    """A message that can leave; a notification's title is its subject. `url` is its one link."""

    subject: str
    text: str
    url: str = ""
    unsubscribe_url: str = ""


@dataclass(frozen=True, slots=True)
class Room:
    """What each name in a text may take, in septets."""

    sender: int = 20
    name: int = 12
    provider: int = 14


def render(*, kinds: Sequence[str], channel: Channel, language: str, letter: Letter) -> Composed:
    """Return a message in the language nearest to a tag, "es" or "es-MX".

    A text is in the alphabet of `gsm` and one part of it, as long as SITE_URL has at most
    `SITE_URL_MOST` characters; from `SITE_URL_FITS` on, names give way to it. Raises
    ValueError for no known kind, TemplateDoesNotExist for a channel by which a kind never goes.
    """
    kind = leading(kinds)
    folder = f"messages/{kind.value.lower()}"
    if kind is NoticeKind.REPLY:
        folder = f"{folder}_{letter.answer.lower()}"
    with translation.override(nearest(language)):
        if channel == Channel.SMS:
            return Composed("", _text(folder, letter), letter.url)
        slots = _slots(letter)
        if channel == Channel.PUSH:
            title = _on_one_line(letter.clinic_name)
            return Composed(title, _one_line(f"{folder}/push.txt", slots), letter.url)
        unsubscribe_url = letter.unsubscribe_url if is_automated(kinds) else ""
        slots["unsubscribe_url"] = unsubscribe_url
        subject = _one_line(f"{folder}/subject.txt", slots)
        body = EMPTY_LINES.sub("\n\n", render_to_string(f"{folder}/body.txt", slots)).strip() + "\n"
        return Composed(subject, body, letter.url, unsubscribe_url)


def leading(kinds: Sequence[str]) -> Kind | NoticeKind:
    """Return the kind whose words a message of these kinds takes. Raises ValueError for none."""
    known = [kind for kind in LEADING if kind.value in kinds]
    if not known:
        raise ValueError(f"no words for messages of the kinds {list(kinds)}")
    return known[0]


def is_automated(kinds: Sequence[str]) -> bool:
    """Say whether a message answers nothing that anybody did: its e-mail can be unsubscribed."""
    return any(kind.value in kinds for kind in AUTOMATED)


def nearest(language: str) -> str:
    """Return the site's language that comes nearest to a tag; the default for any other."""
    try:
        return translation.get_supported_language_variant(language)
    except LookupError:
        return settings.LANGUAGE_CODE


def _slots(letter: Letter) -> dict[str, object]:
    """Return what the templates of e-mails and notifications see."""
    clinic, name = _on_one_line(letter.clinic_name), given_name(letter.given_name)
    return {
        **_of_all(letter),
        "opening": f"{clinic}: {name}, " if name else f"{clinic}: ",
        "greeting": f"{name}, " if name else "",
        "clinic_name": clinic,
        "site_name": clinic,
        "phone": show_phone(letter.clinic_phone),
        "visits": letter.visits,
        "visit": letter.visits[0] if letter.visits else None,
        "instead": letter.instead,
        "may_be_freed": any(visit.asks and visit.may_be_freed for visit in letter.visits),
        "until": full_moment(letter.deadline) if letter.deadline else "",
    }


def _of_all(letter: Letter) -> dict[str, object]:
    """Return the slots that every channel's templates see."""
    return {
        "count": len(letter.visits),
        "asks": any(visit.asks for visit in letter.visits),
        "url": letter.url,
        "code": letter.code,
        "minutes": letter.minutes,
        "is_sooner": letter.instead is not None,
        "is_shared": letter.is_shared,
    }


def _text(folder: str, letter: Letter) -> str:
    """Return a text message, one part of it: without what it can do without, or names cut."""
    room = Room()
    words = _text_in(folder, letter, room)
    is_brief = letter.instead is not None and septets(words) > PART
    if is_brief:
        words = _text_in(folder, letter, room, is_brief=True)
    for name, least in CUTS:
        over = septets(words) - PART
        if over <= 0:
            break
        has = septets(asdict(_names(letter, room))[name])
        room = replace(room, **{name: max(least, has - over)})
        words = _text_in(folder, letter, room, is_brief=is_brief)
    return words


@dataclass(frozen=True, slots=True)
class Names:
    """The names in a text, as they fit; one that says nothing any more is empty."""

    sender: str
    name: str
    provider: str


def _names(letter: Letter, room: Room) -> Names:
    return Names(
        short(letter.sms_name or letter.clinic_name, room.sender),
        short(given_name(letter.given_name), room.name),
        short_provider(letter.visits[0].provider if letter.visits else "", room.provider),
    )


def _text_in(folder: str, letter: Letter, room: Room, *, is_brief: bool = False) -> str:
    """Return a text with its names in so much room, in the alphabet of text messages.

    One that `is_brief` says nothing of the visit that there is now.
    """
    names = _names(letter, room)
    opening = f"{names.sender}: {names.name}, " if names.name else f"{names.sender}: "
    slots = {**_of_all(letter), "opening": opening}
    if letter.visits:
        slots |= _visit_in_short(letter.visits[0], names.provider)
        slots |= _offer_in_short(letter, letter.visits[0], is_brief=is_brief)
    return fold(_one_line(f"{folder}/sms.txt", slots))


def _visit_in_short(visit: VisitSlot, provider: str) -> dict[str, str]:
    """Return what a text says of a visit: `see` is with a verb, `visit` without one."""
    slots = {
        "when": visit.when,
        "day": short_day(visit.start),
        "time": visit.short_time,
        "provider": provider,
        "visit": visit.when,
        "see": _("visit %(when)s") % {"when": visit.when},
    }
    if provider:
        slots["visit"] = f"{visit.when}, {provider}"
        slots["see"] = _("see %(provider)s %(when)s") % {"provider": provider, "when": visit.when}
    return slots


def _offer_in_short(letter: Letter, offered: VisitSlot, *, is_brief: bool) -> dict[str, str]:
    """Return until when an offer stands, and which visit there is now, where a text has room."""
    slots = {}
    if letter.deadline is not None:
        with_zone = offered.own_start is not None
        slots["until"] = short_deadline(letter.deadline, with_zone=with_zone)
    if letter.instead is not None and not is_brief:
        slots["instead"] = told_from(letter.instead, offered)
    return slots


def _one_line(template: str, slots: dict[str, object]) -> str:
    return _on_one_line(render_to_string(template, slots))


def _on_one_line(text: str) -> str:
    """Return a text without line breaks, whatever a clinic's name holds: a header ends at one."""
    return " ".join(text.split())
