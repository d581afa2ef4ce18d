"""Writes the clinical note of a visit: by its own provider, and over nobody's newer words."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction

from patients.privacy.access import may
from scheduling.errors import Stale
from scheduling.models import Appointment, VisitNote


def find_note(appointment: Appointment, *, by: User) -> VisitNote | None:
    """Return a visit's note if this user may read it, else None as if there were none."""
    return VisitNote.objects.visible_to(by).filter(appointment=appointment).first()


def stamp(note: VisitNote | None) -> str:
    """Return what tells one state of a note from the next; empty where there is none."""
    return note.updated_at.isoformat() if note else ""


@transaction.atomic
def write_note(*, appointment: Appointment, text: str, seen: str, by: User) -> VisitNote:
    """Write a visit's note. `seen` is the stamp of the state that the author had before them.

    Raises Stale when the note was changed since, PermissionDenied to all but the own provider,
    who still has to hold the role at the visit's clinic.
    """
    is_own = appointment.provider.user_id == by.pk
    if not (is_own and may(by, "manage_own_visits", at=appointment.clinic_id)):
        raise PermissionDenied
    Appointment.objects.select_for_update(of=("self",), no_key=True).get(pk=appointment.pk)
    note = find_note(appointment, by=by)
    if stamp(note) != seen:
        raise Stale
    if note is None:
        return VisitNote.objects.create(appointment=appointment, text=text, author=by)
    note.text, note.author = text, by
    note.save(update_fields=["text", "author", "updated_at"])
    return note
