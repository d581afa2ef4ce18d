"""Log lines as JSON with an allow-list of keys, so that no patient's data can slip into one."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from traceback import TracebackException

ALLOWED = frozenset(
    {
        "appointment",
        "clinic",
        "head",
        "hold",
        "patient",
        "provider",
        "request_id",
        "row",
        "rows",
        "seal",
        "status_code",
        "task",
    }
)
# What stands in an address after these is a secret: it opens a visit, or sets a password.
SECRET_IN_PATH = re.compile(r"(/v/|/password/reset/key/)[^/\s]+")
# A job's error stands in the queue's own table of failures; its words stay out of the log.
WORDS_OF_A_FAILURE = re.compile(r"\A(Failed '[^']*' \([^)]*\)) - .*", re.DOTALL)


class JSONFormatter(logging.Formatter):
    """Writes time, level, logger, message and the allowed ids; a traceback where there is one.

    Of an error only its kind is written and where it came from: a database's own words quote the
    row that it refused, and Python's the value.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _without_secrets(record.getMessage()),
        }
        line |= {key: str(value) for key, value in vars(record).items() if key in ALLOWED}
        if record.exc_info and record.exc_info[1]:
            found = TracebackException.from_exception(record.exc_info[1])
            line["traceback"] = "".join(_without_words(found))
        return json.dumps(line, ensure_ascii=False)


def _without_secrets(message: str) -> str:
    return SECRET_IN_PATH.sub(r"\1…", WORDS_OF_A_FAILURE.sub(r"\1", message))


def _without_words(error: TracebackException) -> Iterator[str]:
    """Yield frames and kinds of an error and of what led to it, the first cause first."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _without_words(cause)
    yield from error.stack.format()
    kind = error.exc_type
    if kind is not None:
        yield f"{kind.__module__}.{kind.__qualname__}\n"
