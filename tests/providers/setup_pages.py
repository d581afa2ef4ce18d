"""Using the set-up pages as a browser does: forms are sent as they are shown, with changes."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.forms import ModelMultipleChoiceField
from django.test import Client
from django.urls import reverse

from providers.models import Provider, ProviderCalendar


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address(model: str, what: str, *args: Any) -> str:
    return reverse(f"admin:{model}_{what}", args=args)


def stamp(provider: Provider) -> int:
    return ProviderCalendar.objects.get(provider=provider).stamp


def check_deferred_rules() -> None:
    """Let the deferred triggers judge now what they would judge at commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def posted(client: Client, url: str, values: dict[str, Any]) -> Any:
    """Send a form as the page shows it, inlines included, with some values replaced."""
    answer = client.post(url, filled(client, url, values))
    if answer.status_code == 200:
        raise AssertionError(problems(answer))
    check_deferred_rules()
    return answer


def filled(client: Client, url: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return what a browser would send of a form as the page shows it, with these values."""
    page = client.get(url)
    assert page.status_code == 200
    data: dict[str, Any] = {}
    shown = page.context["adminform"].form
    forms = [shown, *(f for fs in page.context["inline_admin_formsets"] for f in fs.formset.forms)]
    for form in forms:
        for bound in form:
            data |= _as_sent(bound)
    for formset in page.context["inline_admin_formsets"]:
        for bound in formset.formset.management_form:
            data |= _as_sent(bound)
    return {k: v for k, v in (data | values).items() if v is not None}


def _as_sent(bound: Any) -> dict[str, Any]:
    value = bound.value()
    if hasattr(bound.field, "fields") and not isinstance(value, list):
        parts = [value.date(), value.time()] if value else [None, None]
        return {
            f"{bound.html_name}_{n}": part.isoformat() if part else ""
            for n, part in enumerate(parts)
        }
    if isinstance(value, bool):
        return {bound.html_name: "on"} if value else {}
    if isinstance(value, date | time | datetime):
        return {bound.html_name: value.isoformat()}
    if isinstance(bound.field, ModelMultipleChoiceField):
        return {bound.html_name: value} if value else {}
    if bound.name == "languages":
        return {bound.html_name: ",".join(value)}
    return {bound.html_name: "" if value is None else value}


def problems(answer: Any) -> list[Any]:
    formsets = answer.context["inline_admin_formsets"]
    errors = [answer.context["adminform"].form.errors]
    return errors + [(fs.formset.errors, fs.formset.non_form_errors()) for fs in formsets]
