"""Colour in texts, where a terminal shows it."""

import os

TITLE, PLACE, SOURCE, ADVICE = "1;31", "1", "36", "32"
"""The same as in the messages of findings."""


def is_wanted(stream):
    """Tell whether what is written to `stream` should be coloured.

    That is so if it is a terminal. NO_COLOR and FORCE_COLOR, where they are set, decide instead,
    the first before the second, as in Python's own messages.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb" and stream.isatty()


def painted(style, text):
    """Give `text` in a colour."""
    return f"\x1b[{style}m{text}\x1b[0m"


def plain(style, text):
    """Give `text` as it is."""
    return text
