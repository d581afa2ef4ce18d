"""`manage.py import_fhir`: takes patients and practitioners of FHIR R4 files in at a clinic.

Prints ids, never names; file names only on request, because they may carry patients' names.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from emr.files import NoSuchInput, find_files
from emr.findings import Finding, Tally, report_writer
from emr.importing import import_files
from emr.intake.kinds import Target
from emr.management.progress import progress
from patients.privacy.audit import keeping_record
from providers.models import Clinic

_LONGEST_SOURCE = 255


class Command(BaseCommand):
    help = (
        "Read FHIR R4 bundles, single resources and NDJSON (Patient, Practitioner,"
        " PractitionerRole, Organization, Location). A second run of the same files writes"
        " nothing. Refused records do not stop it; exit code 1 means that a file was not wholly"
        " readable."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", nargs="+", type=Path, help="files, or folders of them")
        parser.add_argument(
            "--clinic", required=True, metavar="SLUG", help="receives patients and practitioners"
        )
        parser.add_argument(
            "--source",
            default="fhir-import",
            help="name of the system the files come from; a resource is known by it and its id"
            " (default: %(default)s)",
        )
        parser.add_argument(
            "--report",
            type=Path,
            metavar="FILE",
            help="write each refusal and remark, without names: CSV for .csv, else JSON lines",
        )
        parser.add_argument(
            "--show-file-names",
            action="store_true",
            help="name damaged files, though file names may carry patients' names",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        target = _target(options["clinic"], options["source"])
        files = _files(options["path"])
        total = sum(path.stat().st_size for path in files)
        with (
            _report(options["report"]) as tell,
            progress("Importing", total=total, stream=sys.stderr) as advance,
            keeping_record(system="system:import", purpose="import", clinic=target.clinic),
        ):
            tally = import_files(files, target=target, tell=tell, advance=advance)
        self._conclude(tally, files, show_names=options["show_file_names"])

    def _conclude(self, tally: Tally, files: Sequence[Path], *, show_names: bool) -> None:
        for line in tally.table():
            self.stdout.write(line)
        for number, reason in tally.damaged.items():
            name = f" {files[number - 1]}" if show_names else ""
            self.stdout.write(f"File {number} of {len(files)}{name}: {reason}.")
        if tally.damaged:
            raise CommandError(
                f"{len(tally.damaged)} of {len(files)} files could not be read wholly;"
                " what could be read was taken in."
            )


def _target(slug: str, source: str) -> Target:
    if "\0" in slug + source or not 0 < len(source) <= _LONGEST_SOURCE:
        raise CommandError(f"Give a source of 1 to {_LONGEST_SOURCE} characters.")
    clinic = Clinic.objects.filter(slug=slug).first()
    if clinic is None:
        raise CommandError(f"There is no clinic with the slug {slug!r}.")
    return Target(clinic=clinic, source=source)


def _files(paths: Sequence[Path]) -> list[Path]:
    try:
        return find_files(paths)
    except NoSuchInput as error:
        raise CommandError(str(error)) from error


@contextmanager
def _report(path: Path | None) -> Iterator[Callable[[Finding], None]]:
    if path is None:
        yield lambda _finding: None
        return
    try:
        file = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise CommandError(f"The report cannot be written: {error.strerror}.") from error
    with file:
        yield report_writer(file, as_csv=path.suffix.lower() == ".csv")
