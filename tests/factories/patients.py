"""Patients of a clinic."""

from __future__ import annotations

from datetime import date

from factory import declarations as factory
from factory.django import DjangoModelFactory

from patients.models import Patient
from tests.factories.providers import ClinicFactory

NAMES = ["Ada Moreno", "Ben Okafor", "Chloe Lindqvist", "Dev Ramanathan", "Esther Kahananui"]


class PatientFactory(DjangoModelFactory[Patient]):
    """A registered patient with a phone and an e-mail address of their own."""

    class Meta:
        model = Patient

    class Params:
        name = factory.Iterator(NAMES)

    clinic = factory.SubFactory(ClinicFactory)
    given_name = factory.LazyAttribute(lambda patient: patient.name.split()[0])
    family_name = factory.LazyAttribute(lambda patient: patient.name.split()[1])
    dob = date(1984, 2, 29)
    phone = factory.Sequence(lambda n: f"+1212555{n % 10_000:04d}")
    email = factory.Sequence(lambda n: f"patient{n}@mail.example")
