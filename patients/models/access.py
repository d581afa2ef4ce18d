"""Guardian's tables of who may do what where, each with a foreign key of its own."""

from __future__ import annotations

from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from patients.models.people import Patient
from providers.models import Clinic


class ClinicUserObjectPermission(UserObjectPermissionBase):
    """Guardian's table of what a user may do at a clinic."""

    content_object = models.ForeignKey(Clinic, on_delete=models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        pass


class ClinicGroupObjectPermission(GroupObjectPermissionBase):
    """Guardian's table of what a group may do at a clinic."""

    content_object = models.ForeignKey(Clinic, on_delete=models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        pass


class PatientUserObjectPermission(UserObjectPermissionBase):
    """Guardian's table of records shared with a user."""

    content_object = models.ForeignKey(Patient, on_delete=models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        pass


class PatientGroupObjectPermission(GroupObjectPermissionBase):
    """Guardian's table of records shared with a group."""

    content_object = models.ForeignKey(Patient, on_delete=models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        pass
