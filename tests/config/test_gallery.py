"""The design layer as it is served: nothing inline, nothing unshown, nothing that leads nowhere."""

import gzip
import re
from collections import Counter
from pathlib import Path

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.test.signals import template_rendered

from config.gallery.board import sample_board
from config.gallery.form import SampleForm
from config.gallery.views import AUDIENCES, gallery

ROOT = Path(__file__).resolve().parents[2]
CSS = ROOT / "static" / "css"
COMPONENTS = ROOT / "templates" / "components"


def render(audience: str) -> str:
    response = gallery(RequestFactory().get("/", {"as": audience}))
    return response.content.decode()


@pytest.fixture(params=AUDIENCES)
def page(request: pytest.FixtureRequest) -> str:
    return render(str(request.param))


def test_the_gallery_shows_every_component() -> None:
    shown: set[str] = set()

    def note(template: Template, **_: object) -> None:
        shown.add(str(template.name))

    template_rendered.connect(note)
    try:
        for audience in AUDIENCES:
            render(audience)
    finally:
        template_rendered.disconnect(note)
    written = {f"components/{path.name}" for path in COMPONENTS.glob("*.html")}
    assert len(written) > 20
    assert written - shown == set()


def test_a_page_carries_no_inline_script_style_or_handler(page: str) -> None:
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))


def test_a_page_asks_no_third_party(page: str) -> None:
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', page)


def test_ids_are_unique_and_every_reference_meets_one(page: str) -> None:
    ids = Counter(re.findall(r'\sid="([^"]+)"', page))
    assert [name for name, count in ids.items() if count > 1] == []
    references = re.findall(r'\s(?:for|aria-labelledby|aria-describedby)="([^"]*)"', page)
    assert {name for value in references for name in value.split()} - set(ids) == set()


def test_an_error_is_tied_to_its_field_and_named_in_the_summary(page: str) -> None:
    assert 'href="#id_wrong-email"' in page
    assert re.search(r'<input[^>]*aria-invalid="true"[^>]*id="id_wrong-email"', page)
    assert 'id="id_wrong-email_error"' in page


def test_text_that_looks_like_markup_stays_text() -> None:
    form = SampleForm({"name": '"><script>x</script>'})
    html = Template("{{ form }}{% include 'components/error_summary.html' %}").render(
        Context({"form": form})
    )
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_the_stylesheets_weigh_at_most_18_kilobytes_compressed() -> None:
    text = b"".join(path.read_bytes() for path in sorted(CSS.glob("*.css")))
    assert len(gzip.compress(text)) <= 18 * 1024


def test_the_one_stylesheet_imports_every_part_but_the_admins() -> None:
    imported = set(re.findall(r'@import url\("([^"]+)"\)', (CSS / "daysheet.css").read_text()))
    assert imported == {path.name for path in CSS.glob("*.css")} - {"daysheet.css", "admin.css"}


def test_every_place_on_the_board_has_its_class() -> None:
    written = set(re.findall(r"\.([\w-]+)", (CSS / "grid.css").read_text()))
    written |= set(re.findall(r"\.([\w-]+)", (CSS / "board.css").read_text()))
    fives = range(0, 60, 5)
    expected = {f"h{hour}" for hour in range(24)} | {f"m{minute}" for minute in fives}
    expected |= {f"dh{hours}" for hours in range(25)} | {f"dm{minutes}" for minutes in fives}
    expected |= {f"from-{hour}" for hour in range(24)} | {f"to-{hour}" for hour in range(1, 25)}
    for column in sample_board()["columns"]:
        for entry in column["entries"]:
            expected |= set(entry.place.split())
    assert expected - written == set()


def test_every_icon_named_in_a_template_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static/icons/sprite.svg").read_text()))
    for path in (ROOT / "templates").rglob("*.html"):
        named = set(re.findall(r'components/icon\.html" with name="([^"]+)"', path.read_text()))
        assert named - drawn == set(), path


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 422, 429, 500, 503])
def test_an_error_page_stands_without_request_or_address(status: int) -> None:
    html = Template(f'{{% include "errors/{status}.html" %}}').render(Context())
    assert "<h1>" in html
    assert "None" not in html
