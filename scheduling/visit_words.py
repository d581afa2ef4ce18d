"""What visits and zones are called on the portal: plain words for people who are not well."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from providers.models import VisitType

WORDS: dict[str, tuple[Promise, Promise]] = {
    "NEW_PATIENT": (
        gettext_lazy("First visit"),
        gettext_lazy("We get to know you and talk about your health"),
    ),
    "FOLLOW_UP": (
        gettext_lazy("Follow-up visit"),
        gettext_lazy("We look again at something you were seen for"),
    ),
    "URGENT_CARE": (
        gettext_lazy("Something that cannot wait"),
        gettext_lazy("New pain, a fever or an injury that is not an emergency"),
    ),
    "TELEHEALTH": (
        gettext_lazy("Visit by video"),
        gettext_lazy("You talk with us by video, from home"),
    ),
}
# A first visit is offered on the first visit only, a follow-up only afterwards.
NOT_OFFERED = {"yes": {"FOLLOW_UP"}, "no": {"NEW_PATIENT"}}

ZONES = {
    "America/New_York": gettext_lazy("Eastern time"),
    "America/Detroit": gettext_lazy("Eastern time"),
    "America/Chicago": gettext_lazy("Central time"),
    "America/Denver": gettext_lazy("Mountain time"),
    "America/Phoenix": gettext_lazy("Arizona time"),  # in summer it is not the mountains'
    "America/Los_Angeles": gettext_lazy("Pacific time"),
    "America/Anchorage": gettext_lazy("Alaska time"),
    "Pacific/Honolulu": gettext_lazy("Hawaii time"),
    "America/Puerto_Rico": gettext_lazy("Atlantic time"),
}
LANGUAGES = {
    "ar": gettext_lazy("Arabic"),
    "de": gettext_lazy("German"),
    "en": gettext_lazy("English"),
    "es": gettext_lazy("Spanish"),
    "fr": gettext_lazy("French"),
    "hi": gettext_lazy("Hindi"),
    "ht": gettext_lazy("Haitian Creole"),
    "ko": gettext_lazy("Korean"),
    "pt": gettext_lazy("Portuguese"),
    "ru": gettext_lazy("Russian"),
    "ta": gettext_lazy("Tamil"),
    "tl": gettext_lazy("Tagalog"),
    "vi": gettext_lazy("Vietnamese"),
    "zh": gettext_lazy("Chinese"),
}


def visit_name(kind: VisitType) -> str:
    """Return what patients call a visit; a type of the clinic's own has its own label."""
    return str(WORDS[kind.code][0]) if kind.code in WORDS else kind.label


def visit_note(kind: VisitType) -> str:
    """Return a line that explains a visit, with its length where it is fixed."""
    about = str(WORDS[kind.code][1]) if kind.code in WORDS else ""
    return ", ".join(part for part in (about, visit_length(kind)) if part)


def visit_length(kind: VisitType) -> str:
    if kind.minutes is None:
        return ""
    return ngettext("%(n)d minute", "%(n)d minutes", kind.minutes) % {"n": kind.minutes}


def zone_words(zone: ZoneInfo) -> str:
    """Return a zone as people say it: "Eastern time", or "Nairobi time" where there is no word."""
    if zone.key in ZONES:
        return str(ZONES[zone.key])
    city = zone.key.rpartition("/")[2].replace("_", " ")
    return _("%(city)s time") % {"city": city}


def language_name(tag: str) -> str:
    """Return a language's name by its tag; the tag itself where no word is known."""
    name = LANGUAGES.get(tag) or LANGUAGES.get(tag.partition("-")[0])
    return str(name) if name else tag
