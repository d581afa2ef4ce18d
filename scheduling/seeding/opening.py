"""Opens Riverside Clinic: the clinic, what it offers, who works there and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User

from providers import hours
from providers.models import (
    Clinic,
    ClinicClosure,
    InsurancePlan,
    Membership,
    Provider,
    ProviderSchedule,
    Role,
    Specialty,
    TimeOff,
    TimeZone,
    VisitType,
)
from providers.npi import check_digit
from scheduling.seeding import cast

DAY = timedelta(days=1)
YEAR = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Team:
    """The clinic as it stands; providers in the order of the cast, with what they see."""

    clinic: Clinic
    desk: User
    providers: list[tuple[Provider, cast.Clinician]]
    types: dict[str, VisitType]


def find_clinic() -> Clinic | None:
    return Clinic.objects.filter(slug=cast.CLINIC_SLUG).first()


def open_clinic(today: date) -> Clinic:
    """Make everything but patients and visits; their hours reach back fourteen months."""
    clinic = Clinic.objects.create(
        name=cast.CLINIC_NAME,
        slug=cast.CLINIC_SLUG,
        time_zone=TimeZone.objects.get(pk=cast.TIME_ZONE),
        address="12 Wharf Street\nPort Ellery, NY 10599",
        phone="+12125550100",
        sms_name=cast.CLINIC_NAME,
        telehealth_base_url="https://video.riverside.example/",
    )
    _catalogue()
    password = make_password(cast.PASSWORD)
    for person in cast.STAFF:
        user = _user(person.email, person.first, person.last, password)
        if person.role == Role.CLINIC_ADMIN:
            User.objects.filter(pk=user.pk).update(is_staff=True)
        Membership.objects.create(user=user, clinic=clinic, role=person.role)
    for number, clinician in enumerate(cast.CLINICIANS):
        _hire(clinician, clinic, npi=_npi(number), password=password, today=today)
    _absences(clinic, today)
    return clinic


def _catalogue() -> None:
    for name, code in cast.SPECIALTIES.items():
        Specialty.objects.get_or_create(nucc_code=code, defaults={"name": name})
    for payer, name, code in cast.PLANS:
        InsurancePlan.objects.get_or_create(plan_code=code, defaults={"payer": payer, "name": name})
    for kind in cast.VISIT_TYPES:
        VisitType.objects.get_or_create(
            code=kind.code,
            defaults={
                "label": kind.label,
                "minutes": kind.minutes,
                "buffer_after_minutes": kind.buffer_after,
                "minimum_notice_minutes": kind.notice,
                "is_telehealth": kind.is_telehealth,
                "confirmation_required": kind.confirmation_required,
                "auto_release_allowed": kind.auto_release_allowed,
            },
        )


def _npi(number: int) -> str:
    """Return a number of the right form that nobody can have been given."""
    first_nine = f"{199999900 + number}"
    return first_nine + check_digit(first_nine)


def _user(email: str, first: str, last: str, password: str) -> User:
    user, _ = User.objects.get_or_create(
        username=email,
        defaults={"email": email, "first_name": first, "last_name": last, "password": password},
    )
    return user


def _hire(
    clinician: cast.Clinician, clinic: Clinic, *, npi: str, password: str, today: date
) -> None:
    first, _, last = clinician.name.removeprefix("Dr. ").removesuffix(", NP").partition(" ")
    user = _user(clinician.email, first, last, password)
    Membership.objects.create(user=user, clinic=clinic, role=Role.PROVIDER)
    provider = Provider.objects.create(
        user=user,
        name=clinician.name,
        specialty=Specialty.objects.get(nucc_code=cast.SPECIALTIES[clinician.specialty]),
        clinic=clinic,
        npi_number=npi,
        languages=list(clinician.languages),
        accepts_new_patients=clinician.new_patients,
        offers_telehealth=clinician.telehealth,
        is_active=True,
    )
    provider.insurance_plans.set(InsurancePlan.objects.filter(plan_code__in=clinician.plans))
    _work(provider, clinician, valid_from=(today - YEAR - 60 * DAY).replace(day=1))


def _work(provider: Provider, clinician: cast.Clinician, *, valid_from: date) -> None:
    types = list(VisitType.objects.filter(code__in=clinician.types))
    windows = (
        (row, weekday, *span)
        for row in clinician.hours
        for weekday in row.days
        for span in row.windows
    )
    for row, weekday, start, end in windows:
        hours.save_schedule(
            ProviderSchedule(
                provider=provider,
                clinic=provider.clinic,
                day_of_week=weekday,
                start_time=start,
                end_time=end,
                slot_duration_minutes=row.step,
                valid_from=valid_from,
            ),
            visit_types=types,
        )


def _absences(clinic: Clinic, today: date) -> None:
    """A vacation that begins soon, a course, a sick day just past, and an afternoon closed."""
    soon, sick = _next(today + 2 * DAY, 0, 1, 2, 3), today - 3 * DAY
    plan = [
        ("Dr. Hannah Weiss", soon, time(0), soon + 5 * DAY, time(0), TimeOff.Reason.VACATION),
        ("Dr. Tomás Ibarra", today + DAY, time(13), today + DAY, time(18), TimeOff.Reason.CME),
        ("Dr. Mei-Ling Chen", sick, time(0), sick + DAY, time(0), TimeOff.Reason.SICK),
    ]
    for name, first, begins, last, ends, reason in plan:
        hours.save_time_off(
            TimeOff(
                provider=Provider.objects.get(name=name, clinic=clinic),
                start_datetime=_instant(clinic, first, begins),
                end_datetime=_instant(clinic, last, ends),
                reason=reason,
            )
        )
    closed = _next(today + 8 * DAY, 2)
    hours.save_closure(
        ClinicClosure(
            clinic=clinic,
            start_datetime=_instant(clinic, closed, time(12)),
            end_datetime=_instant(clinic, closed, time(20)),
            label="Staff training",
        )
    )


def _next(day: date, *weekdays: int) -> date:
    while day.weekday() not in weekdays:
        day += DAY
    return day


def _instant(clinic: Clinic, day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, clinic.zone)


def team(clinic: Clinic) -> Team:
    """Return the clinic's people, found by their logins; those since removed are left out."""
    known = {
        provider.user.email: provider
        for provider in Provider.objects.bookable()
        .filter(clinic=clinic, user__isnull=False)
        .select_related("user", "specialty", "clinic")
        if provider.user is not None
    }
    return Team(
        clinic=clinic,
        desk=User.objects.get(username=cast.STAFF[0].email),
        providers=[(known[c.email], c) for c in cast.CLINICIANS if c.email in known],
        types={kind.code: kind for kind in VisitType.objects.all()},
    )
