"""The record system's pages at the desk, after it left something of everything."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from patients.privacy import audit
from scheduling.models import Appointment
from tests.browser import visitors
from tests.browser.emr_stage import set_up
from tests.browser.subjects import Subject


def _record_system() -> list[Subject]:
    now, client = timezone.now(), visitors.staff("admin")
    coming = Appointment.objects.live().filter(scheduled_start__gt=now + timedelta(days=1))
    related = coming.select_related("patient", "clinic", "provider", "appointment_type")
    visits = list(related.order_by("scheduled_start")[:12])
    each = list({visit.patient_id: visit for visit in visits}.values())
    with audit.keeping_record(system="system:test", purpose="pictures"):
        stage = set_up(each[0].clinic, each, now=now)

    def subject(
        name: str, pk: UUID | None = None, *, side: str = "", query: str = "", label: str = ""
    ) -> Subject:
        arguments: dict[str, Any] = {"pk": pk} if pk else {}
        arguments |= {"side": side} if side else {}
        return Subject(f"emr:{name}", "desk", client, arguments, query, f"emr-{label or name}")

    conflict, match = stage.conflict.pk, stage.match.pk
    message, connection = stage.message.pk, stage.connection.pk
    return [
        subject("tasks"),
        subject("tasks", query="show=closed", label="tasks-done"),
        subject("conflicts"),
        subject("conflict", conflict),
        subject("settle", conflict, side="theirs", label="take-theirs"),
        subject("settle", conflict, side="ours", label="keep-ours"),
        subject("patients"),
        subject("patient", match),
        subject("patient_link", match, query="remote_id=p-17"),
        subject("patient_make", match),
        subject("patient_leave", match),
        subject("messages"),
        subject("messages", query="way=received&state=all", label="received"),
        subject("message", message),
        subject("message_drop", message),
        subject("arrival", stage.arrival.pk),
        subject("connections"),
        subject("names", connection),
    ]


WAYS = [_record_system]
