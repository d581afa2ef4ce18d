"""Fills the town of the benchmarks: providers, their hours, and visits in 70 % of their time.

Visits are written by the server itself and lie on the quarter hours. Those of the first two
thousand providers fill thirty days, those of all others seven: more rows would take longer to
write than all figures to measure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from config.progress import step
from patients.models import Patient
from providers.calendars import bump
from providers.models import Clinic, InsurancePlan, Provider, ProviderSchedule, Weekday
from providers.npi import check_digit
from scheduling.models import SlotHold
from tests.benchmarks.rows import unguarded
from tests.benchmarks.town import DAYS, LANGUAGE, MONDAY, UNFIT_EACH, Town, inhabitants, is_fit
from tests.factories import ClinicFactory, PatientFactory, SpecialtyFactory, VisitTypeFactory

ZONES = ("America/New_York", "America/Phoenix", "Asia/Kolkata")
IN_A_CLINIC = 220  # of whom two hundred pass the filters
BOOKED_IN_FULL, FEWER_DAYS = 2_000, 7
HOLD_EACH = 50
OPENS = (time(7), time(7, 30), time(8), time(8, 30))
HALF_A_DAY, LUNCH = timedelta(hours=4), timedelta(hours=1)
SETTLED_FROM = date(2020, 1, 1)
AT_ONCE = 250
LONGER_THAN_ANY_HOURS = 300
TABLES = (
    "auth_user",
    "patients_patient",
    "providers_provider",
    "providers_provider_insurance_plans",
    "providers_providercalendar",
    "providers_providerschedule",
    "scheduling_appointment",
    "scheduling_slothold",
)
VISITS = """
INSERT INTO scheduling_appointment (id, reference, patient_id, provider_id, clinic_id,
    appointment_type_id, scheduled_start, scheduled_end, busy, overbook_lane, status,
    reason_for_visit, booked_via, version, sequence, created_at)
SELECT gen_random_uuid(), 'T' || lpad(to_hex(nextval('town_visit')), 7, '0'), pair.patient,
    pair.provider, clinic.id, %(kind)s, visit.start, visit.start + '15 min',
    tstzrange(visit.start, visit.start + '15 min'), 0, 'SCHEDULED', '', 'DESK', 0, 0, now()
FROM unnest(%(providers)s::uuid[], %(patients)s::uuid[]) AS pair (provider, patient)
CROSS JOIN generate_series(0, %(days)s - 1) AS n
CROSS JOIN LATERAL (SELECT %(first)s::date + n AS date) AS day
JOIN providers_providerschedule AS hours ON hours.provider_id = pair.provider
    AND hours.day_of_week = extract(isodow FROM day.date) - 1
JOIN providers_clinic AS clinic ON clinic.id = hours.clinic_id
CROSS JOIN LATERAL generate_series(day.date + hours.start_time,
    day.date + hours.end_time - '15 min'::interval, '15 min') AS local
