"""The patients' pages to photograph, on the way that patients take through them."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from scheduling import links
from scheduling.models import Appointment
from scheduling.models.appointment import AppointmentQuerySet
from scheduling.seeding import cast
from scheduling.transitions import Status
from tests.browser import visitors
from tests.browser.subjects import Subject

SLUG = {"slug": cast.CLINIC_SLUG}


def _finding() -> list[Subject]:
    client = visitors.browser()
    wish = f"who=me&{visitors.CHOSEN}"
    day = visitors.choices(client, visitors.days_address("me"), "day")[visitors.SOME_DAYS_ON]
    pages = [
        ("start", {}, ""),
        ("clinic", SLUG, ""),
        ("who", SLUG, ""),
        ("visit", SLUG, "who=me&first=no"),
        ("preferences", SLUG, wish),
        ("days", SLUG, wish),
        ("times", SLUG, f"{wish}&day={day}"),
        ("by_phone", SLUG, wish),
    ]
    nothing = Subject(
        "portal:days",
        "portal",
        client,
        SLUG,
        f"{wish}&language=zh-Hans&time=evening",
        label="nothing",
    )
    found = [Subject(f"portal:{name}", "portal", client, given, q) for name, given, q in pages]
    return [*found, nothing]


def _booking() -> list[Subject]:
    """A time that is kept by somebody unknown: once before, once after typing who comes."""
    newcomer, visitor = visitors.browser(), visitors.browser()
    untouched, hold = visitors.keep_a_time(newcomer), visitors.keep_a_time(visitor)
    visitors.fill_in(visitor, hold)
    visitors.go_on(visitor, hold)
    filled = [
        Subject(f"portal:{name}", "portal", visitor, {"pk": hold})
        for name in ("details", "check", "code")
    ]
    return [
        Subject("portal:details", "portal", newcomer, {"pk": untouched}, label="empty"),
        *filled,
    ]


def _booked() -> list[Subject]:
    patient = visitors.demo_patient()
    hold = visitors.keep_a_time(patient, who=str(visitors.own_record().pk))
    visitors.fill_in(patient, hold)
    visitors.go_on(patient, hold)
    return [
        Subject("portal:booked", "portal", patient, {"pk": hold}),
        Subject("portal:appointments", "portal", patient),
    ]


def _signing_in() -> list[Subject]:
    client = visitors.browser()
    visitors.ask_for_code(client)
    names = ["sign_in", "sign_in_code", "lost_link", "lost_link_sent"]
    ended = {"token": "a-token-that-ended"}
    return [
        *(Subject(f"portal:{name}", "portal", client) for name in names),
        Subject("portal:link", "portal", client, ended, label="ended", status=404),
    ]


def _managing() -> list[Subject]:
    client, now = visitors.browser(), timezone.now()
    week = Appointment.objects.filter(scheduled_end__gt=now - timedelta(hours=12))
    later = week.filter(scheduled_start__gt=now + timedelta(days=2))
    states = {
        "open": later.filter(status=Status.SCHEDULED),
        "confirmed": later.filter(status=Status.CONFIRMED),
        "cancelled": week.filter(status=Status.CANCELLED),
        "past": Appointment.objects.filter(status=Status.COMPLETED).order_by("-scheduled_end"),
    }
    return [
        Subject("portal:manage", "portal", client, _let_in(client, rows), label=label)
        for label, rows in states.items()
    ]


def _let_in(client: Client, rows: AppointmentQuerySet) -> dict[str, str]:
    """Open the first of these visits to a browser, by a link; return its page's arguments."""
    visit = rows.first()
    if visit is None:
        raise visitors.DeadEnd("the seeded week lacks a visit of this state")
    token = links.issue(visit, now=timezone.now())
    client.get(reverse("portal:link", args=[token]))
    return {"pk": str(visit.pk)}


def _changing() -> list[Subject]:
    client = visitors.browser()
    start = timezone.now() + timedelta(days=2)
    open_rows = Appointment.objects.filter(
        status=Status.SCHEDULED, scheduled_start__gt=start, appointment_type__code="FOLLOW_UP"
    )
    visit = _let_in(client, open_rows)
    change = reverse("portal:change", kwargs=visit)
    day = f"day={visitors.choices(client, change, 'day')[visitors.SOME_DAYS_ON]}"
    times = reverse("portal:change_times", kwargs=visit)
    slot = f"slot={visitors.choices(client, f'{times}?{day}', 'slot')[0]}"
    queries = {"cancel": "", "change": "", "change_times": day, "change_check": slot}
    return [Subject(f"portal:{name}", "portal", client, visit, q) for name, q in queries.items()]


WAYS = [_finding, _booking, _booked, _signing_in, _managing, _changing]
