"""The answers of a booking in rows of words, each with the page on which it can be changed."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from patients.contacts import show_phone
from scheduling.forms.portal import DetailsForm, ReasonForm
from scheduling.models import SlotHold
from scheduling.presenters import clock, long_date
from scheduling.visit_words import visit_length, visit_name, zone_words
from scheduling.wishes import Wish


@dataclass(frozen=True, slots=True)
class Answer:
    """One row; `change_href` is where it is asked, or nothing where it is not."""

    label: str
    value: str
    change_href: str = ""


def answers(hold: SlotHold, form: ReasonForm, wish: Wish) -> list[Answer]:
    """Return all answers of a valid form and of the choices before it."""
    details = reverse("portal:details", args=[hold.pk])
    reason = form.cleaned_data["reason"] or _("Not given")
    return [
        *_visit_rows(hold, wish),
        *_person_rows(hold, form, wish, details),
        Answer(_("Reason for the visit"), reason, details),
    ]


def _visit_rows(hold: SlotHold, wish: Wish) -> list[Answer]:
    start = hold.visit_start.astimezone(hold.clinic.zone)
    kind = hold.visit_type
    what = ", ".join(part for part in (visit_name(kind), visit_length(kind)) if part)
    when = f"{long_date(start)}\n{clock(start)}, {zone_words(hold.clinic.zone)}"
    where = f"{hold.clinic.name}\n{hold.clinic.address}".strip()
    return [
        Answer(_("Visit"), what, wish.address("visit")),
        Answer(_("When"), when, wish.address("days")),
        Answer(_("With"), hold.provider.name, wish.address("preferences")),
        Answer(_("Where"), _("By video, from home") if kind.is_telehealth else where),
    ]


def _person_rows(hold: SlotHold, form: ReasonForm, wish: Wish, details: str) -> list[Answer]:
    if not isinstance(form, DetailsForm):
        name = hold.patient.full_name if hold.patient else ""
        return [Answer(_("For"), name, wish.address("who"))]
    told = form.details()
    born = date_format(told.dob, "DATE_FORMAT") if told.dob else ""
    return [
        Answer(_("For"), f"{told.given_name} {told.family_name}", details),
        Answer(_("Date of birth"), born, details),
        Answer(_("E-mail"), told.email, details),
        Answer(_("Phone"), show_phone(told.phone), details),
    ]
