"""Clinics, their staff, and providers with hours."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from factory import declarations as factory
from factory.django import DjangoModelFactory, Password

from providers.hours import change_schedules, save_schedule
from providers.models import (
    Clinic,
    Membership,
    Provider,
    ProviderSchedule,
    Role,
    Specialty,
    TimeZone,
    VisitType,
    Weekday,
)
from providers.npi import check_digit

PASSWORD = "correct horse battery staple"
WEEKDAYS = tuple(Weekday)[:5]


class UserFactory(DjangoModelFactory[User]):
    """Somebody who can sign in with `PASSWORD`."""

    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"user{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@clinic.example")
    password = Password(PASSWORD)


class TimeZoneFactory(DjangoModelFactory[TimeZone]):
    class Meta:
        model = TimeZone
        django_get_or_create = ("name",)

    name = "America/New_York"


class ClinicFactory(DjangoModelFactory[Clinic]):
    """An active clinic in New York; `time_zone__name=` chooses another zone."""

    class Meta:
        model = Clinic

    name = factory.Sequence(lambda n: f"Clinic {n}")
    slug = factory.Sequence(lambda n: f"clinic-{n}")
    time_zone = factory.SubFactory(TimeZoneFactory)
    phone = "+12125550100"


class MembershipFactory(DjangoModelFactory[Membership]):
    """A receptionist, unless another role is given."""

    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    clinic = factory.SubFactory(ClinicFactory)
    role = Role.RECEPTIONIST


class SpecialtyFactory(DjangoModelFactory[Specialty]):
    class Meta:
        model = Specialty

    name = factory.Sequence(lambda n: f"Specialty {n}")
    nucc_code = factory.Sequence(lambda n: f"{n:09d}X")


class VisitTypeFactory(DjangoModelFactory[VisitType]):
    """Half an hour without buffers, an hour's notice, open for half a year."""

    class Meta:
        model = VisitType

    code = factory.Sequence(lambda n: f"VISIT_{n}")
    label = factory.Sequence(lambda n: f"Visit {n}")
    minutes = 30


class ProviderFactory(DjangoModelFactory[Provider]):
    """A bookable provider; `working=True` adds hours, Monday to Friday from 8:00 to 17:00."""

    class Meta:
        model = Provider

    class Params:
        inactive = factory.Trait(is_active=False, user=None, npi_number=None, specialty=None)

    user = factory.SubFactory(UserFactory)
    name = factory.Sequence(lambda n: f"Dr. Provider {n}")
    specialty = factory.SubFactory(SpecialtyFactory)
    clinic = factory.SubFactory(ClinicFactory)
    npi_number = factory.Sequence(lambda n: _npi(100_000_000 + n))
    is_active = True

    @classmethod
    def _create(
        cls, model_class: type[Provider], *_args: Any, working: bool = False, **kwargs: Any
    ) -> Provider:
        provider = model_class.objects.create(**kwargs)
        if working:
            build = partial(ProviderScheduleFactory.build, provider=provider)
            week = [build(day_of_week=weekday) for weekday in WEEKDAYS]
            change_schedules(saved=[(hours, None) for hours in week])
        return provider


def _npi(first_nine: int) -> str:
    return f"{first_nine}{check_digit(str(first_nine))}"


class ProviderScheduleFactory(DjangoModelFactory[ProviderSchedule]):
    """Hours of one weekday in half-hour steps, at the provider's clinic, written by the verb."""

    class Meta:
        model = ProviderSchedule

    provider = factory.SubFactory(ProviderFactory)
    clinic = factory.SelfAttribute("provider.clinic")
    day_of_week = Weekday.MONDAY
    start_time = time(8)
    end_time = time(17)
    slot_duration_minutes = 30
    valid_from = date(2020, 1, 1)

    @classmethod
    def _create(
        cls,
        model_class: type[ProviderSchedule],
        *_args: Any,
        visit_types: Iterable[VisitType] | None = None,
        **kwargs: Any,
    ) -> ProviderSchedule:
        return save_schedule(model_class(**kwargs), visit_types=visit_types)
