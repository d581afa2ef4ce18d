"""A clinic that never closes, and callers who each have providers of their own."""

from __future__ import annotations

from datetime import date, datetime, time

from django.db import transaction
from django.utils import timezone

from patients.models import Patient
from providers.calendars import bump
from providers.models import Clinic, Provider, ProviderSchedule, VisitType, Weekday
from scheduling import booking
from scheduling.actors import Actor
from scheduling.errors import SchedulingError
from tests.factories import (
    ClinicFactory,
    PatientFactory,
    ProviderFactory,
    SpecialtyFactory,
    UserFactory,
    VisitTypeFactory,
)

CALLERS = 16
SHARE = 20
PATIENTS = 20_000


def set_up() -> None:
    clinic = ClinicFactory.create(time_zone__name="UTC")
    specialty = SpecialtyFactory.create()
    providers = ProviderFactory.create_batch(CALLERS * SHARE, clinic=clinic, specialty=specialty)
    with transaction.atomic():
        ProviderSchedule.objects.bulk_create(
            ProviderSchedule(
                provider=provider,
                clinic=clinic,
                day_of_week=weekday,
                start_time=time(0),
                end_time=time(0),
                slot_duration_minutes=10,
                valid_from=date(2000, 1, 1),
            )
            for provider in providers
            for weekday in Weekday
        )
        bump(provider.pk for provider in providers)
    Patient.objects.bulk_create(
        PatientFactory.build_batch(PATIENTS, clinic=clinic), batch_size=1_000
    )
    VisitTypeFactory.create(minutes=10, horizon_days=30_000, minimum_notice_minutes=0)
    UserFactory.create(username="desk")


class Booker:
    """One of sixteen callers: its own providers and as many patients of its own."""

    def __init__(self, number: int) -> None:
        mine = slice(number * SHARE, (number + 1) * SHARE)
        self.providers = list(Provider.objects.order_by("pk")[mine])
        self.everybodys = Provider.objects.earliest("pk")
        self.patients = list(Patient.objects.order_by("pk")[mine])
        self.clinic = Clinic.objects.get()
        self.visit_type = VisitType.objects.get()
        self.desk = Actor.staff(UserFactory._meta.model.objects.get(username="desk").pk)

    def book(self, start: datetime, place: int) -> str:
        """Book one's own provider number `place`, whom nobody else wants; name how it ended."""
        return self._book(self.providers[place], self.patients[place], start)

    def book_hot(self, start: datetime) -> str:
        """Book the one provider whom everybody wants."""
        return self._book(self.everybodys, self.patients[0], start)

    def _book(self, provider: Provider, patient: Patient, start: datetime) -> str:
        try:
            booking.book(
                patient=patient,
                provider=provider,
                clinic=self.clinic,
                visit_type=self.visit_type,
                start=start,
                by=self.desk,
                now=timezone.now(),
            )
        except SchedulingError as refusal:
            return refusal.code
        return "booked"
