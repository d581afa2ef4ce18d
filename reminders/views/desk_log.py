"""The clinic's delivery log: how every message went, without a word of it."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render

from patients.privacy.pages import Audience, StaffRequest, page
from reminders.delivery_log import in_words, narrowed, page_after
from reminders.forms.desk import LogForm
from reminders.models import Delivery
from reminders.models.delivery import DeliveryQuerySet


@page(audience=Audience.DESK, permission="view_appointments", phi=True)
def delivery_log(request: StaffRequest) -> HttpResponse:
    """Show the deliveries of the clinics at hand, narrowed as asked, the newest first."""
    form = LogForm(request.GET)
    if not form.is_valid():
        return _render(request, form, status=400)
    told = form.cleaned_data
    log = narrowed(
        _own(request),
        states=form.states,
        channel=told["channel"],
        day=told["day"],
        zone=request.clinic.zone,
    )
    cursor = request.GET.get("before", "")
    try:
        shown, after = page_after(log, cursor)
    except ValueError:
        raise Http404 from None
    asked = {name: value for name, value in request.GET.items() if name in form.fields and value}
    later = f"?{urlencode(asked | {'before': after})}" if after else ""
    first = f"?{urlencode(asked)}" if cursor else ""
    return _render(request, form, rows=in_words(shown), later_href=later, first_href=first)


def _own(request: StaffRequest) -> DeliveryQuerySet:
    log: DeliveryQuerySet = Delivery.objects.visible_to(request.user)
    return log.filter(clinic__in=request.clinics).select_related("clinic", "patient")


def _render(
    request: StaffRequest, form: LogForm, *, status: int = 200, **more: object
) -> HttpResponse:
    context = {
        "form": form,
        "is_narrowed": form.is_bound and any(request.GET.get(name) for name in form.fields),
        "several_clinics": len(request.clinics) > 1,
        "nav_current": "messages",
        **more,
    }
    return render(request, "desk/messages/log.html", context, status=status)
