"""The report as a page with bar charts, which needs nothing beside itself."""

from html import escape

from hpy.trace import _text
from hpy.trace._hints import hints

BARS = 15
"""So many bars a chart has."""
WIDTH, NAMES, VALUES, LINE = 900, 250, 150, 26

STYLE = """
:root { color-scheme: light dark; --back: #fff; --text: #1c2024; --soft: #60646c;
  --line: #d9dce1; --api: #1f6feb; --entry: #b4540a; }
@media (prefers-color-scheme: dark) { :root { --back: #15181c; --text: #e8eaed;
  --soft: #a4abb6; --line: #343a42; --api: #6cabff; --entry: #f0a35e; } }
body { background: var(--back); color: var(--text); margin: 2rem auto; max-width: 64rem;
  padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p { color: var(--soft); margin-top: .2rem; } li { margin: .3rem 0; }
svg { width: 100%; height: auto; } svg text { fill: var(--text); font: 13px system-ui, sans-serif; }
svg .value { fill: var(--soft); } .api { fill: var(--api); } .entry { fill: var(--entry); }
div { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { padding: .25rem .6rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 600; }
summary { cursor: pointer; margin: .6rem 0; }
"""


def chart(title, kind, rows):
    """Draw bars: rows of a name, a size, and the text behind the bar."""
    rows = rows[:BARS]
    largest = max((size for _, size, _ in rows), default=0) or 1
    room = WIDTH - NAMES - VALUES
    height = LINE * len(rows)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}; '
        'the table below has the same numbers">'
    ]
    for i, (name, size, value) in enumerate(rows):
        middle, length = LINE * i + LINE / 2, room * size / largest
        shown = name if len(name) <= 34 else "…" + name[-33:]
        parts.append(
            f"<g><title>{escape(name)}: {escape(value)}</title>"
            f'<text x="{NAMES - 8}" y="{middle + 4:.0f}" text-anchor="end">{escape(shown)}</text>'
            f'<rect class="{kind}" x="{NAMES}" y="{middle - 8:.0f}" rx="2" '
            f'width="{max(length, 1):.1f}" height="16"/>'
            f'<text class="value" x="{NAMES + length + 8:.1f}" y="{middle + 4:.0f}">'
            f"{escape(value)}</text></g>"
        )
    return "\n".join([*parts, "</svg>"])


def bars(rows, whole):
    """Make the bars of names and calls: own time, or how many calls where nothing was timed."""
    if whole:
        rows = sorted(rows, key=_text.by_time)
        own = [(name, calls.own) for name, calls in rows]
        return [
            (name, time, f"{_text.duration(time).strip()} · {_text.share(time, whole)}")
            for name, time in own
        ]
    rows = sorted(rows, key=lambda row: -row[1].calls)
    return [(name, calls.calls, f"{calls.calls:,} calls") for name, calls in rows]


def table(columns, rows):
    """Write a table."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in rows
    )
    return f"<div><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>"


def section(title, explanation, drawing, rows):
    """Put a chart and its table below a heading."""
    return (
        f"<h2>{title}</h2><p>{explanation}</p>\n{drawing}\n"
        f"<details open><summary>As a table</summary>{rows}</details>"
    )


def details(usage):
    """Give the calls of the API by each function of an extension."""
    for entry in _text.sorted_entries(usage):
        if entry.functions:
            rows = table(_text.FUNCTION_COLUMNS, _text.function_rows(entry.functions, usage.time))
            yield f"<details><summary>{escape(entry.full_name)}</summary>{rows}</details>"


def html(usage):
    """Give the page."""
    entries = [(entry.full_name, entry.calls) for entry in usage.entries.values()]
    what = "Own time" if usage.time else "Calls"
    found = "".join(
        f"<li><b>{escape(hint.entry)}</b>: {escape(hint.text)}</li>" for hint in hints(usage)
    )
    body = [
        f"<h1>HPy trace</h1><p>{escape(_text.title(usage))}</p>",
        f"<h2>Worth a look</h2><ul>{found}</ul>" if found else "",
        section(
            f"{what} by function of the extensions",
            "Without the calls of the API, and of other functions, in it.",
            chart(f"{what} by function of the extensions", "entry", bars(entries, usage.time)),
            table(_text.ENTRY_COLUMNS, _text.entry_rows(usage)),
        ),
        section(
            f"{what} by function of the API",
            "Without the calls that came back into extensions.",
            chart(
                f"{what} by function of the API",
                "api",
                bars(list(usage.functions.items()), usage.time),
            ),
            table(_text.FUNCTION_COLUMNS, _text.function_rows(usage.functions, usage.time)),
        ),
        "<h2>The API by function of the extensions</h2>",
        *details(usage),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>HPy trace</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )
