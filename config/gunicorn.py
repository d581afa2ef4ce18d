"""Decides how the web server runs, in the demo and in production; the address is given to it."""

import os
import signal
from pathlib import Path

from config import lifeline

wsgi_app = "config.wsgi"
# Sync workers serve these pages fastest behind a proxy. A browser that speaks to gunicorn directly
# keeps idle connections open, each of which would hold a sync worker: then take threads.
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "1"))
preload_app = True
timeout = 30
graceful_timeout = 8
loglevel = os.environ.get("WEB_LOG_LEVEL", "warning")
control_socket_disable = True
# The workers' heartbeat is a file: on a slow disk it would stall them.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

lifeline.tie_forks(signal.SIGTERM)
