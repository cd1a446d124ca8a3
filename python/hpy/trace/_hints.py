"""Calls that look as if they were made more often than needed, and what to do about it."""

from dataclasses import dataclass

OFTEN = 100
"""From so many times on, something is done in a loop."""


@dataclass(frozen=True)
class Hint:
    """What was seen in one function of an extension."""

    entry: str
    what: str
    count: int
    text: str


def hints(usage):
    """Give the hints for all functions of extensions, those about most calls first."""
    found = []
    for entry in usage.entries.values():
        for find in (repeated_texts, many_handles, needless_checks):
            found.extend(find(entry))
    return sorted(found, key=lambda hint: -hint.count)


def repeated_texts(entry):
    """Find texts that the API makes the same object of again and again."""
    for (function, text), count in entry.texts.items():
        if count < OFTEN:
            continue
        advice = {
            "HPyImport_ImportModule": "import it once and keep it in an HPyGlobal",
            "HPyUnicode_FromString": "make the object once and keep it in an HPyGlobal",
        }.get(function)
        if advice is None:
            better = function.removesuffix("_s")
            advice = f"make the name an object once, keep it in an HPyGlobal, and call {better}"
        text = f'{function}(… "{text}") {count:,} times: {advice}'
        yield Hint(entry.full_name, "repeated text", count, text)


def many_handles(entry):
    """Find functions that open many handles in one call."""
    calls = entry.calls.calls
    if calls and entry.opened / calls >= OFTEN:
        each = entry.opened // calls
        text = (
            f"{each:,} handles opened per call: look whether a loop makes objects that it could "
            "make once, or reads one by one what the API gives at once"
        )
        yield Hint(entry.full_name, "many handles", entry.opened, text)


def needless_checks(entry):
    """Find functions that ask for an exception after calls whose results tell it."""
    asked = entry.functions.get("HPyErr_Occurred")
    if asked and asked.calls >= OFTEN and asked.calls > entry.api_calls / 4:
        text = (
            f"HPyErr_Occurred {asked.calls:,} times, one call of the API in "
            f"{entry.api_calls / asked.calls:.1f}: HPy_NULL and -1 tell failure; ask only where "
            "-1 can be a result, too"
        )
        yield Hint(entry.full_name, "needless checks", asked.calls, text)
