"""People and what is kept of them. Sits on providers; knows nothing of appointments."""

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "patients"
