"""The cast of the tests: real rows, made the way the product makes them."""

from tests.factories.patients import PatientFactory
from tests.factories.providers import (
    ClinicFactory,
    MembershipFactory,
    ProviderFactory,
    ProviderScheduleFactory,
    SpecialtyFactory,
    TimeZoneFactory,
    UserFactory,
    VisitTypeFactory,
)
from tests.factories.scheduling import AppointmentFactory, hold_of, someone_at_the_desk
from tests.factories.times import at, next_monday

__all__ = [
    "AppointmentFactory",
    "ClinicFactory",
    "MembershipFactory",
    "PatientFactory",
    "ProviderFactory",
    "ProviderScheduleFactory",
    "SpecialtyFactory",
    "TimeZoneFactory",
    "UserFactory",
    "VisitTypeFactory",
    "at",
    "hold_of",
    "next_monday",
    "someone_at_the_desk",
]
