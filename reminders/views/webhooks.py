"""Where Twilio and SendGrid speak to us: believed only with their signature over what they sent.

Whoever is not believed learns nothing. What is not known to us is taken and left alone, since a
vendor that is refused asks again. What a report means is decided elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from patients.privacy import audit
from patients.privacy.audit import Who
from patients.privacy.pages import Audience, page
from reminders import replies, reporting
from reminders.signatures import is_of_sendgrid, is_of_twilio
from reminders.vendor_reports import MESSAGE_SID, TWILIO, from_sendgrid, from_twilio

SYSTEM = "system:reminders"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
BAD, UNBELIEVED, TOO_BIG, OTHER_TYPE = 400, 403, 413, 415
NO_ANSWER = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

View = Callable[[HttpRequest], HttpResponse]


class TurnedAway(Exception):
    """What came in is not taken; the answer is this status and nothing else."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def bare(view: View) -> View:
    """Answer what is turned away without a page: nobody reads it."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except TurnedAway as reason:
            return HttpResponse(status=reason.status)

    return answer


@csrf_exempt
@page(audience=Audience.PUBLIC, methods=("POST",))
@bare
def twilio_status(request: HttpRequest) -> HttpResponse:
    """What became of a text. `?delivery=` is our own name for it, which Twilio signs too."""
    form, now = _twilio_form(request), timezone.now()
    report = from_twilio(form, marker=request.GET.get("delivery", ""), now=now)
    if report is not None:
        reporting.take(report, now=now)
    return HttpResponse(status=204)


@csrf_exempt
@page(audience=Audience.PUBLIC, methods=("POST",), phi=True)
@bare
def twilio_inbound(request: HttpRequest) -> HttpResponse:
    """A text from somebody. It is answered by a message of its own, never in this answer."""
    form = _twilio_form(request)
    audit.mark(purpose="text_received")
    if MESSAGE_SID.fullmatch(form.get("MessageSid", "")) and form.get("From"):
        replies.take(
            vendor=TWILIO,
            vendor_id=form["MessageSid"],
            sender=form["From"],
            to=form.get("To", ""),
            body=form.get("Body", ""),
            carrier_did=form.get("OptOutType", ""),
            now=timezone.now(),
        )
    return HttpResponse(NO_ANSWER, content_type="text/xml")


@csrf_exempt
@page(audience=Audience.PUBLIC, methods=("POST",))
@bare
def sendgrid_events(request: HttpRequest) -> HttpResponse:
    """What became of e-mails, several reports at once. Each that was taken stays taken."""
    now = timezone.now()
    for event in _sendgrid_batch(request):
        report = from_sendgrid(event, now=now)
        if report is not None:
            reporting.take(report, now=now)
    return HttpResponse(status=204)


def _twilio_form(request: HttpRequest) -> dict[str, str]:
    """Return a form that Twilio sent for our account. Raises TurnedAway."""
    signature = _header(request, "X-Twilio-Signature")
    _body(request, content_type=FORM)
    try:
        form = request.POST
    except TooManyFieldsSent:
        raise TurnedAway(BAD) from None
    url = settings.SITE_URL + request.get_full_path()
    if not is_of_twilio(form, url=url, signature=signature):
        raise TurnedAway(UNBELIEVED)
    _is_the_vendor()
    return {name: values[0] for name, values in form.lists() if isinstance(values[0], str)}


def _sendgrid_batch(request: HttpRequest) -> list[Any]:
    """Return the events that SendGrid sent. Raises TurnedAway."""
    signature = _header(request, "X-Twilio-Email-Event-Webhook-Signature")
    timestamp = _header(request, "X-Twilio-Email-Event-Webhook-Timestamp")
    body, now = _body(request, content_type=JSON), timezone.now()
    if not is_of_sendgrid(body, signature=signature, timestamp=timestamp, now=now):
        raise TurnedAway(UNBELIEVED)
    _is_the_vendor()
    try:
        batch = json.loads(body)
    except (ValueError, RecursionError):
        raise TurnedAway(BAD) from None
    if not isinstance(batch, list):
        raise TurnedAway(BAD)
    return batch


def _header(request: HttpRequest, name: str) -> str:
    """Return a header without which nothing is looked at."""
    value = request.headers.get(name, "")
    if not value:
        raise TurnedAway(UNBELIEVED)
    return value


def _body(request: HttpRequest, *, content_type: str) -> bytes:
    """Return what was sent, as it came; no more than DATA_UPLOAD_MAX_MEMORY_SIZE bytes."""
    if request.content_type != content_type:
        raise TurnedAway(OTHER_TYPE)
    try:
        return request.body
    except RequestDataTooBig:
        raise TurnedAway(TOO_BIG) from None


def _is_the_vendor() -> None:
    """Let the record say that messages are at work here, no visitor."""
    kept = audit.mark(purpose="message")
    if kept is not None:
        kept.who = lambda: Who(system=SYSTEM)
