"""Two clinics with everybody who may look at a page, and the rows that pages are about.

`here` is where most of the cast is at home, `there` is the other clinic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.test import Client
from django.test.client import ClientHandler
from django.utils import timezone
from guardian.shortcuts import assign_perm

from patients.crypto import token_digest
from patients.emergency import PURPOSES
from patients.models import (
    BreakGlassGrant,
    CareRelationship,
    GrantKind,
    MatchCandidate,
    Patient,
    PatientMerge,
)
from patients.models.people import SHARED_RECORD
from patients.privacy.sign_in.sessions import start_clock
from patients.visitors import SESSION_KEY
from providers.hours import save_closure, save_time_off
from providers.models import (
    Clinic,
    ClinicClosure,
    InsurancePlan,
    Provider,
    Role,
    TimeOff,
    VisitType,
)
from reminders.models import ReminderPolicy
from scheduling import checkout, links
from scheduling.actors import Actor
from scheduling.drafts import Draft
from scheduling.models import Appointment, SlotHold, WaitlistPolicy
from scheduling.placing import place
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    MembershipFactory,
    PatientFactory,
    ProviderFactory,
    SpecialtyFactory,
    UserFactory,
    VisitTypeFactory,
    at,
    hold_of,
    next_monday,
)
from tests.factories.emr_work import record_system_of, signing_key

DAY = timedelta(days=1)
HALF_HOUR = timedelta(minutes=30)
COLLEAGUE = "another provider"
STAFF_OF_ONE_CLINIC = {
    "receptionist": (Role.RECEPTIONIST,),
    "provider": (Role.PROVIDER,),
    COLLEAGUE: (Role.PROVIDER,),
    "clinic admin": (Role.CLINIC_ADMIN,),
    "privacy officer": (Role.PRIVACY_OFFICER,),
}
STRANGER = "staff of another clinic"
ROOT = "superuser without a role"
GONE = "deactivated receptionist"
ACTORS = ("anonymous", "patient", *STAFF_OF_ONE_CLINIC, STRANGER, ROOT, GONE)
TYPED = {
    "given_name": "Rosa",
    "family_name": "Delgado",
    "dob_month": "April",
    "dob_day": "7",
    "dob_year": "1961",
    "phone": "(212) 555-0147",
    "reason": "A cough that stays",
}
CHOICES = {"who": "me", "first": "no", "type": "FOLLOW_UP"}


@dataclass
class Side:
    """A clinic with a provider, a patient and a visit of theirs."""

    slug: str

    @cached_property
    def clinic(self) -> Clinic:
        return ClinicFactory.create(name=self.slug.capitalize(), slug=self.slug)

    @cached_property
    def provider(self) -> Provider:
        specialty = SpecialtyFactory.create()
        return ProviderFactory.create(clinic=self.clinic, specialty=specialty, working=True)

    @cached_property
    def patient(self) -> Patient:
        return PatientFactory.create(clinic=self.clinic)

    def visit(self, patient: Patient, visit_type: VisitType, *, half_hours: int) -> Appointment:
        start = at(next_monday(1), "09:00") + half_hours * HALF_HOUR
        return AppointmentFactory.create(
            provider=self.provider, patient=patient, visit_type=visit_type, start=start
        )


class World:
    """Everybody and everything that most pages need, made at once."""

    def __init__(self) -> None:
        self.kept = 0
        # One for all browsers: to load the middleware takes long.
        self.handler = ClientHandler(enforce_csrf_checks=False)
        self.here, self.there = Side("riverside"), Side("hillside")
        self.visit_type = VisitTypeFactory.create(code="FOLLOW_UP", label="Follow-up")
        self.users = {
            name: self._member(roles, self.here) for name, roles in STAFF_OF_ONE_CLINIC.items()
        }
        self.users[STRANGER] = self._member(tuple(Role), self.there)
        self.users["patient"] = self._account(self.here.patient)
        self.users[ROOT] = UserFactory.create(is_superuser=True, is_staff=True)
        self.users[GONE] = self._member((Role.RECEPTIONIST,), self.here)
        ProviderFactory.create(clinic=self.here.clinic, user=self.users[COLLEAGUE])
        Provider.objects.filter(pk=self.here.provider.pk).update(user=self.users["provider"])
        Provider.objects.filter(pk=self.there.provider.pk).update(user=self.users[STRANGER])
        self.visits = self._visits()
        self._cookies = {actor: self._open_browser(actor) for actor in ACTORS}
        # By a query, which leaves the session alive: the account's own state has to tell.
        User.objects.filter(pk=self.users[GONE].pk).update(is_active=False)

    @staticmethod
    def _member(roles: tuple[Role, ...], side: Side) -> User:
        user = UserFactory.create(is_staff=Role.CLINIC_ADMIN in roles)
        for role in roles:
            MembershipFactory.create(user=user, clinic=side.clinic, role=role)
        return user

    @staticmethod
    def _account(patient: Patient) -> User:
        account = UserFactory.create(username="p-ada", email="")
        Patient.objects.filter(pk=patient.pk).update(user=account)
        return account

    def _open_browser(self, actor: str) -> str:
        """Sign the actor in, in a browser of their own; return its cookie."""
        client = Client()
        if actor in self.users:
            client.force_login(self.users[actor])
        session = client.session
        session[SESSION_KEY] = f"the browser of {actor}"
        session.save()
        return client.cookies[settings.SESSION_COOKIE_NAME].value

    def browser(self, actor: str) -> Client:
        """Return the actor's browser as it was first opened; faults of the site answer 500."""
        client = Client(raise_request_exception=False)
        client.handler = self.handler
        client.cookies[settings.SESSION_COOKIE_NAME] = self._cookies[actor]
        return client

    def side_of(self, actor: str) -> Side:
        return self.there if actor == STRANGER else self.here

    def other_side(self, actor: str) -> Side:
        return self.here if actor == STRANGER else self.there

    def _visits(self) -> dict[str, Appointment]:
        """The patient's own, a neighbour's with the same provider, and one elsewhere."""
        here, there = self.here, self.there
        neighbour = PatientFactory.create(clinic=here.clinic)
        return {
            "here": here.visit(here.patient, self.visit_type, half_hours=0),
            "neighbour": here.visit(neighbour, self.visit_type, half_hours=2),
            "there": there.visit(there.patient, self.visit_type, half_hours=0),
        }

    def link(self, visit: Appointment) -> str:
        return links.issue(visit, now=timezone.now())

    def next_time(self) -> datetime:
        """Return a start that nobody has taken yet, from Tuesday on."""
        day, half_hour = divmod(self.kept, 18)
        self.kept += 1
        return at(next_monday(1) + (day + 1) * DAY, "08:00") + half_hour * HALF_HOUR

    def pair(self, side: Side) -> MatchCandidate:
        """Return two records of a clinic that wait for somebody's look."""
        one, other = sorted(
            (PatientFactory.create(clinic=side.clinic) for _ in range(2)), key=lambda row: row.pk
        )
        return MatchCandidate.objects.create(
            clinic=side.clinic, one=one, other=other, chance=0.9, band="POSSIBLE"
        )

    def merge(self, side: Side) -> PatientMerge:
        """Return two records of a clinic that were joined."""
        pair = self.pair(side)
        return PatientMerge.objects.create(
            clinic=side.clinic,
            keep=pair.one,
            away=pair.other,
            made_by=self.users["receptionist"],
            made_at=timezone.now(),
        )

    def phone_hold(self, actor: str) -> SlotHold:
        user = self.users[actor]
        return hold_of(
            self.side_of(actor).provider,
            self.visit_type,
            self.next_time(),
            holder=str(user.pk),
            purpose=SlotHold.Purpose.PHONE,
            by=Actor.staff(user.pk),
        )

    def checkout_hold(self, actor: str, *, patient: Patient | None = None) -> SlotHold:
        """Keep a time for the actor's browser, with everything typed that is asked."""
        wanted = place(
            provider=self.here.provider,
            clinic=self.here.clinic,
            visit_type=self.visit_type,
            start=self.next_time(),
        )
        return checkout.keep(
            wanted,
            draft=Draft(choices=dict(CHOICES), typed={**TYPED, "email": _mailbox(actor)}),
            patient=patient,
            browser=token_digest(f"the browser of {actor}").hex(),
            network="",
            by=Actor.patient(),
            now=timezone.now(),
        )

    def booked(self, actor: str) -> SlotHold:
        """Book in the actor's browser; return the hold that the visit came from."""
        patient = PatientFactory.create(clinic=self.here.clinic)
        hold = self.checkout_hold(actor, patient=patient)
        visit = checkout.finish(hold, reason="", by=Actor.patient(), now=timezone.now())
        session = self.browser(actor).session
        link = links.find(self.link(visit), now=timezone.now())
        start_clock(session)  # what a link opens ends like a sign-in
        session[links.SESSION_KEY] = [*session.get(links.SESSION_KEY, []), str(link.pk)]
        session.save()
        return hold

    def grant(self, actor: str, side: Side, kind: GrantKind) -> BreakGlassGrant:
        """Return a record that is open to an actor, whether or not their role lets them."""
        return BreakGlassGrant.objects.create(
            user=self.users[actor],
            patient=side.patient,
            kind=kind,
            purpose=PURPOSES[kind][0],
            reason="Fell in the hall",
            granted_at=Now(),
            expires_at=Now() + timedelta(minutes=10),
        )

    def share(self, patient: Patient, colleague: Provider) -> CareRelationship:
        """Return the tie by which a record is shared with a colleague."""
        assign_perm(SHARED_RECORD, User.objects.get(provider=colleague.pk), patient)
        now = timezone.now()
        return CareRelationship.objects.create(
            patient=patient, provider=colleague, kind="SHARED", since=now, until=now + DAY
        )

    def admin_row(self, model: type[Any], side: Side) -> Any:
        """Return a row of a set-up page, of this clinic where rows belong to one."""
        is_here = side is self.here
        make: dict[str, Callable[[], Any]] = {
            "Appointment": lambda: self.visits["here" if is_here else "there"],
            "Clinic": lambda: side.clinic,
            "EMRConnection": lambda: record_system_of(side.clinic),
            "SigningKey": lambda: signing_key(),
            "ClinicClosure": lambda: save_closure(
                ClinicClosure(clinic=side.clinic, label="Training", **_far_away())
            ),
            "InsurancePlan": lambda: InsurancePlan.objects.get_or_create(
                payer="Harbor", name="PPO", plan_code="HARBOR"
            )[0],
            "Patient": lambda: side.patient,
            "Provider": lambda: side.provider,
            "ProviderSchedule": lambda: side.provider.schedules.first(),
            "ReminderPolicy": lambda: ReminderPolicy.objects.get_or_create(clinic=side.clinic)[0],
            "Specialty": lambda: side.provider.specialty,
            "TimeOff": lambda: save_time_off(
                TimeOff(provider=side.provider, reason=TimeOff.Reason.CME, **_far_away())
            ),
            "User": lambda: self.users["receptionist" if is_here else STRANGER],
            "VisitType": lambda: self.visit_type,
            "WaitlistPolicy": lambda: WaitlistPolicy.objects.get_or_create(clinic=side.clinic)[0],
        }
        return make[model.__name__]()


def _mailbox(actor: str) -> str:
    """Return an address of the actor's own: codes to one address are few in an hour."""
    return f"{actor.replace(' ', '.')}@mail.example"


def _far_away() -> dict[str, Any]:
    monday: date = next_monday(20)
    noon = at(monday, time(12).isoformat("minutes"))
    return {"start_datetime": noon, "end_datetime": noon + HALF_HOUR}
