"""People and what is kept of them. Sits on providers; knows nothing of appointments."""

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_delete, post_migrate, post_save


class PatientsConfig(AppConfig):
    name = "patients"

    def ready(self) -> None:
        """Watch what is audited or sealed; keep guardian's rows and sign-ins in step with roles."""
        import_module("patients.auditing").watch()
        import_module("patients.factor_seals")
        import_module("patients.privacy.sign_in.endings")
        sentinel = import_module("patients.sentinel")
        post_migrate.connect(sentinel.after_migrate, sender=self)
        roles = import_module("patients.privacy.roles")
        post_migrate.connect(roles.after_migrate, sender=self)
        post_save.connect(roles.after_role_change, sender="providers.Membership")
        post_delete.connect(roles.after_role_change, sender="providers.Membership")
        post_save.connect(roles.after_user_change, sender=settings.AUTH_USER_MODEL)
