"""Where the system's own Chromium is, and how it is started quietly."""

from __future__ import annotations

import os
import shutil
from typing import Any

QUIET = [
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launch_arguments() -> dict[str, Any] | None:
    """Return Playwright's arguments for the system's Chromium; None where there is none."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        return None
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {"executable_path": chromium, "args": [*QUIET, *sandbox]}
