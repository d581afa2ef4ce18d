"""The keys that seal backups: apart from those of the data, and only where backups are made."""

from __future__ import annotations

from django.conf import settings

from config.backup.errors import BackupFailed
from patients.crypto import BadKeys, parse_keys


def ring() -> dict[str, bytes]:
    """Return the keys of BACKUP_KEYS by id, the one that seals first. Raises BackupFailed."""
    if not settings.BACKUP_KEYS:
        raise BackupFailed("BACKUP_KEYS is not set: id:base64 of 32 random bytes.")
    try:
        return parse_keys(settings.BACKUP_KEYS)
    except BadKeys as error:
        raise BackupFailed(f"BACKUP_KEYS cannot be used: {error}.") from error
