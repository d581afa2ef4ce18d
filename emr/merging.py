"""Which record another system's patient becomes here after two records were joined."""

from __future__ import annotations

from emr.models import EMRLink
from patients.models import Patient
from patients.repointing import Repointing


def on_merge(way: Repointing) -> None:
    """Let the resources that became the one record change the other from now on."""
    links = EMRLink.objects.filter(local_model=Patient._meta.label_lower)
    way.move(links, column="local_id")
