"""The forms of a rendered page, read from its HTML as a browser reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

CHOSEN_FROM = {"radio", "checkbox", "select"}
TYPED = {"text", "textarea", "email", "tel", "search", "password", "number", "date", "time", "url"}


@dataclass(slots=True)
class Field:
    """`value` is what would be sent; `options` are what could be chosen instead."""

    name: str
    kind: str
    value: str = ""
    options: list[str] = field(default_factory=list)

    @property
    def is_typed(self) -> bool:
        return self.kind in TYPED


@dataclass(slots=True)
class PageForm:
    """One form; an empty `action` means the page's own address."""

    action: str
    method: str
    fields: dict[str, Field] = field(default_factory=dict)

    def data(self) -> dict[str, str]:
        """Return what pressing its button sends, the first choice taken where none was made."""
        sent = {
            name: each.value or next(iter(each.options), "") for name, each in self.fields.items()
        }
        sent.pop("csrfmiddlewaretoken", None)
        return sent


def forms_in(html: str) -> list[PageForm]:
    """Return the page's forms from top to bottom."""
    reader = _Reader()
    reader.feed(html)
    return reader.forms


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[PageForm] = []
        self._form: PageForm | None = None
        self._select: Field | None = None
        self._textarea: Field | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = PageForm(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._form)
        elif tag == "option" and self._select:
            self._option(given)
        elif "name" in given and "disabled" not in given:
            self._control(tag, given)

    def _option(self, given: dict[str, str]) -> None:
        assert self._select
        value = given.get("value", "")
        self._select.options.append(value)
        if "selected" in given:
            self._select.value = value

    def _control(self, tag: str, given: dict[str, str]) -> None:
        if self._form is None:
            return
        if tag == "input":
            self._input(self._form, given)
        elif tag == "select":
            self._select = self._add(self._form, given["name"], "select")
        elif tag == "textarea":
            self._textarea = self._add(self._form, given["name"], "textarea")
        elif tag == "button" and given.get("type", "submit") == "submit":
            self._add(self._form, given["name"], "submit").value = given.get("value", "")

    def _input(self, form: PageForm, given: dict[str, str]) -> None:
        kind, value = given.get("type", "text"), given.get("value", "")
        known = self._add(form, given["name"], kind)
        if kind in CHOSEN_FROM:
            known.options.append(value or "on")
            if "checked" in given:
                known.value = value or "on"
        else:
            known.value = value

    @staticmethod
    def _add(form: PageForm, name: str, kind: str) -> Field:
        return form.fields.setdefault(name, Field(name, kind))

    def handle_data(self, data: str) -> None:
        if self._textarea is not None:
            self._textarea.value += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea" and self._textarea is not None:
            self._textarea.value = self._textarea.value.removeprefix("\n")
            self._textarea = None
