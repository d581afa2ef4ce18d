"""The set-up pages for record systems: connections with their codes, and the keys that sign.

Secrets are written here and never shown: what is typed replaces what was, nothing keeps it. Nothing
about patients is registered here.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from emr import trying
from emr.kinds import Auth, Vendor
from emr.models import EMRCode, EMRConnection, SigningKey
from emr.words import VENDORS
from providers.admin.access import ReadOnlyAdmin, ScopedAdmin, ScopedTabularInline
from providers.admin_site import managed_by

SECRETS = {"new_client_secret": "client_secret", "new_hook_secret": "hook_secret"}
KEPT = gettext_lazy("Never shown. Leave it empty to keep the one that is there.")
AUTHS = {
    Auth.NONE: gettext_lazy("Nothing"),
    Auth.PRIVATE_KEY: gettext_lazy("A signed assertion (private key)"),
    Auth.CLIENT_SECRET: gettext_lazy("A client secret"),
}
NEEDS_SECRET = gettext_lazy("Type the client secret.")


def _secret(label: Any) -> forms.CharField:
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})
    return forms.CharField(
        label=label, required=False, max_length=500, strip=True, help_text=KEPT, widget=widget
    )


class EMRConnectionForm(forms.ModelForm[EMRConnection]):
    """A connection; secrets are typed into fields of their own, which are always empty."""

    new_client_secret = _secret(gettext_lazy("Client secret"))
    new_hook_secret = _secret(gettext_lazy("Secret of its notifications"))

    class Meta:
        model = EMRConnection
        fields = tuple(
            column.name
            for column in EMRConnection._meta.concrete_fields
            if column.editable and column.name not in SECRETS.values()
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, words in (("vendor", VENDORS), ("auth", AUTHS)):
            if name in self.fields:
                self.fields[name].choices = list(words.items())  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A client that proves itself by a secret has one."""
        told = super().clean() or self.cleaned_data
        has_one = told.get("new_client_secret") or (
            not self.instance._state.adding and self.instance.client_secret
        )
        if told.get("auth") == Auth.CLIENT_SECRET and not has_one:
            self.add_error("new_client_secret", NEEDS_SECRET)
        return told

    def save(self, commit: bool = True) -> EMRConnection:  # noqa: FBT001, FBT002 - as above it
        for name, column in SECRETS.items():
            if typed := self.cleaned_data.get(name):
                setattr(self.instance, column, typed)
        return super().save(commit=commit)


class EMRCodeInline(ScopedTabularInline):
    model = EMRCode
    clinic_path = "connection__clinic"
    fields = ("visit_type", "system", "code", "display")


@admin.register(EMRConnection)
class EMRConnectionAdmin(ScopedAdmin):
    form = EMRConnectionForm
    inlines = (EMRCodeInline,)
    actions = ("try_now",)
    list_display = ("name", "clinic", "system", "is_active", "sends_visits", "last_answer")
    list_filter = ("clinic", "is_active")
    list_select_related = ("clinic", "state")
    ordering = ("clinic__name", "name")
    search_fields = ("name", "clinic__name")
    fieldsets = (
        (None, {"fields": ("clinic", "name", "source_system", "vendor", "is_active")}),
        (
            gettext_lazy("What it is told"),
            {"fields": ("sends_visits", "creates_patients", "polls_every_minutes")},
        ),
        (gettext_lazy("FHIR"), {"fields": ("base_url", "scheduling_url")}),
        (
            gettext_lazy("How we prove who we are"),
            {
                "fields": (
                    "auth",
                    "algorithm",
                    "client_id",
                    "new_client_secret",
                    "token_url",
                    "scopes",
                    "launch_client_id",
                )
            },
        ),
        (gettext_lazy("Its notifications"), {"fields": ("new_hook_secret",)}),
        (
            gettext_lazy("HL7 version 2"),
            {
                "fields": (
                    "hl7_host",
                    "hl7_port",
                    "hl7_tls",
                    "hl7_version",
                    "hl7_zone",
                    "hl7_here",
                    "hl7_there",
                )
            },
        ),
        (
            gettext_lazy("How fast"),
            {"fields": ("rate_per_second", "burst", "workers", "timeout_seconds")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[EMRConnection]:
        rows: QuerySet[EMRConnection] = super().get_queryset(request)
        return rows.defer(*SECRETS.values())

    @admin.display(description=gettext_lazy("system"), ordering="vendor")
    def system(self, row: EMRConnection) -> str:
        return str(VENDORS[Vendor(row.vendor)])

    @admin.display(description=gettext_lazy("last answer"))
    def last_answer(self, row: EMRConnection) -> Any:
        state = getattr(row, "state", None)
        return state and state.last_success_at

    @admin.action(description=gettext_lazy("Try the chosen connections now"))
    def try_now(self, request: HttpRequest, chosen: QuerySet[EMRConnection]) -> None:
        managed = chosen.filter(clinic__in=managed_by(request.user), is_active=True)
        for connection in managed:
            trying.try_now(connection, now=timezone.now())
        messages.info(request, _("They are being tried. The front desk shows what came of it."))


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    """The public halves; keys are made and retired by `manage.py emr_keys`."""

    clinic_path = ""
    fields = ("kid", "algorithm", "public", "created_at", "signs_from", "retires_at")
    list_display = ("kid", "algorithm", "signs_from", "retires_at")
    ordering = ("-signs_from",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SigningKey]:
        rows: QuerySet[SigningKey] = super().get_queryset(request)
        return rows.defer("private")
