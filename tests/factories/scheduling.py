"""Booked visits and holds, made by the verbs themselves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from factory import declarations as factory
from factory.django import DjangoModelFactory

from patients.models import Patient
from providers.models import Clinic, Provider, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.holds import place_hold
from scheduling.models import Appointment, SlotHold
from scheduling.placing import place
from tests.factories.patients import PatientFactory
from tests.factories.providers import ProviderFactory, UserFactory, VisitTypeFactory
from tests.factories.times import at, next_monday

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def _free_start(n: int) -> datetime:
    """Return the n-th half hour of working time from next Monday on, for twenty weeks."""
    day, half_hour = divmod(n % (18 * 5 * 20), 18)
    week, weekday = divmod(day, 5)
    return at(next_monday(week) + weekday * DAY, "08:00") + half_hour * timedelta(minutes=30)


class AppointmentFactory(DjangoModelFactory[Appointment]):
    """A visit booked by the desk through `booking.book`, at a start of its own unless one is given.

    It was booked an hour ago, so that nobody has to be told of it any more; one in the past the
    day before it.
    """

    class Meta:
        model = Appointment

    provider = factory.SubFactory(ProviderFactory, working=True)
    clinic = factory.SelfAttribute("provider.clinic")
    patient = factory.SubFactory(PatientFactory, clinic=factory.SelfAttribute("..clinic"))
    visit_type = factory.SubFactory(VisitTypeFactory)
    start = factory.Sequence(_free_start)
    by = factory.LazyFunction(lambda: someone_at_the_desk())
    now = factory.LazyAttribute(lambda visit: min(timezone.now() - HOUR, visit.start - DAY))

    @classmethod
    def _create(cls, model_class: type[Appointment], *args: Any, **kwargs: Any) -> Appointment:
        return booking.book(*args, **kwargs)


def someone_at_the_desk() -> Actor:
    return Actor.staff(UserFactory.create().pk)


def hold_of(
    provider: Provider,
    visit_type: VisitType,
    start: datetime,
    *,
    holder: str = "browser",
    network: str = "",
    clinic: Clinic | None = None,
    patient: Patient | None = None,
    purpose: SlotHold.Purpose = SlotHold.Purpose.CHECKOUT,
    override: str = "",
    by: Actor | None = None,
    now: datetime | None = None,
) -> SlotHold:
    """Keep a time as a patient in a browser does."""
    wanted = place(
        provider=provider,
        clinic=clinic or provider.clinic,
        visit_type=visit_type,
        start=start,
    )
    return place_hold(
        wanted,
        purpose=purpose,
        holder=holder,
        network=network,
        patient=patient,
        override=override,
        by=by or Actor.patient(),
        now=now or timezone.now(),
    )
