"""The settings of tests for a process that queues its jobs, as in a clinic, and works none."""

from config.settings.test import *  # noqa: F403
from config.settings.test import Q_CLUSTER

Q_CLUSTER = {**Q_CLUSTER, "sync": False}
