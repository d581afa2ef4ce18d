"""The doors by which a provider comes in from the record system, and the way back from there.

They answer GET, as SMART App Launch asks, and change nothing but the browser's own session. Who is
turned away is not told why: the record has it.
"""

from __future__ import annotations

from uuid import UUID

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from emr.failures import EMRError, TryLater
from emr.models import EMRConnection
from emr.smart import launch, pending, whose
from patients.models.audit import Act, Outcome
from patients.privacy import audit
from patients.privacy.middleware import CLINIC_SESSION_KEY
from patients.privacy.pages import Audience, page
from patients.throttle import Limit, TooManyRequests
from patients.visitors import network_of

PURPOSE = "emr_launch"
METHOD = "emr"
BY_NETWORK = Limit("emr-launch", times=60)
FORBIDDEN, TOO_OFTEN, AWAY = 403, 429, 503


@page(audience=Audience.PUBLIC)
def from_record_system(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take a launch that the record system began."""
    if _is_too_often(request):
        return _page(request, TOO_OFTEN)
    connection = _connection(pk)
    asked = request.GET.get("launch", "")
    if connection is None or not asked:
        return _refused(request, connection)
    if not launch.is_its_own(connection, request.GET.get("iss", "")):
        return _refused(request, connection)
    return _begin(request, connection, asked)


@page(audience=Audience.PUBLIC)
def standalone(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Send somebody who came by themselves to sign in at the record system."""
    if _is_too_often(request):
        return _page(request, TOO_OFTEN)
    connection = _connection(pk)
    if connection is None:
        return _refused(request, None)
    return _begin(request, connection, "")


@page(audience=Audience.PUBLIC)
def callback(request: HttpRequest) -> HttpResponse:
    """Take somebody back from the record system, and sign them in as a password would."""
    if _is_too_often(request):
        return _page(request, TOO_OFTEN)
    now = timezone.now()
    waiting = pending.answered(request.session, request.GET.get("state", ""), now=now)
    connection = _connection(waiting.connection_id) if waiting else None
    code = request.GET.get("code", "")
    if waiting is None or connection is None or not code or "error" in request.GET:
        return _refused(request, connection)
    try:
        issuer = request.GET.get("iss", "")
        opened = launch.finish(connection, waiting, code=code, issuer=issuer, now=now)
    except EMRError as error:
        return _refused(request, connection, status=_status(error))
    return _signed_in(request, opened)


def _begin(request: HttpRequest, connection: EMRConnection, asked: str) -> HttpResponse:
    try:
        where = launch.begin(connection, request.session, launch=asked, now=timezone.now())
    except EMRError as error:
        return _refused(request, connection, status=_status(error))
    return redirect(where)


def _signed_in(request: HttpRequest, opened: launch.Opened) -> HttpResponse:
    """Sign in, unless it is who was signed in already; another's sign-in ends first."""
    where = whose.where_to(
        opened.connection,
        user=opened.user,
        remote_patient=opened.remote_patient,
        now=timezone.now(),
    )
    audit.record(
        action=Act.SIGN_IN, about=opened.user, purpose=PURPOSE, clinic=opened.connection.clinic_id
    )
    if request.user.is_authenticated and request.user.pk != opened.user.pk:
        logout(request)
    request.session[CLINIC_SESSION_KEY] = str(opened.connection.clinic_id)
    if request.user.is_authenticated:
        return redirect(where)
    record_authentication(request, opened.user, method=METHOD)
    answer: HttpResponse = perform_login(request, opened.user, redirect_url=where)
    return answer


def _refused(
    request: HttpRequest, connection: EMRConnection | None, *, status: int = FORBIDDEN
) -> HttpResponse:
    """Show the one page for all who are not let in, and write down that it was so."""
    audit.record(
        action=Act.SIGN_IN,
        purpose=PURPOSE,
        outcome=Outcome.DENIED,
        system=audit.VISITOR,
        clinic=connection.clinic_id if connection else None,
    )
    return _page(request, status)


def _page(request: HttpRequest, status: int) -> HttpResponse:
    return render(request, "account/launch_refused.html", status=status)


def _is_too_often(request: HttpRequest) -> bool:
    """Count a request by its network; whoever comes too often leaves no rows of it."""
    try:
        BY_NETWORK.spend(network_of(request))
    except TooManyRequests:
        return True
    return False


def _connection(pk: UUID) -> EMRConnection | None:
    known = EMRConnection.objects.active().exclude(launch_client_id="").exclude(base_url="")
    return known.filter(pk=pk).first()


def _status(error: EMRError) -> int:
    return AWAY if isinstance(error, TryLater) else FORBIDDEN
