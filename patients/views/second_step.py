"""Second factors: removing a passkey, and a clinic admin's reset of a colleague's lost ones."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.views import remove_webauthn
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from patients import second_factor
from patients.privacy.pages import Audience, StaffRequest, page
from patients.privacy.sign_in import fresh


@page(audience=Audience.STAFF, methods=("GET", "POST"))
def remove_passkey(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then remove one's own passkey; the last second factor stays."""
    own = Authenticator.objects.filter(user_id=request.user.pk, type=Authenticator.Type.WEBAUTHN)
    if second_factor.is_last(get_object_or_404(own, pk=pk)):
        refusal = second_factor.SecondFactorAdapter.error_messages["cannot_delete_authenticator"]
        messages.error(request, refusal)
        return redirect("mfa_list_webauthn")
    answer: HttpResponse = remove_webauthn(request, pk=pk)
    return answer


@page(audience=Audience.STAFF, methods=("GET", "POST"))
@fresh(minutes=5)
def reset_second_factor(request: StaffRequest, pk: int) -> HttpResponse:
    """Ask, then remove a colleague's second factors; 404 unless the account is theirs to change."""
    colleague = _colleague(request, pk)
    if request.method != "POST":
        return render(request, "account/second_step_reset.html", {"colleague": colleague})
    second_factor.reset(user=colleague, by=request.user)
    told = _("%(email)s sets up a new second step at the next sign-in.")
    messages.success(request, told % {"email": colleague.email})
    return redirect("admin:auth_user_change", colleague.pk)


def _colleague(request: StaffRequest, pk: int) -> User:
    """Return the account if the set-up pages let this user change it. Raises Http404."""
    pages = admin.site.get_model_admin(User)
    found: User = get_object_or_404(pages.get_queryset(request), pk=pk)
    may_enter = admin.site.has_permission(request)
    if not may_enter or found == request.user or not pages.has_change_permission(request, found):
        raise Http404
    return found
