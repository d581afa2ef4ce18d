"""The pages of desk, provider and admin to photograph, with rows of the seeded clinic."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients.models import MatchCandidate
from providers.models import Provider
from scheduling.actors import Actor
from scheduling.availability import Query, search
from scheduling.models import Appointment
from scheduling.models.appointment import AppointmentQuerySet
from scheduling.policies import terms_for
from scheduling.seeding import cast
from scheduling.transitions import Status
from tests.browser import visitors
from tests.browser.subjects import Subject


def _accounts() -> list[Subject]:
    anybody, member = visitors.browser(), visitors.staff("desk")
    public = [
        "account_login",
        "account_inactive",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key_done",
    ]
    own = ["account_logout", "account_reauthenticate", "account_change_password"]
    return [
        *(Subject(name, "staff", anybody) for name in public),
        Subject("smart:callback", "staff", anybody, status=403),
        *(Subject(name, "staff", member) for name in own),
    ]


def _desk() -> list[Subject]:
    client, patient = visitors.staff("desk"), visitors.own_record()
    visit = _coming().exclude(patient=patient).earliest("scheduled_start")
    hold = visitors.keep_for_caller(client)
    monday = timezone.localdate() + timedelta(days=7 - timezone.localdate().weekday())
    asked = f"provider={visit.provider_id}&start={quote(_free_start(visit).isoformat())}"
    pages: list[tuple[str, dict[str, Any], str, str]] = [
        ("board", {}, "", ""),
        ("board", {}, f"day={monday}", "monday"),
        ("shortcuts", {}, "", ""),
        ("finder", {}, "", ""),
        ("patient", {"pk": patient.pk}, "", ""),
        ("patient_new", {}, "", ""),
        ("patient_edit", {"pk": patient.pk}, "", ""),
        ("next_available", {}, "", "empty"),
        ("next_available", {}, "type=FOLLOW_UP", ""),
        ("next_available", {}, "type=FOLLOW_UP&language=zh-Hans&part=evening", "nothing"),
        ("book", {}, asked, "who"),
        ("book", {}, f"{asked}&patient={patient.pk}", ""),
        ("series", {}, f"{asked}&patient={patient.pk}&type=FOLLOW_UP&times=4&every=1", ""),
        ("appointment", {"pk": visit.pk}, "", ""),
        ("cancel", {"pk": visit.pk}, "", ""),
        ("move", {"pk": visit.pk}, "", ""),
        ("hold", {"pk": hold}, "", ""),
    ]
    return [
        Subject(f"desk:{name}", "desk", client, given, query, label)
        for name, given, query, label in pages
    ]


def _records() -> list[Subject]:
    """Two records to compare, and two that one of the pages has just joined."""
    client = visitors.staff("desk")
    pair, joined = MatchCandidate.objects.waiting().order_by("chance", "pk")[:2]
    merge = visitors.join_records(client, joined)
    query = "keep=one&take=name"
    return [
        Subject("records:queue", "desk", client),
        Subject("records:pair", "desk", client, {"pk": pair.pk}),
        Subject("records:check", "desk", client, {"pk": pair.pk}, query),
        Subject("records:merges", "desk", client),
        Subject("records:merge", "desk", client, {"pk": merge}),
        Subject("records:of", "desk", client, {"pk": pair.one_id}),
    ]


def _coming() -> AppointmentQuerySet:
    return Appointment.objects.live().filter(
        scheduled_start__gt=timezone.now(), appointment_type__code="FOLLOW_UP"
    )


def _free_start(visit: Appointment) -> datetime:
    """Return a time of this visit's provider that nobody has taken yet."""
    today = timezone.localdate()
    query = Query(
        visit_type=visit.appointment_type,
        first_day=today,
        last_day=today + timedelta(days=20),
        clinics=(visit.clinic,),
        provider=visit.provider,
    )
    return search(query, terms=terms_for(Actor.staff(0)), now=timezone.now(), limit=1)[0].start


def _provider() -> list[Subject]:
    client = visitors.staff("provider")
    own = Provider.objects.get(name=cast.CLINICIANS[0].name)
    visits = Appointment.objects.filter(provider=own)
    done = visits.filter(status=Status.COMPLETED).order_by("-scheduled_start").first()
    coming = _coming().filter(provider=own).earliest("scheduled_start")
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
    names = ["index"]
    pages = [Subject(f"admin:{name}", "admin", client) for name in names]
    for model in admin.site._registry:
        pages += _admin_pages(client, model)
    return pages


def _admin_pages(client: Client, model: type[Model]) -> list[Subject]:
    prefix = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    row = model._default_manager.order_by("pk").first()
    pages = [Subject(f"{prefix}_changelist", "admin", client)]
    if _is_open(client, f"{prefix}_add"):
        pages.append(Subject(f"{prefix}_add", "admin", client))
    if row is not None:
        pages.append(Subject(f"{prefix}_change", "admin", client, {"object_id": str(row.pk)}))
    return pages


def _is_open(client: Client, page: str) -> bool:
    """Whether rows of this kind are made here at all."""
    return client.get(reverse(page)).status_code == 200


def _gallery() -> list[Subject]:
    frames = ("portal", "desk", "provider")
    return [
        Subject("gallery", "gallery", visitors.browser(), {}, f"as={name}", name) for name in frames
    ]


WAYS = [_accounts, _desk, _records, _provider, _admin, _gallery]
