"""Every function and slot of the description has its tests: a missing test is a failing test."""

from pathlib import Path

import pytest
from support import tomllib

API = Path(__file__).resolve().parent.parent.parent / "api"

# Functions that never return, or whose errors are not their own: no error case can be provoked.
NO_ERROR_CASE = {
    "HPy_FatalError": "ends the process; its good case is tested in a process of its own",
    "_HPy_CallRealFunctionFromTrampoline": "errors are those of the author's function",
}


def entries(path, key):
    with path.open("rb") as file:
        return tomllib.load(file)[key]


def functions():
    return [f for path in sorted(API.glob("functions/*.toml")) for f in entries(path, "function")]


@pytest.mark.parametrize("function", functions(), ids=lambda f: f["name"])
def test_function_is_tested(function, marks):
    name = function["name"]
    assert (name, "good") in marks, f"no test is marked with {name}"
    if function["raises"] and name not in NO_ERROR_CASE:
        assert (name, "error") in marks, f"{name} may raise, but no test of that is marked"


@pytest.mark.parametrize("slot", entries(API / "slots.toml", "slot"), ids=lambda s: s["name"])
def test_slot_is_tested(slot, marks):
    assert (slot["name"], "good") in marks, f"no test is marked with {slot['name']}"
    if slot["name"] not in ("HPy_tp_traverse", "HPy_tp_destroy", "HPy_bf_releasebuffer"):
        assert (slot["name"], "error") in marks, f"no test lets {slot['name']} raise"


def test_the_description_is_whole():
    assert len(functions()) == 189
    assert len(entries(API / "slots.toml", "slot")) == 61
