"""Which rows stand in each page's address: one's own, somebody else's, and one that is not.

Every route with parameters needs a row in these tables; a new page without one is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.contrib import admin

from emr.kinds import TaskKind
from emr.models import EMRConnection, EMRTask, PatientMatch
from patients.models import GrantKind, Patient
from providers.models import Provider
from reminders.kinds import Meaning
from reminders.models import InboundText
from reminders.preferences import unsubscribe_token
from scheduling.models import Appointment, WaitlistEntry, WaitlistOffer
from scheduling.waitlist.tokens import digest_of, token_of
from tests.factories import PatientFactory
from tests.factories.emr_work import (
    arrival_of,
    conflict_of,
    match_of,
    message_of,
    person_there,
    record_system_of,
    task_of,
)
from tests.factories.waitlist import entry_of, offer_of, opening_of
from tests.journeys.cast import COLLEAGUE, ROOT, STRANGER, World
from tests.routes import Route

Arguments = dict[str, Any]


@dataclass(slots=True)
class Cases:
    """Arguments of one page for one actor; `own` is what they may reach, if anything."""

    own: list[Arguments] = field(default_factory=list)
    foreign: list[Arguments] = field(default_factory=list)
    unknown: list[Arguments] = field(default_factory=list)


Finder = Callable[[Route, World, str], Cases]


def _pages(namespace: str, names: str) -> list[str]:
    return [f"{namespace}:{name}" for name in names.split()]


CLINIC = _pages("portal", "clinic who visit preferences days times by_phone")
JOINING = _pages("portal", "waitlist_join waitlist_check waitlist_details waitlist_code")
PLACE_IN_LINE = _pages(
    "portal",
    "waitlist_entry waitlist_change waitlist_pause waitlist_resume waitlist_leave",
)
OFFERED = _pages("portal", "offered offer_accept offer_keep offer_stop")
CHECKOUT = _pages("portal", "details extend again check code")
PATIENTS_VISIT = _pages(
    "portal", "manage join confirm cancel calendar change change_times change_check"
)
PATIENTS_VISIT += _pages("portal", "waitlist_earlier waitlist_earlier_check")
PATIENTS_CHOICES = _pages("portal", "choices_of device")
PROVIDERS_VISIT = _pages("provider", "visit join note act")
DESK_VISIT = _pages("desk", "appointment cancel move act")
DESK_PATIENT = _pages("desk", "patient patient_edit waitlist_join")
DESK_GAP = _pages("desk", "gap gap_now gap_offer gap_withdraw")
DESK_ENTRY = _pages("desk", "waitlist_entry waitlist_pause waitlist_resume waitlist_leave")
VISITS_MESSAGES = _pages("messages", "call call_done visit resend")
OFFICERS_PATIENT = _pages("privacy", "patient patient_file")
OFFICERS_COLLEAGUE = _pages("privacy", "colleague colleague_file")
PAIR = _pages("records", "pair check apart")
DESK_HOLD = _pages("desk", "hold hold_extend hold_release")
EMR_TASK = _pages("emr", "task_done task_open")
EMR_CONFLICT = _pages("emr", "conflict settle")
EMR_PATIENT = _pages("emr", "patient patient_link patient_make patient_leave")
EMR_MESSAGE = _pages("emr", "message message_replay message_drop")
EMR_ARRIVAL = _pages("emr", "arrival arrival_act")
EMR_CONNECTION = _pages("emr", "connection_try names")
BESIDES_THE_ROW = {"provider:act": {"name": "complete"}, "desk:act": {"name": "confirm"}}
BESIDES_THE_ROW["emr_hooks:notified_of"] = {"resource_type": "Appointment", "resource_id": "a.1-B"}
BESIDES_THE_ROW["desk:offer_act"] = {"name": "withdraw"}
BESIDES_THE_ROW |= {"emr:settle": {"side": "ours"}, "emr:arrival_act": {"name": "leave"}}


def cases(route: Route, world: World, actor: str) -> Cases:
    """Return the arguments to try. Raises LookupError for a page that no table knows."""
    if not route.parameters:
        return Cases(own=[{}])
    found = _finder(route)(route, world, actor)
    more = BESIDES_THE_ROW.get(route.name, {})
    for rows in (found.own, found.foreign, found.unknown):
        rows[:] = [{**row, **more} for row in rows]
    return found


def _finder(route: Route) -> Finder:
    for names, finder in TABLE:
        if route.name in names:
            return finder
    if route.name.startswith("admin:"):
        return _admin
    raise LookupError(f"{route.name} has parameters and stands in no table of addresses")


def _clinic(route: Route, world: World, actor: str) -> Cases:
    return Cases([{"slug": world.here.clinic.slug}], [], [{"slug": "nowhere"}])


def _checkout(route: Route, world: World, actor: str) -> Cases:
    others = "anonymous" if actor != "anonymous" else "patient"
    own = world.checkout_hold(actor)
    foreign = world.checkout_hold(others)
    return Cases(*_by_pk([own], [foreign]))


def _booked(route: Route, world: World, actor: str) -> Cases:
    others = "anonymous" if actor != "anonymous" else "patient"
    own, foreign = world.booked(actor), world.booked(others)
    return Cases(*_by_pk([own], [foreign]))


def _token(route: Route, world: World, actor: str) -> Cases:
    return Cases([{"token": world.link(world.visits["here"])}], [], [{"token": "x" * 22}])


def _offer_token(route: Route, world: World, actor: str) -> Cases:
    offer = _offer(world, world.here.patient)
    WaitlistOffer.objects.filter(pk=offer.pk).update(token_digest=digest_of(offer.pk))
    return Cases([{"token": token_of(offer.pk)}], [], [{"token": "x" * 22}])


def _place_in_line(route: Route, world: World, actor: str) -> Cases:
    """A patient's own place on the waitlist; staff have theirs at the desk."""
    own, away = _entry(world, world.here.patient), _entry(world, world.visits["neighbour"].patient)
    return _patients_own(actor, own, away)


