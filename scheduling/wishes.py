"""What a patient looks for, as the portal's addresses carry it: choices only, nothing about them.

Decides which search the choices mean. Knows neither requests nor forms.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from django.urls import reverse

from providers.models import Clinic, InsurancePlan, Provider, Specialty, VisitType
from scheduling.availability import Query

VIDEO = "video"
FIRST_VISIT = "yes"
NOON, EVENING = time(12), time(17)
LAST_BEFORE_NOON, LAST_BEFORE_EVENING = time(11, 59), time(16, 59)
PARTS_OF_DAY: dict[str, tuple[time | None, time | None]] = {
    "morning": (None, LAST_BEFORE_NOON),
    "afternoon": (NOON, LAST_BEFORE_EVENING),
    "evening": (EVENING, None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The choices made so far at one clinic.

    `params` are the same choices as in the address. `kind` is the visit that was asked for;
    `video` is the visit type that takes its place when it is wanted by video.
    """

    clinic: Clinic
    params: dict[str, str] = field(default_factory=dict)
    kind: VisitType | None = None
    video: VisitType | None = None
    specialty: Specialty | None = None
    plan: InsurancePlan | None = None
    provider: Provider | None = None

    @property
    def visit_type(self) -> VisitType:
        """The visit that is searched and booked. Raises LookupError before one was chosen."""
        kind = self.video or self.kind
        if kind is None:
            raise LookupError("no visit was chosen")
        return kind

    @property
    def who(self) -> str:
        """`me`, `other`, or the id of a record of the signed-in patient's."""
        return self.params.get("who", "")

    def query(self, first_day: date, last_day: date) -> Query:
        """Return the search for these local days, both included."""
        not_before, not_after = PARTS_OF_DAY.get(self.params.get("time", ""), (None, None))
        return Query(
            visit_type=self.visit_type,
            first_day=first_day,
            last_day=last_day,
            clinics=(self.clinic,),
            provider=self.provider,
            specialty=self.specialty,
            insurance_plan=self.plan,
            language=self.params.get("language", ""),
            telehealth=self.visit_type.is_telehealth,
            new_patient=self.params.get("first") == FIRST_VISIT,
            not_before=not_before,
            not_after=not_after,
        )

    def horizon(self, now: datetime) -> tuple[date, date]:
        """Return the first and the last local day that can be booked at all."""
        today = now.astimezone(self.clinic.zone).date()
        return today, today + timedelta(days=self.visit_type.horizon_days)

    def address(self, name: str, **changes: str) -> str:
        """Return a page's address with the choices in it; an empty change leaves one out."""
        params = {k: v for k, v in {**self.params, **changes}.items() if v}
        path = reverse(f"portal:{name}", args=[self.clinic.slug])
        return f"{path}?{urlencode(params)}" if params else path
