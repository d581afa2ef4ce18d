"""With whom a record is shared, and for how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from providers.models import Provider

DAY = timedelta(days=1)


class ShareForm(forms.Form):
    """A colleague of the clinic, and the number of days after which the share ends."""

    use_required_attribute = False
    colleague = forms.ModelChoiceField(
        Provider.objects.none(),
        label=_("Share with"),
        empty_label=_("Choose a colleague"),
        error_messages={"required": _("Choose a colleague.")},
    )
    days = forms.TypedChoiceField(
        label=_("For how long"),
        choices=[(7, _("1 week")), (30, _("30 days")), (90, _("90 days"))],
        initial=7,
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose for how long.")},
    )

    def __init__(self, *args: Any, colleagues: QuerySet[Provider], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["colleague"].queryset = colleagues.order_by("name")  # type: ignore[attr-defined]

    @property
    def lasts(self) -> timedelta:
        days: int = self.cleaned_data["days"]
        return days * DAY
