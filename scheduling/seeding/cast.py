"""Who works at Riverside Clinic, when, and what they offer: data only, all of it invented."""

from dataclasses import dataclass, field
from datetime import time

CLINIC_SLUG = "riverside"
CLINIC_NAME = "Riverside Clinic"
TIME_ZONE = "America/New_York"
PASSWORD = "daysheet-demo"  # noqa: S105 - printed at every start of the demo
DOMAIN = "riverside.example"
DEMO_PATIENT_EMAIL = "ana.torres@example.org"

SPECIALTIES = {
    "Family medicine": "207Q00000X",
    "Pediatrics": "208000000X",
    "Dermatology": "207N00000X",
    "Psychiatry": "2084P0800X",
}
PLANS = [
    ("Harbor Health", "Choice PPO", "HARBOR-PPO"),
    ("Harbor Health", "Community HMO", "HARBOR-HMO"),
    ("Blue Heron Mutual", "Open Access", "HERON-OPEN"),
    ("Stateline Care", "Medicaid Managed Care", "STATELINE-MMC"),
]


@dataclass(frozen=True, slots=True)
class TypeOfVisit:
    """Lengths, buffers and notice are in minutes."""

    code: str
    label: str
    minutes: int
    buffer_after: int = 0
    notice: int = 60
    is_telehealth: bool = False
    confirmation_required: bool = True
    auto_release_allowed: bool = False


VISIT_TYPES = [
    TypeOfVisit(
        "NEW_PATIENT",
        "New patient visit",
        45,
        buffer_after=15,
        notice=240,
        auto_release_allowed=True,
    ),
    TypeOfVisit("FOLLOW_UP", "Follow-up visit", 20),
    TypeOfVisit(
        "URGENT_CARE", "Urgent care", 15, buffer_after=5, notice=0, confirmation_required=False
    ),
    TypeOfVisit("TELEHEALTH", "Video visit", 15, buffer_after=5, is_telehealth=True),
]


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody with a login who sees no patients."""

    first: str
    last: str
    login: str
    role: str

    @property
    def email(self) -> str:
        return f"{self.login}@{DOMAIN}"


STAFF = [
    Staff("Dolores", "Whitcomb", "receptionist", "RECEPTIONIST"),
    Staff("Marcus", "Oyelaran", "frontdesk", "RECEPTIONIST"),
    Staff("Judith", "Kessler", "admin", "CLINIC_ADMIN"),
    Staff("Anil", "Deshmukh", "privacy", "PRIVACY_OFFICER"),
]

MON_FRI = (0, 1, 2, 3, 4)
WEEKEND = (5, 6)


@dataclass(frozen=True, slots=True)
class Hours:
    """The same windows on several weekdays (Monday = 0), on a grid of `step` minutes."""

    days: tuple[int, ...]
    windows: tuple[tuple[time, time], ...]
    step: int = 20


MORNING = (time(8), time(12))
AFTERNOON = (time(13), time(16, 40))
LATE = (time(13), time(18))
SHORT = (time(9), time(13))


@dataclass(frozen=True, slots=True)
class Clinician:
    """A provider; `types` are the visits seen, the first ones the most often."""

    name: str
    login: str
    specialty: str
    languages: tuple[str, ...]
    types: tuple[str, ...]
    hours: tuple[Hours, ...]
    new_patients: bool = True
    telehealth: bool = False
    plans: tuple[str, ...] = field(default=("HARBOR-PPO", "HARBOR-HMO", "HERON-OPEN"))

    @property
    def email(self) -> str:
        return f"{self.login}@{DOMAIN}"


USUAL = ("FOLLOW_UP", "NEW_PATIENT", "URGENT_CARE")
WITH_VIDEO = ("FOLLOW_UP", "TELEHEALTH", "NEW_PATIENT")

CLINICIANS = [
    Clinician(
        "Dr. Priya Raman",
        "provider",
        "Family medicine",
        ("en", "hi"),
        ("FOLLOW_UP", "NEW_PATIENT", "TELEHEALTH", "URGENT_CARE"),
        (Hours(MON_FRI, (MORNING, AFTERNOON)), Hours(WEEKEND, (SHORT,))),
        telehealth=True,
        plans=("HARBOR-PPO", "HARBOR-HMO", "HERON-OPEN", "STATELINE-MMC"),
    ),
    Clinician(
        "Dr. Hannah Weiss",
        "hannah.weiss",
        "Family medicine",
        ("en", "de"),
        USUAL,
        (Hours((0, 1, 3, 4), (MORNING, AFTERNOON)),),
        new_patients=False,
    ),
    Clinician(
        "Lena Fischer, NP",
        "lena.fischer",
        "Family medicine",
        ("en", "es"),
        ("URGENT_CARE", "FOLLOW_UP", "NEW_PATIENT"),
        (Hours((2, 3, 4), ((time(10), time(14)), (time(15), time(19)))), Hours(WEEKEND, (SHORT,))),
        plans=("HARBOR-HMO", "STATELINE-MMC"),
    ),
    Clinician(
        "Dr. Tomás Ibarra",
        "tomas.ibarra",
        "Pediatrics",
        ("en", "es"),
        USUAL,
        (Hours(MON_FRI, (MORNING, AFTERNOON)), Hours((5,), (SHORT,))),
        plans=("HARBOR-PPO", "HERON-OPEN", "STATELINE-MMC"),
    ),
    Clinician(
        "Dr. Grace Adeyemi",
        "grace.adeyemi",
        "Pediatrics",
        ("en", "fr"),
        ("FOLLOW_UP", "URGENT_CARE", "NEW_PATIENT"),
        (Hours((0, 1, 2, 4), (MORNING, LATE)), Hours((6,), (SHORT,))),
    ),
    Clinician(
        "Dr. Mei-Ling Chen",
        "meiling.chen",
        "Dermatology",
        ("en", "zh-Hans"),
        WITH_VIDEO,
        (Hours((0, 2, 3), (MORNING, AFTERNOON)), Hours((4,), (MORNING,))),
        telehealth=True,
    ),
    Clinician(
        "Dr. Samuel Birch",
        "samuel.birch",
        "Psychiatry",
        ("en",),
        ("TELEHEALTH", "FOLLOW_UP", "NEW_PATIENT"),
        (Hours((0, 1, 2, 3), (MORNING, LATE)),),
        telehealth=True,
        plans=("HARBOR-PPO", "HERON-OPEN"),
    ),
    Clinician(
        "Dr. Inés Calderón",
        "ines.calderon",
        "Psychiatry",
        ("en", "es"),
        ("TELEHEALTH", "FOLLOW_UP"),
        (Hours((1, 2, 4), (MORNING, AFTERNOON)),),
        telehealth=True,
        plans=("HARBOR-HMO", "STATELINE-MMC"),
    ),
]

REASONS = {
    "Family medicine": [
        "Blood pressure check",
        "Annual physical",
        "Cough for two weeks",
        "Knee pain",
        "Lab results",
        "Medication review",
        "Sore throat",
        "Back pain",
    ],
    "Pediatrics": ["Well-child visit", "Ear pain", "Vaccination", "Fever", "Asthma follow-up"],
    "Dermatology": ["Mole check", "Eczema", "Acne follow-up", "Rash on arm"],
    "Psychiatry": ["Follow-up", "Sleep", "Medication review", "First conversation"],
}
