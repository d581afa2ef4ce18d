"""The desk's inbox: texts from patients that only a person can answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.privacy.pages import Audience, StaffRequest, page
from reminders import waiting
from reminders.forms.desk import ShownForm
from reminders.models import InboundText
from reminders.models.desk import InboundTextQuerySet
from reminders.words import meaning_words
from scheduling.desk_words import when_words

ON_A_PAGE = 25


def texts_of(request: StaffRequest) -> InboundTextQuerySet:
    """Return the texts to the clinics at which this member of staff works at the desk."""
    texts: InboundTextQuerySet = InboundText.objects.visible_to(request.user)
    return texts.filter(clinic__in=request.clinics)


@page(audience=Audience.DESK, permission="manage_appointments", phi=True)
def inbox(request: StaffRequest) -> HttpResponse:
    """Show the texts that wait for an answer, the oldest first; or all, the newest first."""
    form = ShownForm(request.GET)
    if not form.is_valid():
        raise Http404
    show_all = form.cleaned_data["show"] == "all"
    texts = texts_of(request)
    found = texts.order_by("-received_at", "-pk") if show_all else _waiting(texts)
    related = found.select_related("patient", "appointment__provider", "clinic", "handled_by")
    related = related.defer("appointment__reason_for_visit")
    shown = Paginator(related, ON_A_PAGE).get_page(request.GET.get("page"))
    kept = "show=all&" if show_all else ""
    context = {
        "rows": [_row(text) for text in shown],
        "show_all": show_all,
        "several_clinics": len(request.clinics) > 1,
        "nav_current": "texts",
        "tabs": _tabs(show_all=show_all),
        "earlier_href": f"?{kept}page={shown.number - 1}" if shown.has_previous() else "",
        "later_href": f"?{kept}page={shown.number + 1}" if shown.has_next() else "",
    }
    return render(request, "desk/messages/texts.html", context)


def _waiting(texts: InboundTextQuerySet) -> InboundTextQuerySet:
    return texts.waiting().order_by("received_at", "pk")


def _tabs(*, show_all: bool) -> list[dict[str, Any]]:
    here = reverse("messages:texts")
    return [
        {"label": _("To answer"), "href": here, "current": not show_all},
        {"label": _("All"), "href": f"{here}?show=all", "current": show_all},
    ]


def _row(text: InboundText) -> dict[str, Any]:
    zone = text.clinic.zone if text.clinic else timezone.get_default_timezone()
    visit, handler = text.appointment, text.handled_by
    return {
        "text": text,
        "when": when_words(text.received_at, zone),
        "visit_when": when_words(visit.scheduled_start, zone) if visit else "",
        "meaning": meaning_words(text.meaning),
        "waits": text.needs_staff and text.handled_at is None,
        "handled": when_words(text.handled_at, zone) if text.handled_at else "",
        "handler": (handler.get_full_name() or handler.get_username()) if handler else "",
    }


@page(audience=Audience.DESK, permission="manage_appointments", methods=("POST",), phi=True)
def text_handled(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Note that somebody has dealt with a text; who was first stays noted."""
    text = get_object_or_404(texts_of(request), pk=pk)
    done = InboundText.objects.filter(pk=text.pk, handled_at=None).update(
        handled_at=timezone.now(), handled_by=request.user
    )
    if done:
        waiting.forget()
        messages.success(request, _("The text is done."))
    return redirect("messages:texts")
