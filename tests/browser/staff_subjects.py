"""The pages of desk, provider and admin to photograph, with rows of the seeded clinic."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from providers.models import Provider
from scheduling.models import Appointment
from scheduling.seeding import cast
from scheduling.transitions import Status
from tests.browser import visitors
from tests.browser.subjects import Subject


def _accounts() -> list[Subject]:
    anybody, member = visitors.browser(), visitors.staff("desk")
    public = [
        "account_login",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key_done",
    ]
    own = ["account_logout", "account_reauthenticate", "account_change_password"]
    return [
        *(Subject(name, "staff", anybody) for name in public),
        *(Subject(name, "staff", member) for name in own),
    ]


def _desk() -> list[Subject]:
    return []


def _provider() -> list[Subject]:
    client = visitors.staff("provider")
    own = Provider.objects.get(name=cast.CLINICIANS[0].name)
    visits = Appointment.objects.filter(provider=own)
    done = visits.filter(status=Status.COMPLETED).order_by("-scheduled_start").first()
    coming = visits.live().filter(scheduled_start__gt=timezone.now()).earliest("scheduled_start")
    assert done
    return [
        Subject("provider:today", "provider", client),
        Subject("provider:week", "provider", client),
        Subject("provider:visit", "provider", client, {"pk": coming.pk}, label="coming"),
        Subject("provider:visit", "provider", client, {"pk": done.pk}, label="done"),
        Subject("provider:note", "provider", client, {"pk": done.pk}),
    ]


def _admin() -> list[Subject]:
    client = visitors.staff("admin")
    names = ["index", "password_change", "password_change_done"]
    pages = [Subject(f"admin:{name}", "admin", client) for name in names]
    for model in admin.site._registry:
        pages += _admin_pages(client, model)
    return pages


def _admin_pages(client: Client, model: type[Model]) -> list[Subject]:
    prefix = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    row = model._default_manager.order_by("pk").first()
    pages = [Subject(f"{prefix}_changelist", "admin", client)]
    allowed: dict[str, Any] = {"add": {}}
    if row is not None:
        given = {"object_id": str(row.pk)}
        allowed |= {"change": given, "delete": given, "history": given}
    pages += [Subject(f"{prefix}_{act}", "admin", client, given) for act, given in allowed.items()]
    return pages


def _gallery() -> list[Subject]:
    frames = ("portal", "desk", "provider")
    return [
        Subject("gallery", "gallery", visitors.browser(), {}, f"as={name}", name) for name in frames
    ]


WAYS = [_accounts, _desk, _provider, _admin, _gallery]
