"""What came from the record system and was not understood: why, and reading it again."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from emr import queries, trying
from emr.kinds import Arrival
from emr.log_rows import received_row
from emr.models import InboundMessage
from emr.views.desk_frame import show
from emr.words import code_words, source_words
from patients.privacy.pages import Audience, StaffRequest, page
from scheduling.desk_words import when_words


@page(audience=Audience.DESK, permission="manage_appointments", phi=True)
def arrival(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show one message that came in: what it is about, and why it was not understood."""
    found = _arrival(request, pk)
    context = {
        "row": received_row(found),
        "facts": _facts(found),
        "is_dead": found.state == Arrival.DEAD,
    }
    return show(request, "arrival.html", context, here="messages")


def _arrival(request: StaffRequest, pk: UUID) -> InboundMessage:
    return get_object_or_404(queries.inbound_of(request.user, request.clinics), pk=pk)


def _facts(found: InboundMessage) -> list[dict[str, str]]:
    zone = found.connection.clinic.zone
    entry = f"{found.resource_type}/{found.resource_id}" if found.resource_id else ""
    rows = [
        (_("Record system"), found.connection.name),
        (_("Came"), f"{when_words(found.received_at, zone)} · {source_words(found.source)}"),
        (_("Entry there"), entry),
        (_("Event"), found.event),
        (_("Tries"), str(found.attempts)),
        (_("Done"), when_words(found.done_at, zone) if found.done_at else ""),
        (_("Why"), " ".join(code_words(found.codes))),
        (_("Codes"), ", ".join(map(str, found.codes))),
        (_("Number"), str(found.pk)),
    ]
    return [{"label": label, "value": value} for label, value in rows if value]


@page(audience=Audience.DESK, permission="manage_appointments", methods=("POST",), phi=True)
def arrival_act(request: StaffRequest, pk: UUID, name: str) -> HttpResponse:
    """Have a message that came in read again, or leave it alone."""
    found = _arrival(request, pk)
    if name not in ARRIVAL_ACTS:
        raise Http404
    act, said = ARRIVAL_ACTS[name]
    if act(found, now=timezone.now()):
        messages.success(request, said)
    else:
        messages.info(request, _("Somebody has settled it already."))
    queries.forget()
    return redirect("emr:arrival", found.pk)


ARRIVAL_ACTS = {
    "again": (trying.take_again, gettext_lazy("It is read again.")),
    "leave": (trying.leave_alone, gettext_lazy("It is off the list.")),
}