def _offered(route: Route, world: World, actor: str) -> Cases:
    own, away = world.here.patient, world.visits["neighbour"].patient
    return _patients_own(actor, _offer(world, own), _offer(world, away))


def _patients_own(actor: str, own: Any, away: Any) -> Cases:
    mine = [own] if actor == "patient" else []
    return Cases(*_by_pk(mine, [away, *([] if mine else [own])]))


def _entry(world: World, patient: Patient) -> WaitlistEntry:
    return entry_of(patient, provider=world.here.provider, visit_type=world.visit_type)


def _offer(world: World, patient: Patient) -> WaitlistOffer:
    opening = opening_of(world.here.provider, world.next_time())
    return offer_of(_entry(world, patient), opening)


def _gap(route: Route, world: World, actor: str) -> Cases:
    """Freed time at the actor's clinic, and at the other one."""
    own, foreign = (
        opening_of(side.provider, world.next_time())
        for side in (world.side_of(actor), world.other_side(actor))
    )
    return Cases(*_by_pk([own], [foreign]))


def _desk_entry(route: Route, world: World, actor: str) -> Cases:
    own, foreign = (
        entry_of(side.patient, provider=side.provider, visit_type=world.visit_type)
        for side in (world.side_of(actor), world.other_side(actor))
    )
    return Cases(*_by_pk([own], [foreign]))


def _desk_offer(route: Route, world: World, actor: str) -> Cases:
    own, foreign = (
        offer_of(
            entry_of(side.patient, provider=side.provider, visit_type=world.visit_type),
            opening_of(side.provider, world.next_time()),
        )
        for side in (world.side_of(actor), world.other_side(actor))
    )
    return Cases(*_by_pk([own], [foreign]))


def _unsubscribe(route: Route, world: World, actor: str) -> Cases:
    token = unsubscribe_token(world.here.patient)
    return Cases([{"token": token}], [], [{"token": "x" * 22}])


def _own_record(route: Route, world: World, actor: str) -> Cases:
    """A patient's own record; staff have none."""
    own, foreign = world.here.patient, [world.there.patient, world.visits["neighbour"].patient]
    return Cases(*_by_pk([own] if actor == "patient" else [], foreign))


