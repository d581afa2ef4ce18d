"""Patients sign in with a code sent to a contact on file. Says the same whoever is on file."""

from __future__ import annotations

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from patients.codes import CodeRefused, Purpose, redeem, request_code
from patients.forms import CodeForm, ContactForm
from patients.models.audit import Act, Outcome
from patients.privacy import audit
from patients.privacy.pages import Audience, page
from patients.registration import AccountClosed, account_for
from patients.throttle import TooManyRequests
from patients.visitors import browser_of, network_of

CODE_KEY = "sign_in_code"
NEXT_KEY = "sign_in_next"
LONGEST_NEXT = 500
BACKEND = "django.contrib.auth.backends.ModelBackend"


@page(audience=Audience.PUBLIC, methods=("GET", "POST"), phi=True)
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for the contact, and have a code sent if it is on file."""
    form = ContactForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        context = {"form": form, "next": request.GET.get("next", "")}
        return render(request, "portal/sign_in.html", context)
    onwards = request.POST.get("next", "")
    context = {"form": form, "next": onwards}
    if not form.is_valid():
        return render(request, "portal/sign_in.html", context, status=422)
    try:
        request.session[CODE_KEY] = str(
            request_code(
                purpose=Purpose.SIGN_IN,
                contact=form.cleaned_data["contact"],
                browser=browser_of(request),
                network=network_of(request),
                now=timezone.now(),
            )
        )
    except TooManyRequests as refusal:
        form.add_error("contact", str(refusal))
        return render(request, "portal/sign_in.html", context, status=429)
    request.session[NEXT_KEY] = onwards[:LONGEST_NEXT]
    return redirect("portal:sign_in_code")


@page(audience=Audience.PUBLIC, methods=("GET", "POST"), phi=True)
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """Take the code and open the account of the contact that it was sent to."""
    code_id = request.session.get(CODE_KEY)
    if code_id is None:
        return redirect("portal:sign_in")
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return render(request, "portal/sign_in_code.html", {"form": form})
    if form.is_valid():
        try:
            return _enter(request, code_id, form.cleaned_data["code"])
        except CodeRefused as refusal:
            audit.record(action=Act.SIGN_IN, purpose="sign_in", outcome=Outcome.DENIED)
            form.add_error("code", str(refusal))
        except AccountClosed:
            return render(request, "portal/sign_in_closed.html", status=403)
    return render(request, "portal/sign_in_code.html", {"form": form}, status=422)


def _enter(request: HttpRequest, code_id: str, code: str) -> HttpResponse:
    """Sign the browser in and send it where it wanted to go. Raises CodeRefused, AccountClosed."""
    spent = redeem(
        purpose=Purpose.SIGN_IN,
        code_id=code_id,
        browser=browser_of(request),
        code=code,
        now=timezone.now(),
    )
    account = account_for(*spent.contact_indexes)
    wanted = request.session.pop(NEXT_KEY, "")
    del request.session[CODE_KEY]
    if account is None:  # the address was taken off the record while its code was under way
        return redirect("portal:sign_in")
    login(request, account, backend=BACKEND)
    return redirect(wanted if _is_ours(request, wanted) else "portal:appointments")


def _is_ours(request: HttpRequest, address: str) -> bool:
    return address.startswith("/") and url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
