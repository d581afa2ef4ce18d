"""The patients' pages about waiting and about offers, as somebody comes to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

from django.test import Client
from django.urls import reverse
from django.utils import timezone
from psycopg.types.range import Range

from providers.fields import new_id
from providers.models import Provider
from scheduling import links
from scheduling.models import Appointment, Opening, WaitlistEntry, WaitlistOffer
from scheduling.seeding import cast
from scheduling.transitions import Status
from tests.browser import visitors
from tests.browser.subjects import Subject

SLUG = {"slug": cast.CLINIC_SLUG}
SEARCH = "who=me&first=no&type=FOLLOW_UP"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ENDS = ("GONE", "EXPIRED", "DECLINED")


def _choices(provider: Provider, now: datetime, *, from_day: int) -> dict[str, str]:
    earliest = (now + from_day * DAY).date().isoformat()
    whom = f"provider:{provider.pk}"
    return {"whom": whom, "earliest": earliest, "part": "any", "notice": "120"}


def _new() -> list[Subject]:
    """Somebody unknown, who found no time."""
    client, now = visitors.browser(), timezone.now()
    provider = Provider.objects.bookable().filter(specialty__name="Family medicine")[0]
    soon, late = (
        f"{SEARCH}&{urlencode(_choices(provider, now, from_day=day))}" for day in (1, 300)
    )
    details = f"{reverse('portal:waitlist_details', kwargs=SLUG)}?{late}"
    sent = client.post(details, visitors.DETAILS)
    if urlsplit(sent.headers.get("Location", "")).path.split("/")[-2] != "code":
        raise visitors.DeadEnd(f"{sent.status_code} instead of the page for the code")
    return [
        Subject("portal:waitlist_join", "portal", client, SLUG, SEARCH),
        Subject("portal:waitlist_check", "portal", client, SLUG, soon, "free"),
        Subject("portal:waitlist_check", "portal", client, SLUG, late, "nothing"),
        Subject("portal:waitlist_details", "portal", client, SLUG, late),
        Subject("portal:waitlist_code", "portal", client, SLUG, late),
    ]


def _visits(now: datetime) -> list[Appointment]:
    """Return visits far enough away to be had sooner, each of another patient."""
    rows = Appointment.objects.filter(
        status=Status.SCHEDULED,
        scheduled_start__gt=now + 4 * DAY,
        appointment_type__code="FOLLOW_UP",
        waits_for_sooner=None,
    ).select_related("provider", "clinic", "appointment_type", "patient")
    return list({visit.patient_id: visit for visit in rows.order_by("-scheduled_start")}.values())


def _open(client: Client, visit: Appointment, now: datetime) -> None:
    client.get(reverse("portal:link", args=[links.issue(visit, now=now)]))


def _entry(visit: Appointment, now: datetime, **values: object) -> WaitlistEntry:
    return WaitlistEntry.objects.create(
        patient=visit.patient,
        clinic=visit.clinic,
        provider=visit.provider,
        appointment_type=visit.appointment_type,
        earliest_desired_date=(now + DAY).date(),
        replaces=visit,
        source=WaitlistEntry.Source.PORTAL,
        **values,
    )


def _offer(
    visit: Appointment, entry: WaitlistEntry, now: datetime, **values: object
) -> WaitlistOffer:
    """Write an offer to be looked at; what it offers is kept for nobody."""
    start = (now + 2 * DAY).replace(hour=15, minute=0, second=0, microsecond=0)
    opening = Opening.objects.create(
        provider=visit.provider,
        clinic=entry.clinic,
        visit_type=entry.appointment_type,
        span=Range(start, start + HOUR / 2),
        cause=Opening.Cause.CANCEL,
        state=Opening.State.CLOSED,
        ended=Opening.Ended.WITHDRAWN,
        ended_at=now,
    )
    return WaitlistOffer.objects.create(
        entry=entry,
        opening=opening,
        visit_type=entry.appointment_type,
        visit_start=start,
        visit_end=start + HOUR / 2,
        expires_at=now + 2 * HOUR,
        token_digest=new_id().bytes * 2,
        **values,
    )


def _waiting() -> list[Subject]:
    """Somebody who has a visit, by its link, from wanting it sooner to leaving the list."""
    client, now = visitors.browser(), timezone.now()
    free, waits, rests, *others = _visits(now)
    for visit in (free, waits, rests, *others[: len(ENDS)]):
        _open(client, visit, now)
    entry, paused = _entry(waits, now), _entry(rests, now, status="PAUSED")
    live = _offer(waits, entry, now)
    wish = urlencode({**_choices(free.provider, now, from_day=1), "replaces": str(free.pk)})
    found = [
        Subject("portal:waitlist_earlier", "portal", client, {"pk": free.pk}),
        Subject("portal:waitlist_earlier_check", "portal", client, {"pk": free.pk}, wish),
        Subject("portal:waitlist", "portal", client),
        Subject("portal:waitlist_entry", "portal", client, {"pk": entry.pk}),
        Subject("portal:waitlist_entry", "portal", client, {"pk": paused.pk}, label="paused"),
        Subject("portal:waitlist_change", "portal", client, {"pk": entry.pk}),
        Subject("portal:waitlist_leave", "portal", client, {"pk": entry.pk}),
        Subject("portal:offered", "portal", client, {"pk": live.pk}),
    ]
    for status, visit in zip(ENDS, others, strict=False):
        ended = _offer(visit, _entry(visit, now), now, status=status, answered_at=now)
        label = status.lower()
        found.append(Subject("portal:offered", "portal", client, {"pk": ended.pk}, label=label))
    unknown = {"token": "a-token-that-ended"}
    found.append(Subject("portal:offer", "portal", client, unknown, label="ended", status=404))
    return found


WAYS = [_new, _waiting]
