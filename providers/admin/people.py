"""Staff accounts and the roles that they hold. Accounts are deactivated, never removed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import Model, Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from providers.admin.access import Scoped, ScopedAdmin, ScopedTabularInline, colleagues
from providers.admin.forms import StaffChangeForm, StaffCreationForm
from providers.admin.races import AsksAgain
from providers.admin_site import known_to, managed_by, manages, sees_staff
from providers.models import Membership, Role


class RoleInline(ScopedTabularInline):
    model = Membership
    fields = ("clinic", "role", "is_active")
    is_removable = False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return True  # whoever may see the person, which their page decides

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        known = known_to(request.user)
        return Membership.objects.filter(clinic__in=known).select_related("clinic")

    def get_min_num(self, request: HttpRequest, obj: Any = None, **_kwargs: Any) -> int:
        """A new colleague has a role from the start."""
        return 1 if obj is None else 0

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        superuser = getattr(request.user, "is_superuser", False)
        return super().get_formset(
            request, obj, validate_min=obj is None and not superuser, **kwargs
        )


def update_entry(user: User) -> None:
    """Let those in here who manage a clinic, and nobody else but superusers."""
    manages = Membership.objects.filter(user=user, role=Role.CLINIC_ADMIN, is_active=True)
    User.objects.filter(pk=user.pk).update(is_staff=user.is_superuser or manages.exists())


@admin.register(User)
class StaffAdmin(Scoped, AsksAgain, UserAdmin):  # type: ignore[type-arg]
    """A clinic's manager may change those who work at no clinic but the own ones."""

    form = StaffChangeForm
    add_form = StaffCreationForm
    inlines = (RoleInline,)
    ordering = ("last_name", "first_name", "email")
    list_display = ("email", "first_name", "last_name", "roles", "is_active")
    list_filter = ("is_active", "memberships__role")
    search_fields = ("email", "first_name", "last_name")
    filter_horizontal = ()
    readonly_fields = ("last_login",)
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        (_("Name"), {"fields": ("first_name", "last_name")}),
        (_("Access"), {"fields": ("is_active", "last_login")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "first_name", "last_name")}),
        (_("First password"), {"fields": ("usable_password", "password1", "password2")}),
    )

    _get_obj_does_not_exist_redirect = ScopedAdmin._get_obj_does_not_exist_redirect

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        reachable = colleagues(request.user).values("pk")
        rows: QuerySet[User] = User.objects.filter(pk__in=reachable)
        known = Membership.objects.filter(clinic__in=known_to(request.user))
        shown = Prefetch("memberships", known.select_related("clinic"))
        return rows.prefetch_related(shown).order_by(*self.ordering)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever manages a clinic, and its privacy officers to look at."""
        return sees_staff(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Not oneself, no superuser, and nobody with a role at a clinic of others."""
        if obj is None or request.user.is_superuser:
            return manages(request)
        if not manages(request) or obj == request.user:
            return False
        if not isinstance(obj, User) or obj.is_superuser:
            return False
        elsewhere = Membership.objects.filter(user=obj).exclude(clinic__in=managed_by(request.user))
        return not elsewhere.exists()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        super().save_related(request, form, formsets, change)
        update_entry(form.instance)

    @admin.display(description=_("roles"))
    def roles(self, user: User) -> str:
        held = (row for row in user.memberships.all() if row.is_active)
        return ", ".join(str(row) for row in held)
