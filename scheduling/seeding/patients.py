"""Invents the patients of Riverside Clinic: adults and children, some of whom speak Spanish."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random

from patients.contacts import parse_phone
from patients.models import CareRelationship, Patient
from providers.models import InsurancePlan
from scheduling.seeding import cast
from scheduling.seeding.names import FAMILY, GIVEN_FEMALE, GIVEN_MALE, STREETS
from scheduling.seeding.opening import Team

HOW_MANY = 160
EVERY_THIRD_IS_A_CHILD = 3
PRIMARY = {False: "Family medicine", True: "Pediatrics"}


def is_child(patient: Patient, today: date) -> bool:
    age = patient.age_on(today)
    return age is not None and age < 18


def register_patients(team: Team, *, today: date, now: datetime) -> list[Patient]:
    """Write the patients and whose they are; the first of them is the one to sign in as."""
    draw = Random(cast.CLINIC_SLUG)  # noqa: S311 - invented people
    plans = list(InsurancePlan.objects.filter(plan_code__in=[p[2] for p in cast.PLANS]))
    primary = {
        child: [p for p, c in team.providers if c.specialty == specialty]
        for child, specialty in PRIMARY.items()
    }
    names = _names(draw)
    people = [_patient(n, names[n], team, draw, today) for n in range(HOW_MANY)]
    for person in people:
        person.insurance_plan = draw.choice([*plans, None])
        person.insurance_member_id = f"M{draw.randrange(10**8, 10**9)}"
        person.primary_care_provider = draw.choice(primary[is_child(person, today)])
        person.index_assigned()
    Patient.objects.bulk_create(people)
    CareRelationship.objects.bulk_create(
        CareRelationship(
            patient=person,
            provider=person.primary_care_provider,
            kind=CareRelationship.Kind.PRIMARY,
            since=now,
        )
        for person in people
    )
    return people


def _names(draw: Random) -> list[tuple[str, str, Patient.Sex]]:
    """Return as many different names as there are patients, Ana Torres before all."""
    pool = [(given, Patient.Sex.FEMALE) for given in GIVEN_FEMALE]
    pool += [(given, Patient.Sex.MALE) for given in GIVEN_MALE]
    chosen: dict[tuple[str, str], Patient.Sex] = {("Ana", "Torres"): Patient.Sex.FEMALE}
    while len(chosen) < HOW_MANY:
        given, sex = draw.choice(pool)
        chosen.setdefault((given, draw.choice(FAMILY)), sex)
    return [(given, family, sex) for (given, family), sex in chosen.items()]


def _patient(
    number: int, name: tuple[str, str, Patient.Sex], team: Team, draw: Random, today: date
) -> Patient:
    given, family, sex = name
    is_ana = number == 0
    child = number % EVERY_THIRD_IS_A_CHILD == 1
    age = draw.uniform(0.3, 17) if child else draw.uniform(18.5, 88)
    spanish = is_ana or draw.random() < 0.14
    phone = parse_phone(f"212 555 {100 + number:04}")
    return Patient(
        clinic=team.clinic,
        given_name=given,
        family_name=family,
        dob=date(1961, 4, 7) if is_ana else today - timedelta(days=round(age * 365.25)),
        sex=sex,
        phone=phone.number,
        phone_is_textable=phone.is_textable,
        email=f"{given}.{family}@example.org".lower(),
        address_line=f"{draw.randrange(1, 400)} {draw.choice(STREETS)}",
        city="Port Ellery",
        state="NY",
        postal_code="10599",
        language="es" if spanish else "en",
        needs_interpreter=spanish and draw.random() < 0.5,
        time_zone=team.clinic.time_zone,
    )
