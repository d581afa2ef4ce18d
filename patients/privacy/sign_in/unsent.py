"""What somebody typed into a form whose sign-in had run out: kept sealed, shown to them alone.

It waits in the new session of the same browser for an hour at most, and goes nowhere by itself:
whoever typed it sends it again. Files and very long texts are not kept.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from patients.crypto import SealBroken
from patients.secrets import open_text, seal_text

SESSION_KEY = "unsent"
PURPOSE = "unsent"
KEPT_SECONDS = 60 * 60
MOST_CHARACTERS = 60_000
NOT_TYPED = {"csrfmiddlewaretoken", "password", "password1", "password2", "oldpassword"}


@dataclass(frozen=True, slots=True)
class Unsent:
    """`path` is where the fields, names with values in order, were to go."""

    path: str
    fields: list[tuple[str, str]]
    for_staff: bool


def keep(request: HttpRequest, *, user_id: int | None = None, for_staff: bool = True) -> str:
    """Keep a form that could not be taken; return the page where it waits.

    Without `user_id` it is the request's user who may have it. A form that is too long is not
    kept: then the form's own page is returned.
    """
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in NOT_TYPED
        for value in values
        if isinstance(value, str)
    ]
    if sum(len(name) + len(value) for name, value in fields) > MOST_CHARACTERS:
        return request.path
    owner = request.user.pk if user_id is None else user_id
    told = {
        "user": owner,
        "path": request.get_full_path(),
        "fields": fields,
        "for_staff": for_staff,
        "until": int(time.time()) + KEPT_SECONDS,
    }
    request.session[SESSION_KEY] = seal_text(PURPOSE, str(owner), json.dumps(told))
    return reverse("account_unsent")


def waiting(request: HttpRequest) -> Unsent | None:
    """Return what waits for the signed-in user; what is too old or another's is thrown away."""
    sealed = request.session.get(SESSION_KEY)
    if sealed is None or not request.user.is_authenticated:
        return None
    told = _opened(sealed, request.user.pk)
    if told is None:
        del request.session[SESSION_KEY]
    return told


def discard_if_sent(request: HttpRequest) -> None:
    """Forget what waits once its form comes again."""
    if request.method == "POST" and SESSION_KEY in request.session:
        told = waiting(request)
        if told is not None and told.path == request.get_full_path():
            discard(request)


def discard(request: HttpRequest) -> None:
    """Forget what waits."""
    request.session.pop(SESSION_KEY, None)


def _opened(sealed: str, user_id: int) -> Unsent | None:
    try:
        told = json.loads(open_text(PURPOSE, str(user_id), sealed))
    except SealBroken:  # another user's, or of a key that is gone
        return None
    if told["until"] < time.time():
        return None
    fields = [(name, value) for name, value in told["fields"]]
    return Unsent(told["path"], fields, told["for_staff"])
