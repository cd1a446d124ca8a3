"""Reports of all that was counted, or of what was counted in a block."""

import contextlib
import sys

from hpy.universal import _trace

from hpy.trace import _events, _html, _json, _text, _usage

FORMATS = {"text": _text.text, "json": _json.to_json, "html": _html.html}
SUFFIXES = {".txt": "text", ".json": "json", ".html": "html"}


def write(usage, format, file):
    """Write a report: to a path, to an open file, or to standard output."""
    if format not in FORMATS:
        raise ValueError(f"unknown format {format!r}; use one of {', '.join(FORMATS)}")
    text = FORMATS[format](usage)
    if file is None:
        file = sys.stdout
    if hasattr(file, "write"):
        file.write(text)
    else:
        with open(file, "w", encoding="utf-8") as opened:
            opened.write(text)


def report(format="text", file=None):
    """Report all that was counted since the process began.

    format: "text", a table to read; "json"; or "html", a page with charts.
    file: a path, or an open text file; by default standard output.
    """
    write(_usage.now(), format, file)


class Collected:
    """What happened in a block of `collect`. It can be read when the block has ended."""

    def __init__(self):
        self._before = _usage.now()
        self._usage = None
        self._recording = ([], 0, 0)

    def _end(self, recording):
        self._usage = _usage.now() - self._before
        self._recording = recording

    @property
    def usage(self):
        """The numbers: `functions` by name, and `entries`, the functions of the extensions."""
        if self._usage is None:
            raise RuntimeError("the block has not ended yet")
        return self._usage

    def report(self, format="text", file=None):
        """Report what happened in the block, as `hpy.trace.report` does."""
        write(self.usage, format, file)

    def chrome(self, path):
        """Write the calls in the block, as `hpy.trace.chrome` does; needs `collect(events=N)`."""
        _events.write(path, self._recording)


@contextlib.contextmanager
def collect(events=0):
    """Give what happens in a block: calls of all threads.

    events: how many calls of each thread to record by themselves, for `chrome`. A recording that
    runs is ended.
    """
    collected = Collected()
    if events:
        _events.record(events)
    try:
        yield collected
    finally:
        recording = _trace.recording() if events else ([], 0, 0)
        collected._end(recording)
        if events:
            _events.record(0)
