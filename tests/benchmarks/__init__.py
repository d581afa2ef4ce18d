"""Measures the product beside the limit of the machine it runs on, in a database of its own.

Importing this package sets Django up on that database, in every process that takes part.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit, urlunsplit

import django

NAME = os.environ.setdefault("BENCH_DATABASE", "daysheet_bench")
SERVER = os.environ.setdefault("BENCH_SERVER_URL", os.environ.get("DATABASE_URL", ""))
URL = urlunsplit(urlsplit(SERVER)._replace(path=f"/{NAME}"))

os.environ["DATABASE_URL"] = URL
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
django.setup()
