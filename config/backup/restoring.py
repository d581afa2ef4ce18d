"""Restores a backup into an empty database, whole or not at all: what is read before a damage is
found is rolled back. Its background jobs stay held, for the database is not the one they knew."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

from config.backup.errors import BackupFailed
from config.backup.making import LENGTH, Progress
from config.backup.manifest import Manifest
from config.backup.programs import Target, program
from patients import sealed_stream
from patients.sealed_stream import StreamError

LARGEST_MANIFEST = 64 << 20
FULL = "SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace)"
NAMED = re.compile(r'(?:table|constraint|relation|function|extension|index|type) "?([\w.]+)')


def restore(
    sealed: BinaryIO,
    *,
    target: Target,
    keys: dict[str, bytes],
    progress: Progress,
    programs: Path | None = None,
) -> Manifest:
    """Restore a sealed backup into the empty database `target`; return what it should now hold.

    Raises BackupFailed: the stream is damaged or cannot be opened, the database holds something,
    or pg_restore refused. Nothing of the backup is there then.
    """
    major = _major_of_empty(target)
    try:
        plain = sealed_stream.unseal(sealed, keys=keys)
        taken, rest = _manifest(plain)
        if taken.server_major > major:
            raise BackupFailed(
                f"The backup is of PostgreSQL {taken.server_major}; this server has {major}."
            )
        line = program("pg_restore", major=major, directory=programs)
        _feed(line, target, _counted(rest, plain, progress))
    except StreamError as error:
        raise BackupFailed(str(error)) from error
    with target.connect() as connection:
        connection.autocommit = True
        connection.execute("ANALYZE")
    return taken


def read_manifest(sealed: BinaryIO, *, keys: dict[str, bytes]) -> Manifest:
    """Return the manifest at the beginning of a backup. Raises BackupFailed."""
    try:
        return _manifest(sealed_stream.unseal(sealed, keys=keys))[0]
    except StreamError as error:
        raise BackupFailed(str(error)) from error


def _major_of_empty(target: Target) -> int:
    with target.connect() as connection:
        row = connection.execute(FULL).fetchone()
        if row is None or row[0]:
            raise BackupFailed("The database to restore into is not empty.")
        return connection.info.server_version // 10_000


def _manifest(plain: Iterator[bytes]) -> tuple[Manifest, bytes]:
    """Return the manifest and what of the archive came with its last chunk."""
    held = bytearray()
    wanted = LENGTH.size
    for block in plain:
        held += block
        if len(held) >= LENGTH.size:
            wanted = LENGTH.size + LENGTH.unpack_from(held)[0]
        if len(held) >= wanted or wanted > LARGEST_MANIFEST:
            break
    if not LENGTH.size < wanted <= len(held):
        raise BackupFailed("The backup has no manifest.")
    try:
        return Manifest.decoded(bytes(held[LENGTH.size : wanted])), bytes(held[wanted:])
    except (ValueError, KeyError, TypeError) as error:
        raise BackupFailed("The backup's manifest is of another version.") from error


def _counted(first: bytes, rest: Iterator[bytes], progress: Progress) -> Iterator[bytes]:
    yield first
    for block in rest:
        progress(len(block))
        yield block


def _feed(pg_restore: Path, target: Target, archive: Iterator[bytes]) -> None:
    """Give the archive to pg_restore; kill it, and so roll it back, where the archive breaks."""
    line: list[str | Path] = [pg_restore, "--single-transaction", "--exit-on-error", "--no-owner"]
    line += ["--no-privileges", f"--dbname={target.conninfo}"]
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "env": target.environment()}
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(line, stderr=said, **options) as process:  # type: ignore[call-overload]  # noqa: S603
            try:
                _pour(archive, process)
            except BaseException:
                process.kill()  # before its input ends: it must not take the break for the end
                raise
        if process.returncode:
            raise BackupFailed(_reason(process.returncode, said))


def _pour(archive: Iterator[bytes], process: subprocess.Popen[bytes]) -> None:
    if process.stdin is None:
        raise BackupFailed("pg_restore has no input.")
    try:
        for block in archive:
            process.stdin.write(block)
        process.stdin.close()
    except BrokenPipeError:  # it ended early, and its status says more
        process.wait()


def _reason(status: int, said: IO[bytes]) -> str:
    """Return which thing pg_restore refused; its own words could quote a row."""
    said.seek(0)
    words = said.read(65_536).decode(errors="replace")
    named = NAMED.search(words.partition("error:")[2])
    return f"pg_restore ended with status {status}" + (f", at {named[1]}." if named else ".")
