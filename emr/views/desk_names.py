"""Who our providers and our clinic are at a record system: a form that a clinic admin fills in."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from emr import queries
from emr.forms import NamesForm
from emr.models import EMRConnection
from emr.naming import LOCATION, PRACTITIONER, NameTaken, names_of, rename
from emr.views.desk_frame import CONFLICT, show
from patients.privacy.pages import Audience, StaffRequest, page
from providers.models import Provider

UNPROCESSABLE = 422


@page(audience=Audience.DESK, permission="manage_clinic", methods=("GET", "POST"))
def names(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show, and take, the ids that a record system has for each provider and for the clinic."""
    found = queries.connections_of(request.user, request.clinics)
    connection = get_object_or_404(found, pk=pk)
    form = _form(request, connection)
    if request.method == "GET":
        return _page(request, connection, form)
    if not form.is_valid():
        return _page(request, connection, form, status=UNPROCESSABLE)
    now = timezone.now()
    try:
        rename(connection, form.names_by_kind(), by=request.user, now=now)
    except NameTaken as taken:
        form.add_error(form.field_of(taken.local_id), _("Another one has this number."))
        return _page(request, connection, form, status=CONFLICT)
    messages.success(request, _("Saved. Try again what had failed for want of it."))
    return redirect("emr:connections")


def _form(request: StaffRequest, connection: EMRConnection) -> NamesForm:
    providers = Provider.objects.filter(clinic=connection.clinic_id, is_active=True)
    return NamesForm(
        request.POST if request.method == "POST" else None,
        clinic=connection.clinic,
        providers=list(providers.order_by("name", "pk")),
        known={
            PRACTITIONER: names_of(connection, PRACTITIONER),
            LOCATION: names_of(connection, LOCATION),
        },
    )


def _page(
    request: StaffRequest, connection: EMRConnection, form: NamesForm, *, status: int = 200
) -> HttpResponse:
    context = {"connection": connection, "form": form}
    return show(request, "names.html", context, here="connections", status=status)
