"""The documentation pages that findings of debug mode name."""

import re

import pytest
import support
from debug_bugs import FINDINGS, TITLES

PAGES = support.ROOT / "docs" / "debug"


def test_all_classes_are_looked_at():
    assert sorted(TITLES) == sorted(set(re.findall(r'= "(HPY-D\d+)"', FINDINGS)))
    assert "HPY-D001" in TITLES


@pytest.mark.parametrize("code", sorted(TITLES))
def test_each_class_has_its_page(code):
    page = (PAGES / f"{code}.md").read_text("utf-8")
    assert page.startswith(f"# {code}: {TITLES[code]}\n")
    assert "\n## Wrong\n" in page and "\n## Why\n" in page and "\n## Right\n" in page


def test_the_index_has_a_line_for_each_page_and_no_other():
    index = (PAGES / "README.md").read_text("utf-8")
    lines = dict(re.findall(r"^\| \[(HPY-D\d+)\]\(\1\.md\) \| (.+?) \|", index, re.MULTILINE))
    assert lines == TITLES
    assert {page.stem for page in PAGES.glob("*.md")} == {"README", *TITLES}
