"""What docs/porting.md quotes is in the files that it names."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "porting.md"

# A quotation: the paragraph before it ends with a link to the file.
QUOTATION = re.compile(r"\]\(\.\./(examples/porting/[^)]+)\):\n\n```c\n(.*?)```\n", re.DOTALL)


def quotations():
    text = PAGE.read_text()
    found = QUOTATION.findall(text)
    assert len(found) == text.count("```c\n"), "a quotation does not name its file"
    return found


@pytest.mark.parametrize("path, text", quotations())
def test_quotation(path, text):
    assert text in (PAGE.parent.parent / path).read_text()


def test_every_step_is_quoted():
    quoted = {path for path, _ in quotations()}
    assert quoted == {f"examples/porting/step{i}/points.c" for i in range(4)}


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)\)", PAGE.read_text()):
        assert (PAGE.parent / target).exists(), target
