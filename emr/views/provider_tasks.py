"""A provider's own tasks from the record system: results to follow up, done with one click."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from emr import queries
from emr.inbox import closing
from patients.privacy.pages import Audience, StaffRequest, page


@page(audience=Audience.PROVIDER, permission="manage_own_visits", methods=("POST",), phi=True)
def own_task_done(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Close an own task, and lead back to the day."""
    task = get_object_or_404(queries.provider_tasks(request.user, request.clinics), pk=pk)
    closing.close(task, by=request.user, now=timezone.now())
    messages.success(request, _("Noted: you have seen it."))
    return redirect("provider:today")
