"""How a verification of the record is told to a privacy officer: in words and a colour."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from patients.models import AuditVerification
from patients.tampering import Kind

WORDS = {
    Kind.CHANGED: gettext_lazy("Row %(row)s was changed after it was sealed."),
    Kind.DELETED: gettext_lazy("Row %(row)s was removed after it was sealed."),
    Kind.INSERTED: gettext_lazy("Row %(row)s was slipped in among rows sealed before."),
    Kind.MOVED: gettext_lazy("Row %(row)s no longer stands where it was sealed."),
    Kind.HIDDEN: gettext_lazy("Row %(row)s is written so that no seal would ever cover it."),
    Kind.SEAL_MISSING: gettext_lazy("Seal %(seal)s is missing."),
    Kind.SEAL_FORGED: gettext_lazy("Seal %(seal)s was changed: its signature does not fit."),
    Kind.SEAL_UNKNOWN_KEY: gettext_lazy("Seal %(seal)s is signed with a key nobody trusts."),
    Kind.SEAL_UNCHAINED: gettext_lazy("Seal %(seal)s does not follow the one before it."),
    Kind.SEAL_UNREADABLE: gettext_lazy("Seal %(seal)s covers columns that are gone."),
    Kind.TRUNCATED: gettext_lazy("The end is gone: seal %(seal)s and all that followed."),
    Kind.UNANCHORED: gettext_lazy("Seal %(seal)s is not the one that the anchor names."),
    Kind.ANCHOR_BROKEN: gettext_lazy("The anchor itself was changed, at seal %(seal)s."),
}


@dataclass(frozen=True, slots=True)
class Told:
    """`kind` is one of the banner's: success, warning or error."""

    kind: str
    title: str
    text: str


def told(verified: AuditVerification) -> Told:
    """Return what a finished verification found."""
    rows = ngettext("%(rows)d row was checked.", "%(rows)d rows were checked.", verified.rows)
    checked = rows % {"rows": verified.rows}
    if verified.is_intact is None:
        reason = _("There is no key or no anchor to check with. Tell whoever runs your server.")
        return Told("warning", _("The record could not be verified"), reason)
    if verified.is_intact:
        return Told("success", _("Nothing was altered"), checked)
    return Told("error", _("The record was altered"), damage(verified))


def damage(verified: AuditVerification) -> str:
    """Return the first damage in one sentence."""
    words = str(WORDS[Kind[verified.damage]])
    return words % {"row": verified.bad_row, "seal": verified.bad_seal}
