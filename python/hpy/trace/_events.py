"""Time lines: each call by itself, for chrome://tracing and ui.perfetto.dev."""

import json
import os

from hpy.universal import _trace

LIMIT = 100_000
"""So many calls of each thread are kept, if nobody says how many."""


def record(limit=LIMIT):
    """Record each call from now on, up to `limit` of each thread; forget what was recorded before.

    What comes later is counted and not kept. 0 ends the recording.
    """
    if limit < 0:
        raise ValueError("the number of calls to keep must not be negative")
    _trace.record_events(limit)


def chrome(path):
    """Write what was recorded to a file, for chrome://tracing and ui.perfetto.dev."""
    write(path, _trace.recording())


def write(path, recording):
    """Write a recording to a file."""
    events, dropped, limit = recording
    if limit == 0:
        raise RuntimeError(
            "nothing was recorded: call hpy.trace.record() before, or hpy.trace.collect(events=N), "
            "or set the environment variable HPY_TRACE_EVENTS"
        )
    process = os.getpid()
    document = {
        "traceEvents": [event(process, *row) for row in events],
        "displayTimeUnit": "ns",
        "otherData": {"dropped": dropped, "limit": limit},
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file)


def event(process, module, name, thread, start, length):
    """Give one call in the format of the viewers, whose unit is the microsecond."""
    return {
        "name": name if module is None else f"{module}.{name}",
        "cat": "API" if module is None else "extension",
        "ph": "X",
        "ts": start / 1000,
        "dur": length / 1000,
        "pid": process,
        "tid": thread,
    }
