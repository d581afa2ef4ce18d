"""Makes a backup: one snapshot of the database, its manifest and pg_dump's archive, sealed as they
flow. Nothing unsealed touches the disk, and a half-made file never has a backup's name."""

from __future__ import annotations

import os
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from config.backup import manifest
from config.backup.errors import BackupFailed
from config.backup.manifest import Manifest
from config.backup.programs import Target, program
from patients import sealed_stream

LENGTH = struct.Struct(">Q")
BLOCK = 1 << 20
Progress = Callable[[int], object]


def make(
    output: BinaryIO, *, source: Target, keys: dict[str, bytes], progress: Progress
) -> Manifest:
    """Write a sealed backup of `source` to `output`; return what it holds.

    Sealed under the first of `keys`. `progress` is told how many bytes pg_dump gave. Memory stays
    at a few megabytes, whatever the size. Raises BackupFailed; `output` is then worth nothing.
    """
    with source.connect() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        found = connection.execute("SELECT pg_export_snapshot()").fetchone()
        taken = manifest.take(connection)
        plain = _plain(taken, source, snapshot=found[0] if found else "", progress=progress)
        key_id = next(iter(keys))
        for part in sealed_stream.seal(plain, key_id=key_id, key=keys[key_id]):
            output.write(part)
    return taken


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a new file, for its owner alone, that takes its name once it is whole and on disk."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _plain(
    taken: Manifest, source: Target, *, snapshot: str, progress: Progress
) -> Iterator[bytes]:
    encoded = taken.encoded()
    yield LENGTH.pack(len(encoded)) + encoded
    dump = program("pg_dump", major=taken.server_major)
    line: list[str | Path] = [
        dump,
        "--format=custom",
        f"--snapshot={snapshot}",
        f"--dbname={source.conninfo}",
    ]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - our own command line
            line,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            env=source.environment(),
        )
        try:
            yield from _blocks(process, progress)
            if process.wait():
                raise BackupFailed(f"pg_dump ended with status {process.returncode}.")
        finally:
            process.kill()
            process.wait()


def _blocks(process: subprocess.Popen[bytes], progress: Progress) -> Iterator[bytes]:
    if process.stdout is None:
        raise BackupFailed("pg_dump has no output.")
    with process.stdout as output:
        while block := output.read(BLOCK):
            progress(len(block))
            yield block
