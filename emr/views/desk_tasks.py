"""What the record system leaves for the desk to do: orders to book, and what it cannot be told."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from emr import queries
from emr.inbox import closing
from emr.kinds import TaskKind
from emr.log_rows import visit_words
from emr.models import EMRTask
from emr.reopening import reopen
from emr.views.desk_frame import show_work
from emr.words import task_hint, task_words
from patients.privacy.pages import Audience, StaffRequest, page
from scheduling.desk_words import when_words


@dataclass(frozen=True, slots=True)
class Row:
    """One task in words, and where it is done."""

    task: EMRTask
    title: str
    hint: str
    visit: str
    opened: str
    closed: str
    href: str
    action: str


@page(audience=Audience.DESK, permission="manage_appointments", phi=True)
def tasks(request: StaffRequest) -> HttpResponse:
    """Show what is to be done, the oldest first, or what was done, the latest first."""
    found = queries.desk_tasks(request.user, request.clinics)
    return show_work(request, "tasks.html", found, here="tasks", closed=_("Done"), row=_row)


def _row(task: EMRTask) -> Row:
    zone = task.clinic.zone
    href, action = _way(task)
    return Row(
        task=task,
        title=task_words(task.kind),
        hint=task_hint(task.kind),
        visit=visit_words(task.appointment),
        opened=when_words(task.opened_at, zone),
        closed=when_words(task.closed_at, zone) if task.closed_at else "",
        href=href,
        action=action,
    )


def _way(task: EMRTask) -> tuple[str, str]:
    """Return where a task is done here, and what the button to it says."""
    if task.kind == TaskKind.ORDER and task.patient_id:
        query = urlencode({"patient": str(task.patient_id)})
        return f"{reverse('desk:book')}?{query}", _("Book a visit")
    if task.appointment_id:
        return reverse("desk:appointment", args=[task.appointment_id]), _("Open the visit")
    if task.patient_id:
        return reverse("desk:patient", args=[task.patient_id]), _("Patient's page")
    return "", ""


@page(audience=Audience.DESK, permission="manage_appointments", methods=("POST",), phi=True)
def task_done(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Close a task; sent twice it is closed once."""
    task = get_object_or_404(queries.desk_tasks(request.user, request.clinics), pk=pk)
    closing.close(task, by=request.user, now=timezone.now())
    queries.forget()
    messages.success(request, _("Done: %(what)s.") % {"what": task_words(task.kind)})
    return redirect("emr:tasks")


@page(audience=Audience.DESK, permission="manage_appointments", methods=("POST",), phi=True)
def task_open(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Put a task back on the list."""
    task = get_object_or_404(queries.desk_tasks(request.user, request.clinics), pk=pk)
    if reopen(task):
        messages.success(request, _("It is on the list again."))
    else:
        messages.info(request, _("It is on the list already."))
    queries.forget()
    return redirect("emr:tasks")
