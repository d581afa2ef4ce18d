"""Log lines as JSON with an allow-list of keys, so that no patient's data can slip into one."""

import json
import logging
import re
from datetime import UTC, datetime

ALLOWED = frozenset(
    {"appointment", "clinic", "hold", "patient", "provider", "request_id", "status_code", "task"}
)
# What stands in an address after these is a secret: it opens a visit, or sets a password.
SECRET_IN_PATH = re.compile(r"(/v/|/password/reset/key/)[^/\s]+")


class JSONFormatter(logging.Formatter):
    """Writes time, level, logger, message and the allowed ids; a traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": SECRET_IN_PATH.sub(r"\1…", record.getMessage()),
        }
        line |= {key: str(value) for key, value in vars(record).items() if key in ALLOWED}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
