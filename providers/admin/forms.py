"""What the set-up forms ask beyond their models: wall clocks, overlaps, e-mail as the login."""

from __future__ import annotations

from datetime import datetime, time
from functools import cached_property
from itertools import combinations
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from providers.models import Clinic, ClinicClosure, Membership, ProviderSchedule, TimeOff

# What a clinic's diary may reach; beyond, an instant may have no year in another zone.
YEARS = range(2000, 2101)


class WallClockForm(forms.ModelForm[Any]):
    """Reads and shows a span of time on the wall clock of the clinic that it concerns."""

    moments = ("start_datetime", "end_datetime")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        clinic = self.clinic_of(self.instance)
        if clinic is None:
            return
        for name in self.moments:
            kept: datetime | None = getattr(self.instance, name)
            if kept is not None:
                here = timezone.get_current_timezone()
                self.initial[name] = kept.astimezone(clinic.zone).replace(tzinfo=here)

    def clinic_of(self, row: Any) -> Clinic | None:
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        clinic = self._chosen_clinic(values)
        if clinic is not None:
            for name in self.moments:
                if values.get(name) is not None:
                    self._put_on_clock(name, values, clinic)
        return values

    def _put_on_clock(self, name: str, values: dict[str, Any], clinic: Clinic) -> None:
        if values[name].year in YEARS:
            values[name] = _on(values[name], clinic.zone)
        else:
            self.add_error(name, _("Enter a year from 2000 to 2100."))

    def _chosen_clinic(self, values: dict[str, Any]) -> Clinic | None:
        if "provider" in values:
            provider = values["provider"]
            return provider.clinic if provider and provider.clinic_id else None
        return values.get("clinic") or self.clinic_of(self.instance)


def _on(read: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant at which the zone's clocks show what was read on ours."""
    return read.astimezone(timezone.get_current_timezone()).replace(tzinfo=zone)


class TimeOffForm(WallClockForm):
    class Meta:
        model = TimeOff
        fields = ("provider", "start_datetime", "end_datetime", "reason")

    def clinic_of(self, row: TimeOff) -> Clinic | None:
        return row.provider.clinic if row.provider_id else None


class ClosureForm(WallClockForm):
    class Meta:
        model = ClinicClosure
        fields = ("clinic", "start_datetime", "end_datetime", "label")

    def clinic_of(self, row: ClinicClosure) -> Clinic | None:
        return row.clinic if row.clinic_id else None


class RoleForm(forms.ModelForm[Any]):
    """A role stays whose it is: what it opened is taken back from its holder, not handed on."""

    class Meta:
        model = Membership
        fields = ("user", "role", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding and "user" in self.fields:
            self.fields["user"].disabled = True


class ScheduleFormSet(BaseInlineFormSet[Any, Any, Any]):
    """Refuses windows of one form that overlap each other before the database has to."""

    def clean(self) -> None:
        super().clean()
        windows = [
            form.instance
            for form in self.forms
            if (form.has_changed() or form.instance.pk in self._known)
            and not form.errors
            and not form.cleaned_data.get("DELETE")
        ]
        active = [window for window in [*windows, *self._out_of_sight()] if window.is_active]
        for one, other in combinations(active, 2):
            if _overlap(one, other):
                raise ValidationError(
                    _("%(one)s and %(other)s overlap."),
                    params={"one": one, "other": other},
                )

    @cached_property
    def _known(self) -> set[UUID]:
        return {form.instance.pk for form in self.initial_forms}

    def _out_of_sight(self) -> list[ProviderSchedule]:
        """Return the provider's windows at clinics that this visitor does not manage."""
        rows = ProviderSchedule.objects.filter(provider=self.instance.pk)
        return list(rows.exclude(pk__in=self._known))


def _overlap(one: ProviderSchedule, other: ProviderSchedule) -> bool:
    """Say whether two windows share a minute of some day, as the database's rule does."""
    if None in {one.start_time, one.end_time, other.start_time, other.end_time}:
        return False
    if one.day_of_week != other.day_of_week or not (one.valid_from and other.valid_from):
        return False
    last = max(one.valid_from, other.valid_from)
    if not (one.is_valid_on(last) and other.is_valid_on(last)):
        return False
    return one.start_time < _end(other) and other.start_time < _end(one)


def _end(window: ProviderSchedule) -> time:
    return time.max if window.end_time == time(0) else window.end_time


class UniqueEmail:
    """An e-mail address is a login: one account each, whatever its case."""

    instance: User
    cleaned_data: dict[str, Any]

    def clean_email(self) -> str:
        email = self.cleaned_data["email"].lower()
        if User.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("Somebody else signs in with this e-mail address."))
        return str(email)


class StaffCreationForm(UniqueEmail, AdminUserCreationForm):  # type: ignore[type-arg]
    """A new colleague: e-mail, name and a first password."""

    email = forms.EmailField(label=_("E-mail, used to sign in"))

    class Meta:
        model = User
        fields = ("email", "first_name", "last_name")

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's signature
        self.instance.username = self.cleaned_data["email"]
        user: User = super().save(commit)
        return user


class StaffChangeForm(UniqueEmail, UserChangeForm):  # type: ignore[type-arg]
    email = forms.EmailField(label=_("E-mail, used to sign in"))

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's signature
        self.instance.username = self.cleaned_data.get("email") or self.instance.username
        user: User = super().save(commit)
        return user
