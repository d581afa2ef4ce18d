"""Refuses to serve or to work with the wrong keys; knows nothing of what they seal."""

from __future__ import annotations

import logging

from django.db import DatabaseError, connections

from patients.crypto import BadKeys
from patients.sentinel import WrongKeys, prove

logger = logging.getLogger(__name__)


def prove_keys() -> None:
    """End the process, in one line, where the data keys are not those of the database.

    A database that does not answer, or is not migrated, is readiness's to tell: then the process
    starts, and answers nothing until it does. No connection is left for forks to share.
    """
    try:
        prove()
    except (BadKeys, WrongKeys) as error:
        raise SystemExit(f"Not started: {error}") from None
    except DatabaseError as error:
        logger.warning("keys.unproven: %s", type(error).__name__)
    finally:
        connections.close_all()