def _patients_visit(route: Route, world: World, actor: str) -> Cases:
    visits = world.visits
    own = [visits["here"]] if actor == "patient" else []
    return Cases(*_by_pk(own, [v for v in visits.values() if v not in own]))


def _staff_visit(route: Route, world: World, actor: str) -> Cases:
    visits = world.visits
    own = [visits["here"], visits["neighbour"]]
    if actor in {STRANGER, COLLEAGUE}:
        own = [visits["there"]] if actor == STRANGER else []
    return Cases(*_by_pk(own, [v for v in visits.values() if v not in own]))


def _patient(route: Route, world: World, actor: str) -> Cases:
    own, foreign = world.side_of(actor).patient, world.other_side(actor).patient
    return Cases(*_by_pk([own], [foreign]))


def _text(route: Route, world: World, actor: str) -> Cases:
    """A text from the patient of the actor's clinic, and one of the other clinic's."""
    own, foreign = world.side_of(actor), world.other_side(actor)
    return Cases(*_by_pk([_text_from(own.patient)], [_text_from(foreign.patient)]))


def _text_from(patient: Patient) -> InboundText:
    return InboundText.objects.create(
        vendor="twilio",
        vendor_id=f"SM{uuid4().hex}",
        clinic=patient.clinic,
        patient=patient,
        sender=patient.phone,
        body="Can my sister come along?",
        meaning=Meaning.OTHER.value,
        needs_staff=True,
    )


def _pair(route: Route, world: World, actor: str) -> Cases:
    own, foreign = world.side_of(actor), world.other_side(actor)
    return Cases(*_by_pk([world.pair(own)], [world.pair(foreign)]))


def _merge(route: Route, world: World, actor: str) -> Cases:
    own, foreign = world.side_of(actor), world.other_side(actor)
    return Cases(*_by_pk([world.merge(own)], [world.merge(foreign)]))


def _opened(kind: GrantKind) -> Finder:
    """A record that is open is open to one person: a colleague's is as foreign as any."""

    def find(route: Route, world: World, actor: str) -> Cases:
        others = "receptionist" if actor != "receptionist" else COLLEAGUE
        foreign = [world.grant(others, world.here, kind), world.grant(STRANGER, world.there, kind)]
        if actor == STRANGER:
            foreign.pop()
        known = actor in world.users
        own = [world.grant(actor, world.side_of(actor), kind)] if known else []
        return Cases(*_by_pk(own, foreign))

    return find


def _review(route: Route, world: World, actor: str) -> Cases:
    kind = GrantKind.EMERGENCY
    own = world.grant("receptionist", world.side_of(actor), kind)
    return Cases(*_by_pk([own], [world.grant("receptionist", world.other_side(actor), kind)]))


def _own_patient(route: Route, world: World, actor: str) -> Cases:
    """A record to share: of those whom the actor treats."""
    here, there = world.here.patient, world.there.patient
    own = {"provider": [here], STRANGER: [there]}.get(actor, [])
    return Cases(*_by_pk(own, [one for one in (here, there) if one not in own]))


def _share(route: Route, world: World, actor: str) -> Cases:
    """A share to end: of an own patient's record."""
    colleague = Provider.objects.get(user=world.users[COLLEAGUE])
    here, there = (world.share(side.patient, colleague) for side in (world.here, world.there))
    own = {"provider": [here], STRANGER: [there]}.get(actor, [])
    return Cases(*_by_pk(own, [tie for tie in (here, there) if tie not in own]))


def _shared(route: Route, world: World, actor: str) -> Cases:
    """A record that somebody shares with the actor, who is a provider."""
    ties = {
        name: world.share(PatientFactory.create(clinic=provider.clinic), provider)
        for name, provider in (
            ("provider", world.here.provider),
            (COLLEAGUE, Provider.objects.get(user=world.users[COLLEAGUE])),
            (STRANGER, world.there.provider),
        )
    }
    own = [tie.patient for name, tie in ties.items() if name == actor]
    foreign = [tie.patient for name, tie in ties.items() if name != actor]
    return Cases(*_by_pk(own, [*foreign, world.here.patient]))


