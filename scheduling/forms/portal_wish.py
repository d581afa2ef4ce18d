"""Reads the choices in a portal address. Anything that is not one of ours is no such page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar
from uuid import UUID

from django import forms
from django.db.models import Model, QuerySet

from providers.models import Clinic, InsurancePlan, Provider, Specialty, VisitType
from scheduling.wishes import PARTS_OF_DAY, VIDEO, Wish

M = TypeVar("M", bound=Model)
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


def read_wish(data: Mapping[str, str], clinic: Clinic) -> Wish:
    """Return the choices that an address carries. Raises UnknownChoice."""
    form = WishForm({name: data[name] for name in WishForm.base_fields if name in data})
    if not form.is_valid():
        raise UnknownChoice
    given = {name: value for name, value in form.cleaned_data.items() if value}
    kind = _one(online_types(), "code", given.get("type"))
    by_video = given.get("place") == VIDEO and kind is not None and not kind.is_telehealth
    return Wish(
        clinic=clinic,
        params={name: str(value) for name, value in given.items()},
        kind=kind,
        video=online_types().filter(is_telehealth=True).first() if by_video else None,
        specialty=_one(Specialty.objects.all(), "pk", given.get("care")),
        plan=_one(InsurancePlan.objects.all(), "pk", given.get("plan")),
        provider=_one(offered_providers(clinic), "pk", given.get("provider")),
    )


def online_types() -> QuerySet[VisitType]:
    """Return the visits that patients book by themselves."""
    return VisitType.objects.filter(bookable_online=True)


def offered_providers(clinic: Clinic) -> QuerySet[Provider]:
    """Return the providers whom patients of this clinic can choose."""
    return (
        Provider.objects.bookable()
        .filter(schedules__clinic=clinic, schedules__is_active=True)
        .select_related("specialty")
        .distinct()
    )


def _one(rows: QuerySet[M], column: str, value: str | UUID | None) -> M | None:
    if not value:
        return None
    found = rows.filter(**{column: value}).first()
    if found is None:
        raise UnknownChoice
    return found
