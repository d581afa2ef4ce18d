"""A private PostgreSQL for the demo and the tests: nothing to install, nothing left behind."""

from config.embedded.cluster import server
from config.embedded.errors import EmbeddedError

__all__ = ["EmbeddedError", "server"]
