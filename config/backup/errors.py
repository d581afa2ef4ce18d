"""What can go wrong with a backup; the words name tables and reasons, never what rows hold."""


class BackupFailed(Exception):
    """A backup, a restore or its proof that did not come to a good end. `str()` is one line."""
