"""Refuses what is no text: an address with a NUL in it, a header with a NUL or a line's end, which
no proxy should let pass, and a body in another encoding than UTF-8, which no page of ours sends.
What these may carry, lone surrogates for one, neither the database nor a page can write."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

NO_TEXT = re.compile(r"[\0\r\n]")


class OnlyUTF8:
    """Answers 400 before anything reads the address, the headers or the body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info:
            raise BadRequest("addresses are text")
        for name, value in request.META.items():
            if name.startswith("HTTP_") and NO_TEXT.search(value):
                raise BadRequest("headers are text")
        named = (request.content_params or {}).get("charset", "utf-8")
        if not _is_utf8(named):
            raise BadRequest("bodies are in UTF-8")
        return self.get_response(request)


def _is_utf8(name: str) -> bool:
    try:
        return codecs.lookup(name).name == "utf-8"
    except (LookupError, ValueError):
        return False