def _colleague(route: Route, world: World, actor: str) -> Cases:
    """A colleague's account, which a clinic's manager reaches and nobody else."""
    here, there = world.users["receptionist"], world.users[STRANGER]
    own = [here] if actor in {"clinic admin", ROOT} else []
    own += [there] if actor == ROOT else []
    return Cases(
        [{"pk": user.pk} for user in own],
        [{"pk": user.pk} for user in (here, there) if user not in own],
        [{"pk": 0}],
    )


def _passkey(route: Route, world: World, actor: str) -> Cases:
    return Cases([], [], [{"pk": 0}])


def _member(route: Route, world: World, actor: str) -> Cases:
    """Who works at the actor's clinic, who works at the other, and an account that nobody has."""
    own, away = ("provider", STRANGER) if actor != STRANGER else (STRANGER, "provider")
    return Cases([{"pk": world.users[own].pk}], [{"pk": world.users[away].pk}], [{"pk": 0}])


def _phone_hold(route: Route, world: World, actor: str) -> Cases:
    """A hold is its caller's: a colleague's is as foreign as another clinic's."""
    if actor not in world.users:
        return Cases(*_by_pk([], [world.phone_hold("receptionist")]))
    others = "clinic admin" if actor != "clinic admin" else "receptionist"
    foreign = [world.phone_hold(others)]
    if actor != STRANGER:
        foreign.append(world.phone_hold(STRANGER))
    return Cases(*_by_pk([world.phone_hold(actor)], foreign))


def _by_pk(own: list[Any], foreign: list[Any]) -> list[list[Arguments]]:
    return [
        [{"pk": row.pk} for row in own],
        [{"pk": row.pk} for row in foreign],
        [{"pk": uuid4()}],
    ]


def _reset_key(route: Route, world: World, actor: str) -> Cases:
    return Cases([], [], [{"uidb36": "zz", "key": "no-such-key"}])


def _admin(route: Route, world: World, actor: str) -> Cases:
    """Rows of the set-up pages; those that all clinics share are nobody's in particular."""
    if "app_label" in route.parameters:
        return Cases([{"app_label": "auth"}])
    if "content_type_id" in route.parameters:
        return Cases([], [], [{"content_type_id": 0, "object_id": uuid4()}])
    model = _model_of(route)
    own = world.admin_row(model, world.side_of(actor))
    foreign = world.admin_row(model, world.other_side(actor))
    away = [foreign] if getattr(admin.site._registry[model], "clinic_path", "") else []
    (name,) = route.parameters
    unknown = {name: 0 if model.__name__ == "User" else uuid4()}
    mine = [own, *away] if actor == ROOT else [own]
    away = [] if actor == ROOT else away
    return Cases([{name: row.pk} for row in mine], [{name: row.pk} for row in away], [unknown])


def _model_of(route: Route) -> type[Any]:
    """Return the model of an admin page, such as admin:providers_clinic_change."""
    for model in admin.site._registry:
        options = model._meta
        if route.name.startswith(f"admin:{options.app_label}_{options.model_name}_"):
            return model
    raise LookupError(f"{route.name} is no page of a registered model")


def _emr(make: Callable[[Appointment, EMRConnection], Any]) -> Finder:
    """Rows of the record system of the actor's clinic, and of the other clinic's."""

    def find(route: Route, world: World, actor: str) -> Cases:
        visits = (world.visits["here"], world.visits["there"])
        here, there = (make(visit, record_system_of(visit.clinic)) for visit in visits)
        own, foreign = (there, here) if actor == STRANGER else (here, there)
        return Cases(*_by_pk([own], [foreign]))

    return find


def _order(visit: Appointment, connection: EMRConnection) -> EMRTask:
    about = {"resource_type": "ServiceRequest", "resource_id": uuid4().hex}
    return task_of(connection, TaskKind.ORDER, patient=visit.patient, **about)


def _found_there(visit: Appointment, connection: EMRConnection) -> PatientMatch:
    patient = PatientFactory.create(clinic=visit.clinic)
    return match_of(patient, connection, person_there(patient))


