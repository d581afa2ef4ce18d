"""The system's own Chromium for the browser tests; without one they are skipped, in CI failed."""

import os
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import launch_arguments

# A page on a busy machine may take its time; what never comes is a failure all the same.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session", autouse=True)
def _orm_beside_the_browser() -> None:
    """The browser's driver keeps an event loop in this thread, which Django mistakes for async."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    arguments = launch_arguments()
    if arguments is None:
        missing = "no Chromium on this machine: install the system package chromium"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return arguments
