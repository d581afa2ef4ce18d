"""The set-up pages of clinics, people, hours and what is offered."""

from providers.admin import catalogue, clinics, hours, people

__all__ = ["catalogue", "clinics", "hours", "people"]
