"""The report for programs."""

import json
from dataclasses import asdict

from hpy.universal import _trace

from hpy.trace._hints import hints
from hpy.trace._text import by_time, sorted_entries


def numbers(calls):
    """Give the numbers of some calls."""
    return {
        "calls": calls.calls,
        "errors": calls.errors,
        "total_ns": calls.total,
        "own_ns": calls.own,
    }


def functions(usage):
    """Give the functions of the API."""
    rows = sorted(usage.items(), key=by_time)
    return [{"name": name, **numbers(calls)} for name, calls in rows]


def entries(usage):
    """Give the functions of the extensions."""
    for entry in sorted_entries(usage):
        yield {
            "module": entry.module,
            "name": entry.name,
            "outside": entry.outside,
            **numbers(entry.calls),
            "handles_opened": entry.opened,
            "functions": functions(entry.functions),
            "texts": [
                {"function": function, "text": text, "count": count}
                for (function, text), count in entry.texts.items()
            ],
        }


def to_json(usage):
    """Give the report."""
    document = {
        "version": 1,
        "timing": _trace.is_timing(),
        "time_ns": usage.time,
        "tracing_ns": usage.tracing_time,
        "functions": functions(usage.functions),
        "entries": list(entries(usage)),
        "hints": [asdict(hint) for hint in hints(usage)],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
