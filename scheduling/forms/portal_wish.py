"""Reads the choices in a portal address. Anything that is not one of ours is no such page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import OuterRef, QuerySet

from providers.beside import beside, made
from providers.models import Clinic, InsurancePlan, Provider, Specialty, VisitType
from scheduling.wishes import PARTS_OF_DAY, VIDEO, Wish

LANGUAGE = r"\A[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z"
WHO = r"\A(me|other|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z"


class UnknownChoice(ValueError):
    """The address names something that is not, or is no longer, on offer."""


class WishForm(forms.Form):
    """The query string, field by field; every one may be missing."""

    who = forms.RegexField(WHO, required=False)
    first = forms.ChoiceField(choices=[("yes", ""), ("no", "")], required=False)
    type = forms.RegexField(r"\A[-\w]{1,30}\Z", required=False)
    care = forms.UUIDField(required=False)
    place = forms.ChoiceField(choices=[("clinic", ""), (VIDEO, "")], required=False)
    language = forms.RegexField(LANGUAGE, max_length=35, required=False)
    plan = forms.UUIDField(required=False)
    provider = forms.UUIDField(required=False)
    time = forms.ChoiceField(choices=[(part, "") for part in PARTS_OF_DAY], required=False)


def read_wish(data: Mapping[str, str], clinics: QuerySet[Clinic]) -> Wish:
    """Return the choices that an address carries, at the one clinic of `clinics`.

    Clinic and choices are read in one statement. Raises UnknownChoice.
    """
    form = WishForm({name: data[name] for name in WishForm.base_fields if name in data})
    if not form.is_valid():
        raise UnknownChoice
    given = {name: value for name, value in form.cleaned_data.items() if value}
    rows = _rows(given)
    clinic = clinics.annotate(**{f"its_{name}": beside(found) for name, found in rows.items()})
    at = clinic.first()
    if at is None:
        raise UnknownChoice
    found = {name: made(rows[name].model, getattr(at, f"its_{name}")) for name in rows}
    if any(found[name] is None for name in rows if name != "video"):
        raise UnknownChoice
    kind = found.get("kind")
    return Wish(
        clinic=at,
        params={name: str(value) for name, value in given.items()},
        kind=kind,
        video=found.get("video") if kind is not None and not kind.is_telehealth else None,
        specialty=found.get("specialty"),
        plan=found.get("plan"),
        provider=found.get("provider"),
    )


def _rows(given: Mapping[str, Any]) -> dict[str, QuerySet[Any]]:
    """Return where to find what the address names, for a statement that reads the clinic."""
    found: dict[str, QuerySet[Any]] = {}
    if "type" in given:
        found["kind"] = online_types().filter(code=given["type"])
    if given.get("place") == VIDEO:
        found["video"] = online_types().filter(is_telehealth=True)
    if "care" in given:
        found["specialty"] = Specialty.objects.filter(pk=given["care"])
    if "plan" in given:
        found["plan"] = InsurancePlan.objects.filter(pk=given["plan"])
    if "provider" in given:
        offered = offered_providers(OuterRef("pk")).order_by()
        found["provider"] = offered.filter(pk=given["provider"])
    return found


def online_types() -> QuerySet[VisitType]:
    """Return the visits that patients book by themselves."""
    return VisitType.objects.filter(bookable_online=True)


def offered_providers(clinic: Clinic | OuterRef) -> QuerySet[Provider]:
    """Return the providers whom patients of this clinic can choose."""
    return (
        Provider.objects.bookable()
        .filter(schedules__clinic=clinic, schedules__is_active=True)
        .select_related("specialty")
        .distinct()
    )