def _own_result(route: Route, world: World, actor: str) -> Cases:
    """A result to follow up is its provider's, and no colleague's."""
    here, there = (
        task_of(
            record_system_of(side.clinic),
            TaskKind.RESULT,
            patient=side.patient,
            provider=side.provider,
            resource_type="DiagnosticReport",
            resource_id=uuid4().hex,
        )
        for side in (world.here, world.there)
    )
    own = {"provider": [here], STRANGER: [there]}.get(actor, [])
    return Cases(*_by_pk(own, [task for task in (here, there) if task not in own]))


def _face(route: Route, world: World, actor: str) -> Cases:
    """Our FHIR face, which is everybody's."""
    clinic = world.here.clinic.pk
    known: dict[str, Arguments] = {
        "fhir:search": {"resource_type": "Schedule"},
        "fhir:read": {"resource_type": "Location", "resource_id": clinic},
        "fhir:slots": {"clinic": clinic},
    }
    unknown: dict[str, Arguments] = {
        "fhir:search": {"resource_type": "Patient"},
        "fhir:read": {"resource_type": "Patient", "resource_id": world.here.patient.pk},
        "fhir:slots": {"clinic": uuid4()},
        "fhir:elsewhere": {"rest": "a/b/c"},
    }
    mine = [known[route.name]] if route.name in known else []
    return Cases(mine, [], [unknown[route.name]])


def _launch(route: Route, world: World, actor: str) -> Cases:
    """Doors from record systems: to a connection that opens none, every visitor is nobody."""
    system = record_system_of(world.here.clinic)
    return Cases(*_by_pk([system], []))


def _hook(route: Route, world: World, actor: str) -> Cases:
    """Where record systems notify us: nobody who does not show the secret meets anything."""
    return Cases(*_by_pk([], [record_system_of(world.here.clinic)]))


TABLE: list[tuple[list[str], Finder]] = [
    (_pages("emr_hooks", "notified notified_of"), _hook),
    (_pages("smart", "launch standalone"), _launch),
    (_pages("fhir", "search read slots elsewhere"), _face),
    (EMR_TASK, _emr(_order)),
    (EMR_CONFLICT, _emr(lambda visit, system: conflict_of(visit, system, resource_id=uuid4().hex))),
    (EMR_PATIENT, _emr(_found_there)),
    (EMR_MESSAGE, _emr(message_of)),
    (EMR_ARRIVAL, _emr(lambda _visit, system: arrival_of(system))),
    (EMR_CONNECTION, _emr(lambda _visit, system: system)),
    (["emr_provider:own_task_done"], _own_result),
    (CLINIC, _clinic),
    (JOINING, _clinic),
    (PLACE_IN_LINE, _place_in_line),
    (OFFERED, _offered),
    (["portal:offer"], _offer_token),
    (CHECKOUT, _checkout),
    (["portal:booked"], _booked),
    (["portal:link", "portal:join_link"], _token),
    (_pages("portal", "unsubscribe unsubscribe_choose"), _unsubscribe),
    (PATIENTS_CHOICES, _own_record),
    (PATIENTS_VISIT, _patients_visit),
    ([*PROVIDERS_VISIT, *DESK_VISIT, *VISITS_MESSAGES], _staff_visit),
    (["messages:text_handled"], _text),
    ([*DESK_PATIENT, *OFFICERS_PATIENT], _patient),
    (OFFICERS_COLLEAGUE, _member),
    (DESK_HOLD, _phone_hold),
    (DESK_GAP, _gap),
    (DESK_ENTRY, _desk_entry),
    (["desk:offer_act"], _desk_offer),
    (["records:of"], _patient),
    (PAIR, _pair),
    (["records:merge"], _merge),
    (["account_reset_password_from_key"], _reset_key),
    (["account_reset_second_factor"], _colleague),
    (["mfa_remove_webauthn", "mfa_edit_webauthn"], _passkey),
    (_pages("emergency", "record end"), _opened(GrantKind.EMERGENCY)),
    (_pages("emergency", "looked_at end_look"), _opened(GrantKind.OVERSIGHT)),
    (["emergency:review"], _review),
    (["provider:shares"], _own_patient),
    (["provider:end_share"], _share),
    (["provider:shared_record"], _shared),
]
