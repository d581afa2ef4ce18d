"""Who may see and change which rows of the set-up pages: those of the clinics they manage."""

from __future__ import annotations

from typing import Any, NoReturn

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Field, ForeignKey, Model, Q, QuerySet
from django.forms import ModelMultipleChoiceField
from django.http import Http404, HttpRequest

from providers.admin.races import AsksAgain
from providers.admin_site import known_to, managed_by, manages, once
from providers.models import Clinic, Provider

SENT_BY_FILTERS = ("", "__exact", "__id__exact", "__isnull", "__gte", "__lt")


def manages_every_clinic(request: HttpRequest) -> bool:
    """Say whether a visitor may change a catalogue that all clinics share."""
    return manages(request) and once(
        request, "manages every clinic", lambda: not _managed_by_others(request.user).exists()
    )


def _managed_by_others(user: Any) -> QuerySet[Clinic]:
    return Clinic.objects.active().exclude(pk__in=managed_by(user).values("pk"))


def colleagues(user: Any) -> QuerySet[User]:
    """Return the staff of the clinics that this user knows: everybody for a superuser."""
    if user.is_superuser:
        return User.objects.exclude(email="")
    here = known_to(user)
    return User.objects.filter(
        Q(memberships__clinic__in=here) | Q(provider__clinic__in=here)
    ).distinct()


class Scoped:
    """Rows of managed clinics, found along `clinic_path`; "" means that all clinics share them."""

    is_scoped = True
    clinic_path = "clinic"
    is_removable = False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Take what the page's own filters send, and no other question about a row."""
        names = self.get_list_filter(request)  # type: ignore[attr-defined]
        sent = {name + ending for name in names for ending in SENT_BY_FILTERS}
        return lookup in sent and bool(super().lookup_allowed(lookup, value, request))  # type: ignore[misc]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return manages(request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may_write(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may_write(request)

    def _may_write(self, request: HttpRequest) -> bool:
        return manages(request) if self.clinic_path else manages_every_clinic(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.is_removable and self.has_change_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        if not self.clinic_path:
            return rows
        return rows.filter(**{f"{self.clinic_path}__in": managed_by(request.user)})

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer clinics, providers and staff of the managed clinics only."""
        model = db_field.related_model
        if model is Clinic:
            kwargs["queryset"] = managed_by(request.user)
        elif model is Provider:
            kwargs["queryset"] = Provider.objects.filter(clinic__in=managed_by(request.user))
        elif model is User:
            kwargs["queryset"] = colleagues(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


class ScopedAdmin(Scoped, AsksAgain):
    """A set-up page. What belongs to another clinic is not found."""

    list_per_page = 50
    show_full_result_count = False

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> NoReturn:
        raise Http404


class ReadOnlyAdmin(ScopedAdmin):
    """A page to look at: rows are made and changed elsewhere."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class RoleBoundAdmin(ReadOnlyAdmin):
    """A page of rows about patients, for those only who hold `permission` at the rows' clinic.

    Being a superuser does not open it. Nothing is searched here: what is typed would stand in
    addresses.
    """

    permission = ""
    search_fields = ()

    def _held(self, request: HttpRequest) -> QuerySet[Clinic]:
        return Clinic.objects.staffed_by(request.user, self.permission)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return once(request, self.permission, lambda: self._held(request).exists())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.filter(**{f"{self.clinic_path}__in": self._held(request)})


class ScopedTabularInline(Scoped, admin.TabularInline):  # type: ignore[type-arg]
    """Rows of an inline, without the small links that add or change what they refer to."""

    extra = 0
    is_removable = True

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and hasattr(field.widget, "can_add_related"):
            field.widget = field.widget.widget
        if isinstance(field, ModelMultipleChoiceField):
            field.widget.attrs["size"] = 4
            field.help_text = db_field.help_text
        return field
