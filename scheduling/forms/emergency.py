"""What somebody says who needs a record now: whose, what for, and why."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from patients.emergency import PURPOSES
from patients.models import BreakGlassGrant, GrantKind
from scheduling.forms.whose import WhoseForm

SHORTEST_REASON = 10


class OpenForm(WhoseForm):
    """A visit's reference, or a full name with a date of birth; a purpose; a reason in words."""

    purpose = forms.ChoiceField(
        label=_("What is it for?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what it is for.")},
    )
    reason = forms.CharField(
        label=_("Why is it needed now?"),
        help_text=_("A privacy officer reads this. A sentence is enough."),
        min_length=SHORTEST_REASON,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": _("Say why it is needed."),
            "min_length": _("Say it in a few words more."),
        },
    )

    def __init__(self, *args: Any, kind: GrantKind, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["purpose"].choices = [  # type: ignore[attr-defined]
            (name, BreakGlassGrant.Purpose(name).label) for name in PURPOSES[kind]
        ]
