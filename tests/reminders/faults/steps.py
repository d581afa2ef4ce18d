"""The steps of a send at which a worker can be stopped: before or after one statement of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

# When, and words of the statement that stand in no other.
STEPS: Mapping[str, tuple[str, str]] = {
    "before the plan is taken": ("before", "UPDATE reminders_reminder AS row"),
    "after the plan is taken": ("after", "UPDATE reminders_reminder AS row"),
    "before the claim": ("before", "SET state = 'CLAIMED'"),
    "after the claim": ("after", "SET state = 'CLAIMED'"),
    "before the link": ("before", 'INSERT INTO "scheduling_managelink"'),
    "before it is begun": ("before", "SET state = 'SENDING'"),
    "after it is begun": ("after", "SET state = 'SENDING'"),
    "after the vendor's answer": ("before", "THEN coalesce(delivered_at"),
    "after it is written down": ("after", "THEN coalesce(delivered_at"),
}


class Stopping:
    """Wraps the statements of a connection; calls `stop` at the step, each time it is reached."""

    def __init__(
        self,
        step: str,
        stop: Callable[[], None],
        steps: Mapping[str, tuple[str, str]] = STEPS,
    ) -> None:
        self.when, self.words = steps.get(step, ("", ""))
        self.stop = stop

    def __call__(self, execute: Callable[..., Any], sql: Any, *rest: Any) -> Any:
        is_it = bool(self.words) and self.words in str(sql)
        if is_it and self.when == "before":
            self.stop()
        done = execute(sql, *rest)
        if is_it and self.when == "after":
            self.stop()
        return done
