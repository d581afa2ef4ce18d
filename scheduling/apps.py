"""Slots, booking and the pages around them: the domain's centre."""

from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    name = "scheduling"
