"""What the sources ask the catalogues for, and what a catalogue holds; needs no gettext tools.

Reads Python by its syntax tree and templates through Django's own `templatize`.
"""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.utils.translation.template import templatize

APPS = ("config", "emr", "patients", "providers", "reminders", "scheduling")
CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop"}
PLURAL_CALLS = {"ngettext", "ngettext_lazy"}
CONTEXT_CALLS = {"pgettext", "pgettext_lazy"}
PLURAL_CONTEXT_CALLS = {"npgettext", "npgettext_lazy"}
CONTEXT_END = "\x04"  # between context and message, in a compiled catalogue
TEMPLATE_CALL = re.compile(r"""\b(?:gettext|_|ngettext|pgettext|npgettext)\((?=u?['"])""")
MARKED = re.compile(
    r"{% *(comment|blocktranslate)\b.*?{% *end\1 *%}|{% *translate .*?%}|{#.*?#}", re.DOTALL
)
TAG = re.compile(r"{{.*?}}", re.DOTALL)
OUTSIDE = re.compile(r"{%.*?%}|<[^>]*>", re.DOTALL)
SPOKEN = re.compile(r'\b(?:aria-label|alt|placeholder|title)="([^"{]+)"')
LETTERS = re.compile(r"[^\W\d_]{2}")

Words = dict[str, list[str]]  # message (with its context) → its translation, one for each plural


def asked_for() -> dict[str, str]:
    """Return every message of the sources, with the plural where it has one (else empty)."""
    found: dict[str, str] = {}
    for message, plural in _all_messages():
        found[message] = found.get(message) or plural
    return found


def _all_messages() -> Iterator[tuple[str, str]]:
    for app in APPS:
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            yield from _in_python(path.read_text())
    for path in (settings.BASE_DIR / "templates").rglob("*.*"):
        if path.suffix in {".html", ".txt"}:
            yield from _in_template(path)


def _in_python(source: str) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
            yield from _message(_name(node.func), [str(text) for text in texts])


def _name(called: ast.expr) -> str:
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""


def _message(name: str, texts: list[str]) -> Iterator[tuple[str, str]]:
    """Yield what a call marks; calls on variables mark nothing."""
    if name in CALLS and texts:
        yield texts[0], ""
    elif name in PLURAL_CALLS and len(texts) > 1:
        yield texts[0], texts[1]
    elif name in CONTEXT_CALLS and len(texts) > 1:
        yield CONTEXT_END.join(texts[:2]), ""
    elif name in PLURAL_CONTEXT_CALLS and len(texts) > 2:
        yield CONTEXT_END.join(texts[:2]), texts[2]


def _in_template(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the messages of the calls into which `templatize` turns a template's tags."""
    blanked = templatize(path.read_text(), origin=str(path))
    for call in TEMPLATE_CALL.finditer(blanked):
        rest = blanked[call.start() :]
        yield from _in_python(rest[: _end_of_call(rest)])


def _end_of_call(text: str) -> int:
    """Return where the call at the start of a text ends: after the first part that parses."""
    for end in (match.end() for match in re.finditer(r"\)", text)):
        try:
            ast.parse(text[:end])
        except SyntaxError:
            continue
        return end
    raise ValueError(f"no end of {text[:60]}")


def unmarked() -> Iterator[str]:
    """Yield what templates would show in every language alike; the gallery is for developers."""
    for path in (settings.BASE_DIR / "templates").rglob("*.*"):
        if path.suffix in {".html", ".txt"} and path.name != "gallery.html":
            source = TAG.sub("", MARKED.sub("", path.read_text()))
            lines = OUTSIDE.sub("\n", source).splitlines() + SPOKEN.findall(source)
            yield from (line.strip(" ·,.:()") for line in lines if LETTERS.search(line))


def written(language: str) -> Words:
    """Return the translations of the catalogue's source, the .po file."""
    path = _folder(language) / "django.po"
    return dict(entry for entry in map(_entry, path.read_text().split("\n\n")) if entry)


def _entry(block: str) -> tuple[str, list[str]] | None:
    """Read one entry; None of the header and of a part without one."""
    fields: dict[str, str] = {}
    key = ""
    for line in block.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if not line.startswith('"'):
            key, _, line = line.partition(" ")
        fields[key] = fields.get(key, "") + ast.literal_eval(line)
    if not fields.get("msgid"):
        return None
    message = CONTEXT_END.join(filter(None, [fields.get("msgctxt"), fields["msgid"]]))
    return message, [text for key, text in fields.items() if key.startswith("msgstr")]


def compiled(language: str) -> Words:
    """Return the translations that the site uses, from the .mo file."""
    with (_folder(language) / "django.mo").open("rb") as file:
        catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    words: dict[str, dict[int, str]] = {}
    for key, text in catalogue.items():
        message, number = key if isinstance(key, tuple) else (key, 0)
        if message:
            words.setdefault(message, {})[number] = text
    return {message: [text for _, text in sorted(of.items())] for message, of in words.items()}


def _folder(language: str) -> Path:
    return Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES"
