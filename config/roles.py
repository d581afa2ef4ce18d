"""Who may see and change what, as one table. Permissions and documentation are read from it.

A role is held at a clinic; `settings.ROLE_PERMISSIONS` hands what it carries to the rooms. What
rows a permission opens is not known here: that is for each model's `visible_to`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Holder(StrEnum):
    """The columns of the table. The four in capitals are roles as `Membership` keeps them."""

    ANONYMOUS = "anonymous"
    PATIENT = "patient (self)"
    RECEPTIONIST = "RECEPTIONIST"
    PROVIDER = "PROVIDER"
    OTHER_PROVIDER = "provider (other)"
    CLINIC_ADMIN = "CLINIC_ADMIN"
    PRIVACY_OFFICER = "PRIVACY_OFFICER"


ROLES = (Holder.RECEPTIONIST, Holder.PROVIDER, Holder.CLINIC_ADMIN, Holder.PRIVACY_OFFICER)


class Resource(StrEnum):
    """The rows of the table."""

    FREE_SLOTS = "free slots"
    TIME = "appointment time, status"
    REASON = "visit reason"
    IDENTITY = "identity, contact"
    NOTES = "clinical notes"
    WAITLIST = "waitlist"
    DELIVERY = "delivery log (no bodies)"
    EMR = "record system: tasks, conflicts, links"
    AUDIT = "audit"
    EMERGENCY = "emergency access"
    STAFF = "users, roles"


@dataclass(frozen=True, slots=True)
class Cell:
    """`limit` says under which condition; `permissions` are what a role holds for it."""

    read: bool = False
    write: bool = False
    limit: str = ""
    permissions: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.read:
            return "–"
        return ", ".join(part for part in ("R W" if self.write else "R", self.limit) if part)


def _read(*permissions: str, limit: str = "") -> Cell:
    return Cell(read=True, limit=limit, permissions=permissions)


def _write(*permissions: str, limit: str = "") -> Cell:
    return Cell(read=True, write=True, limit=limit, permissions=permissions)


NOTHING = Cell()
AT_THE_DESK = ("view_appointments", "manage_appointments", "overbook")
OWN = "own patients"
STATED = "one patient, for a stated reason"

TABLE: dict[Resource, dict[Holder, Cell]] = {
    Resource.FREE_SLOTS: dict.fromkeys(Holder, _read()),
    Resource.TIME: {
        Holder.PATIENT: _write(limit="by the clinic's rules"),
        Holder.RECEPTIONIST: _write(*AT_THE_DESK),
        Holder.PROVIDER: _write("view_own_schedule", "manage_own_visits", limit="own visits"),
        Holder.CLINIC_ADMIN: _write(*AT_THE_DESK),
        Holder.PRIVACY_OFFICER: _read("look_with_reason", limit=STATED),
    },
    Resource.REASON: {
        Holder.PATIENT: _write(),
        Holder.RECEPTIONIST: _write("view_reasons", limit="until the visit starts, never in lists"),
        Holder.PROVIDER: _read("view_own_schedule", limit="own visits"),
    },
    Resource.IDENTITY: {
        Holder.PATIENT: _write(limit="own contact"),
        Holder.RECEPTIONIST: _write("view_patients", "manage_patients"),
        Holder.PROVIDER: _read("view_own_schedule", limit=OWN),
        Holder.CLINIC_ADMIN: _write("view_patients", "manage_patients"),
        Holder.PRIVACY_OFFICER: _read("look_with_reason", limit=STATED),
    },
    Resource.NOTES: {
        Holder.PROVIDER: _write("manage_own_visits", limit="own visits"),
    },
    Resource.WAITLIST: {
        Holder.PATIENT: _write(limit="own"),
        Holder.RECEPTIONIST: _write("manage_appointments"),
        Holder.PROVIDER: _read("view_own_schedule", limit=OWN),
        Holder.CLINIC_ADMIN: _write("manage_appointments"),
    },
    Resource.DELIVERY: {
        Holder.PATIENT: _read(limit="own"),
        Holder.RECEPTIONIST: _read("view_appointments"),
        Holder.PROVIDER: _read("view_own_schedule", limit=OWN),
        Holder.CLINIC_ADMIN: _read("view_appointments"),
        Holder.PRIVACY_OFFICER: _read("view_audit"),
    },
    Resource.EMR: {
        Holder.RECEPTIONIST: _write("manage_appointments"),
        Holder.PROVIDER: _write("manage_own_visits", limit="own tasks"),
        Holder.CLINIC_ADMIN: _write("manage_appointments", "manage_clinic"),
    },
    Resource.AUDIT: {
        Holder.PATIENT: _read(limit="who looked at the own record"),
        Holder.PROVIDER: _read(limit="own acts"),
        Holder.PRIVACY_OFFICER: _read("view_audit"),
    },
    Resource.EMERGENCY: {
        Holder.RECEPTIONIST: _read("break_glass", limit="one patient, 60 minutes, no notes"),
        Holder.PROVIDER: _read("break_glass", "share_records", limit="one patient, 60 minutes"),
        Holder.PRIVACY_OFFICER: _write("view_audit", limit="reviews each one"),
    },
    Resource.STAFF: {
        Holder.PATIENT: _read(limit="own profile"),
        Holder.RECEPTIONIST: _read(limit="own profile"),
        Holder.PROVIDER: _read(limit="own profile"),
        Holder.CLINIC_ADMIN: _write("manage_clinic", "view_staff", limit="not oneself"),
        Holder.PRIVACY_OFFICER: _read("view_staff"),
    },
}


def cell(resource: Resource, holder: Holder) -> Cell:
    """Return what somebody may do with something; nothing where the table is silent."""
    return TABLE[resource].get(holder, NOTHING)


def permissions_of(role: Holder) -> frozenset[str]:
    """Return the permissions that a role carries at its clinic."""
    return frozenset(name for row in TABLE.values() for name in row.get(role, NOTHING).permissions)


ROLE_PERMISSIONS: dict[str, frozenset[str]] = {role.value: permissions_of(role) for role in ROLES}


def as_markdown() -> str:
    """Return the table as the documentation shows it."""
    heads = [str(holder).lower().replace("_", " ") for holder in Holder]
    lines = [["", *heads], ["---"] * (len(heads) + 1)]
    lines += [
        [str(resource), *(str(cell(resource, holder)) for holder in Holder)] for resource in TABLE
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
