"""What each visitor should meet at each address, worked out from declared data alone.

Reads the pages' declarations and the table of roles; asks no code that enforces either.
"""

from __future__ import annotations

from enum import Enum

from config.roles import Holder, permissions_of
from patients.privacy.pages import Audience
from tests.journeys.cast import GONE, ROOT, STAFF_OF_ONE_CLINIC, STRANGER
from tests.routes import Route

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# Django's admin has its own verbs for who may read and write; these are the roles' for them.
ADMIN_READ = {
    "auth_user": "view_staff",
    "patients_patient": "view_patients",
    "scheduling_appointment": "view_appointments",
}
ADMIN_APPS = ("auth_", "emr_", "patients_", "providers_", "reminders_", "scheduling_")
ADMIN_ENTRY = ("manage_clinic", "view_staff")
ADMIN_OPEN_TO_ALL_INSIDE = ("changelist", "change", "history")
# A superuser sets clinics up, and sees nothing of patients without a role.
ROOTS_OWN = {"manage_clinic", "view_staff"}
ONLY_LEADS_TO_SIGN_IN = "admin:login"


class Meets(Enum):
    SIGN_IN = "is sent to sign in"
    NOT_FOUND = "finds nothing"
    NOT_ALLOWED = "is told that the method is none of the page's"
    FORBIDDEN = "is inside, and refused"
    ADMITTED = "is let in, to their own rows"


def permissions(actor: str) -> set[str]:
    """Return all that an actor's roles carry."""
    if actor == ROOT:
        return set(ROOTS_OWN)
    roles = set(STAFF_OF_ONE_CLINIC.get(actor, ()))
    if actor == STRANGER:
        roles = {role for held in STAFF_OF_ONE_CLINIC.values() for role in held}
    return {name for role in roles for name in permissions_of(Holder(role.value))}


def is_stranger(actor: str) -> bool:
    return actor in {"anonymous", GONE}


def is_admitted(actor: str, route: Route) -> bool:
    """Say whether the page's audience and permission are this actor's."""
    if route.audience is Audience.PUBLIC or route.name == ONLY_LEADS_TO_SIGN_IN:
        return True
    if is_stranger(actor):
        return False
    if route.audience is Audience.PATIENT:
        return actor == "patient"
    held = permissions(actor)
    if route.name.startswith("admin:"):
        return bool(held & set(ADMIN_ENTRY))
    if route.audience is Audience.STAFF:
        return bool(held)
    return actor != ROOT and route.permission in held


def expected(actor: str, route: Route, method: str) -> Meets:
    """Return what an actor meets at an own row of a page."""
    if route.declared and method not in _methods(route):
        return Meets.NOT_ALLOWED
    if not is_admitted(actor, route):
        return Meets.SIGN_IN if is_stranger(actor) else Meets.NOT_FOUND
    if route.name.startswith("admin:") and not _reads(actor, route):
        return Meets.FORBIDDEN
    return Meets.ADMITTED


def _methods(route: Route) -> tuple[str, ...]:
    return (*route.methods, "HEAD") if "GET" in route.methods else route.methods


def _reads(actor: str, route: Route) -> bool:
    """Say whether an actor may see a page of the set-up site; other pages of it are for all."""
    _admin, _mark, name = route.name.partition(":")
    model, _mark, page = name.rpartition("_")
    if not model.startswith(ADMIN_APPS):
        return True
    if model == "auth_user_password":
        model, page = "auth_user", "password"
    held = permissions(actor)
    if model in ADMIN_READ and page in ADMIN_OPEN_TO_ALL_INSIDE:
        return ADMIN_READ[model] in held
    if model in ADMIN_READ and model != "auth_user":
        return False  # looked at there, and written on the desk's pages
    return "manage_clinic" in held