CROSS JOIN LATERAL (SELECT local AT TIME ZONE clinic.time_zone_id AS start) AS visit
WHERE hashtextextended(pair.provider || ' ' || local, 7) & 1023 < 717
"""


_towns: list[Town] = []


def settled(size: int) -> Town:
    """Return the town with at least so many providers who pass the filters; nobody ever leaves."""
    town = _towns[-1] if _towns else _founded()
    if len(town.providers) < inhabitants(size):
        town = _grown(town, size)
    _towns.append(town)
    return town


def _founded() -> Town:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE IF NOT EXISTS town_visit")
    number = InsurancePlan.objects.count()
    return Town(
        specialty=SpecialtyFactory.create(),
        plan=InsurancePlan.objects.create(payer="Town", name="All", plan_code=f"TOWN-{number}"),
        quarter=VisitTypeFactory.create(minutes=15),
        twenty=VisitTypeFactory.create(minutes=20),
        longer_than_any_hours=VisitTypeFactory.create(minutes=LONGER_THAN_ANY_HOURS),
    )


def _grown(town: Town, size: int) -> Town:
    begin, end = len(town.providers), inhabitants(size)
    with step(f"Settling {size:,} providers"):
        town = replace(town, clinics=_clinics(town.clinics, end))
        new = _providers(town, range(begin, end))
        _give_hours(new)
    fit = [who for number, who in enumerate(new, begin) if is_fit(number)]
    full = max(0, BOOKED_IN_FULL - len(town.fit))
    with step(f"Booking 70 % of the time of {size:,} providers"):
        book(fit[:full], town, first=MONDAY, days=DAYS)
        book(fit[full:], town, first=MONDAY, days=FEWER_DAYS)
        _hold(fit[::HOLD_EACH], town)
        _tidy()
    return replace(town, providers=(*town.providers, *new))


def _clinics(clinics: tuple[Clinic, ...], people: int) -> tuple[Clinic, ...]:
    wanted = max(len(ZONES), -(-people // IN_A_CLINIC))
    zones = [ZONES[number % len(ZONES)] for number in range(len(clinics), wanted)]
    return (*clinics, *(ClinicFactory.create(time_zone__name=zone) for zone in zones))


def _providers(town: Town, numbers: range) -> list[Provider]:
    """Save providers; those who are not fit fail one filter each, and all four in turn."""
    elsewhere = SpecialtyFactory.create()
    users = User.objects.bulk_create(User(username=f"town{n}", password="!") for n in numbers)
    providers, insured = [], []
    for number, user in zip(numbers, users, strict=True):
        fails = None if is_fit(number) else number // UNFIT_EACH % 4
        spread = len(ZONES) * IN_A_CLINIC
        place = number % len(ZONES) if number < spread else number // IN_A_CLINIC
        provider = Provider(
            user=user,
            name=f"Dr. {number * 7919 % 100_003:06d}",
            specialty=elsewhere if fails == 0 else town.specialty,
            clinic=town.clinics[place],
            npi_number=_npi(number),
            languages=["en"] if fails == 1 else ["en", LANGUAGE],
            accepts_new_patients=fails != 2,
            is_active=True,
        )
        providers.append(provider)
        if fails != 3:
            insured.append(provider)
    Provider.objects.bulk_create(providers, batch_size=1_000)
    accepted = Provider.insurance_plans.through
    accepted.objects.bulk_create(
        (accepted(provider_id=who.pk, insuranceplan_id=town.plan.pk) for who in insured),
        batch_size=5_000,
    )
    return providers


def _npi(number: int) -> str:
    nine = str(200_000_000 + number)
    return nine + check_digit(nine)


def _give_hours(providers: Sequence[Provider]) -> None:
    """Four beginnings of the day, and for everybody another day since when they work here."""
    with transaction.atomic():
        ProviderSchedule.objects.bulk_create(
            (
                ProviderSchedule(
                    provider=provider,
                    clinic=provider.clinic,
                    day_of_week=weekday,
                    start_time=start,
                    end_time=end,
                    slot_duration_minutes=15,
                    valid_from=SETTLED_FROM + timedelta(days=number % 2_000),
                )
                for number, (provider, opens) in enumerate(zip(providers, cycle(OPENS)))
                for start, end in _stretches(opens)
                for weekday in Weekday
            ),
            batch_size=5_000,
        )
        bump(provider.pk for provider in providers)


def _stretches(opens: time) -> list[tuple[time, time]]:
    morning = datetime.combine(MONDAY, opens)
    afternoon = morning + HALF_A_DAY + LUNCH
    return [(begin.time(), (begin + HALF_A_DAY).time()) for begin in (morning, afternoon)]


def book(providers: Sequence[Provider], town: Town, *, first: date, days: int) -> None:
    """Book 70 % of these providers' quarter hours, each with a patient of their own."""
    if not providers:
        return
    people = PatientFactory.build_batch(len(providers), clinic=town.clinics[0])
    Patient.objects.bulk_create(people, batch_size=1_000)
    given: dict[str, Any] = {"kind": town.quarter.pk, "first": first, "days": days}
    with connection.cursor() as cursor, unguarded():
        cursor.execute("SET synchronous_commit = off")
        for begin in range(0, len(providers), AT_ONCE):
            some = slice(begin, begin + AT_ONCE)
            pairs = {
                "providers": [provider.pk for provider in providers[some]],
                "patients": [patient.pk for patient in people[some]],
            }
            cursor.execute(VISITS, given | pairs)
        cursor.execute("RESET synchronous_commit")
    with transaction.atomic():
        bump(provider.pk for provider in providers)


def _hold(providers: Sequence[Provider], town: Town) -> None:
    """Keep a quarter of an hour of the first morning with each of them until tomorrow."""
    start = datetime.combine(MONDAY, time(15), UTC)
    end = start + timedelta(minutes=15)
    with transaction.atomic():
        SlotHold.objects.bulk_create(
            SlotHold(
                provider=provider,
                clinic=provider.clinic,
                visit_type=town.quarter,
                visit_start=start,
                visit_end=end,
                busy=(start, end),
                purpose=SlotHold.Purpose.PHONE,
                holder="0",
                expires_at=timezone.now() + timedelta(days=1),
            )
            for provider in providers
        )
        bump(provider.pk for provider in providers)


def change_steps(town: Town, minutes: int) -> None:
    """Let visits begin every so many minutes in everybody's hours."""
    ids = [provider.pk for provider in town.providers]
    with step(f"Setting hours to steps of {minutes} minutes"), transaction.atomic():
        ProviderSchedule.objects.filter(provider__in=ids).update(slot_duration_minutes=minutes)
        bump(ids)
    _tidy()


def _tidy() -> None:
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"VACUUM ANALYZE {table}")
