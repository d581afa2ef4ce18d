"""The desk's pages about gaps and who waits, on a day when some time came free."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from patients.models import Patient
from providers.models import Provider, VisitType
from scheduling import booking, gap_counts
from scheduling.actors import Actor
from scheduling.models import Appointment, CancelReason, Opening, WaitlistEntry
from scheduling.seeding import cast
from scheduling.waitlist import entries, offering
from scheduling.waitlist.wishing import Wish
from tests.browser import visitors
from tests.browser.subjects import Subject

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FEW = 5


def _freed(now: datetime) -> tuple[Provider, list[Opening]]:
    """Free some visits of one provider on the days to come."""
    visits = Appointment.objects.live().filter(
        scheduled_start__gt=now + 2 * DAY,
        appointment_type__code="FOLLOW_UP",
        overbook_lane=0,
        arrived_at=None,
    )
    related = visits.select_related("patient", "clinic", "provider", "appointment_type")
    first = related.order_by("scheduled_start")[0]
    chosen = related.filter(provider=first.provider).order_by("scheduled_start")[:3]
    for visit in chosen:
        booking.cancel(
            appointment=visit,
            reason=CancelReason.UNCONFIRMED.value,
            by=Actor.system("reminders"),
            now=now,
        )
    opened = Opening.objects.filter(provider=first.provider, state=Opening.State.OPEN)
    related_openings = opened.select_related("provider", "clinic__time_zone", "visit_type")
    return first.provider, list(related_openings.order_by("span")[:3])


def _waiting(provider: Provider, gap: Opening, by: Actor, now: datetime) -> list[WaitlistEntry]:
    """Let some patients wait for this provider, each with wishes of their own."""
    visit_type = gap.visit_type or VisitType.objects.get(code="FOLLOW_UP")
    today = now.astimezone(gap.clinic.zone).date()
    busy = Appointment.objects.live().filter(provider=provider, scheduled_start__gt=now)
    patients = Patient.objects.filter(clinic=gap.clinic, merged_into=None)
    found = []
    for number, patient in enumerate(patients.exclude(pk__in=busy.values("patient"))[:FEW]):
        wish = Wish(
            appointment_type=visit_type,
            provider=provider,
            earliest=today,
            latest=today + (30 + number) * DAY,
            weekdays=(0, 1, 2, 3, 4) if number % 2 else (),
            before=time(17) if number % 3 else None,
            minimum_notice=(1 + number) * HOUR,
            urgency="URGENT" if number == FEW - 1 else "ROUTINE",
        )
        entry, _is_new = entries.join(
            patient=patient,
            clinic=gap.clinic,
            wish=wish,
            source=WaitlistEntry.Source.DESK,
            by=by,
            now=now - 5 * number * DAY,
        )
        found.append(entry)
    return found


def _gaps() -> list[Subject]:
    now, client = timezone.now(), visitors.staff("desk")
    user = User.objects.get(username=f"{visitors.STAFF['desk']}@{cast.DOMAIN}")
    by = Actor.staff(user.pk)
    provider, openings = _freed(now)
    called, quiet = openings[0], openings[-1]
    waiting = _waiting(provider, called, by, now)
    offering.offer_by_phone(opening=called, entry=waiting[1], by=by, now=now)
    entries.pause(waiting[2], by=by, now=now)
    visit = Appointment.objects.live().filter(scheduled_start__gt=now + 9 * DAY)[0]
    gap_counts.forget()
    return [
        Subject("desk:gaps", "desk", client),
        Subject("desk:gap", "desk", client, {"pk": called.pk}, label="offered"),
        Subject("desk:gap", "desk", client, {"pk": quiet.pk}, label="open"),
        Subject("desk:gap_withdraw", "desk", client, {"pk": called.pk}),
        Subject("desk:waitlist", "desk", client),
        Subject("desk:waitlist", "desk", client, query="urgency=URGENT", label="urgent"),
        Subject("desk:waitlist_find", "desk", client),
        Subject("desk:waitlist_entry", "desk", client, {"pk": waiting[1].pk}),
        Subject("desk:waitlist_entry", "desk", client, {"pk": waiting[2].pk}, label="paused"),
        Subject("desk:waitlist_leave", "desk", client, {"pk": waiting[0].pk}),
        Subject("desk:waitlist_join", "desk", client, {"pk": waiting[0].patient_id}),
        Subject(
            "desk:waitlist_join",
            "desk",
            client,
            {"pk": visit.patient_id},
            f"replaces={visit.pk}",
            "sooner",
        ),
    ]


WAYS = [_gaps]
