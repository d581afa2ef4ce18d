"""Opens each subject at both widths, writes its picture, and notes what is wrong with it."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.signals import got_request_exception
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tqdm import tqdm

from tests.browser import (
    account_subjects,
    choices_subjects,
    emergency_subjects,
    emr_subjects,
    gap_subjects,
    message_subjects,
    portal_subjects,
    privacy_subjects,
    report_subjects,
    seal_subjects,
    staff_subjects,
    waitlist_subjects,
)
from tests.browser.chromium import launch_arguments
from tests.browser.subjects import Subject, without_picture
from tests.browser.visitors import DeadEnd

WIDTHS = {390: 844, 1440: 900}


def photograph(address: str, words: list[str], folder: Path) -> int:
    """Take the pictures and print what is wrong; return 1 if anything is."""
    folder.mkdir(parents=True, exist_ok=True)
    everything, wrong = _everything()
    wrong += [f"{name}: nobody photographs it" for name in without_picture(everything)]
    chosen = [s for s in everything if not words or any(word in s.file_name for word in words)]
    got_request_exception.connect(_tell_fault)
    with _browser() as browser:
        for subject in tqdm(chosen, unit="page", disable=None):
            wrong += _portraits(browser, address, subject, folder)
    print(f"{len(chosen) * len(WIDTHS)} pictures in {folder}/")
    print("\n".join(wrong) if wrong else "Nothing is wrong with them.")
    return 1 if wrong else 0


def _tell_fault(**_kwargs: Any) -> None:
    tqdm.write(traceback.format_exc(limit=-3))


def _everything() -> tuple[list[Subject], list[str]]:
    """Return what can be reached, and where a way to some pages is closed."""
    found: list[Subject] = []
    closed: list[str] = []
    for way in [
        *portal_subjects.WAYS,
        *choices_subjects.WAYS,
        *staff_subjects.WAYS,
        *account_subjects.WAYS,
        *seal_subjects.WAYS,
        *privacy_subjects.WAYS,
        *emergency_subjects.WAYS,
        *message_subjects.WAYS,
        *waitlist_subjects.WAYS,
        *gap_subjects.WAYS,
        *report_subjects.WAYS,
        *emr_subjects.WAYS,
    ]:
        try:
            found += way()
        except DeadEnd as end:
            closed.append(f"{way.__name__.strip('_')}: {end}")
    return found, closed


@contextmanager
def _browser() -> Iterator[Browser]:
    arguments = launch_arguments()
    if arguments is None:
        raise SystemExit("no Chromium on this machine: install the system package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**arguments)
        yield browser
        browser.close()


def _portraits(browser: Browser, address: str, subject: Subject, folder: Path) -> Iterator[str]:
    """Write the subject's pictures; yield what is wrong, a line each."""
    for width, height in WIDTHS.items():
        context = browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce"
        )
        _let_in(context, address, subject)
        page = context.new_page()
        file = folder / f"{subject.file_name}-{width}.png"
        for fault in _portrait(page, f"{address}{subject.address}", subject, width, file):
            yield f"{file.name}: {fault}"
        context.close()


def _let_in(context: BrowserContext, address: str, subject: Subject) -> None:
    """Give the browser the subject's cookies."""
    for name, cookie in subject.client.cookies.items():
        context.add_cookies([{"name": name, "value": cookie.value, "url": address}])


def _portrait(page: Page, url: str, subject: Subject, width: int, file: Path) -> Iterator[str]:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None,
    )
    answer = page.goto(url, wait_until="load")
    page.screenshot(path=file, full_page=True)
    if answer is None or answer.status != subject.status:
        yield f"answered {answer and answer.status}"
    if page.url.partition("?")[0] != url.partition("?")[0]:
        yield f"led to {page.url}"
    expected = f"status of {subject.status}"  # the browser itself notes each answer from 400 on
    yield from sorted({text for text in complaints if expected not in text})
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > width:
        yield f"is {wide} px wide"
