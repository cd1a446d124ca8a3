"""Documents to read and write: data that every Python installation carries, as JSON.

`python documents.py DIRECTORY` writes each to a file.
"""

import ast
import html.entities
import inspect
import json
import pathlib
import random
import sys
import sysconfig
import unicodedata


def entities():
    """Give HTML's named characters: one object, many short names, characters of all kinds."""
    return html.entities.html5


def syntax_tree():
    """Give the syntax tree of the json package: deeply nested, few names, many small values."""

    def convert(node):
        if isinstance(node, ast.AST):
            fields = {name: convert(value) for name, value in ast.iter_fields(node)}
            return {"node": type(node).__name__, "line": getattr(node, "lineno", None), **fields}
        if isinstance(node, list):
            return [convert(item) for item in node]
        return node if isinstance(node, (str, int, float, bool, type(None))) else repr(node)

    return convert(ast.parse(inspect.getsource(json.decoder)))


def build_settings():
    """Tell how this Python was built: one flat object, long strings."""
    return sysconfig.get_config_vars()


def records():
    """Make up a log: a list of objects that are all alike."""
    rng = random.Random(1)
    levels = ["debug", "info", "warning", "error"]
    return [
        {
            "id": i,
            "time": 1700000000 + i * 0.25,
            "level": rng.choice(levels),
            "user": {"name": f"user{rng.randrange(500)}", "admin": rng.random() < 0.1},
            "message": "request finished" if i % 3 else 'client said "hello"\n',
            "duration": round(rng.expovariate(10), 4),
            "tags": rng.sample(["http", "db", "cache", "auth"], rng.randrange(4)),
            "parent": None if i % 5 else rng.randrange(i + 1),
        }
        for i in range(1500)
    ]


def map_shapes():
    """Make up shapes on a map: nested lists of numbers with a fraction."""
    rng = random.Random(2)

    def ring():
        x, y = rng.uniform(-180, 180), rng.uniform(-90, 90)
        return [[round(x + rng.gauss(0, 1), 6), round(y + rng.gauss(0, 1), 6)] for _ in range(60)]

    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"name": f"area {i}", "population": rng.randrange(10**7)},
                "geometry": {"type": "Polygon", "coordinates": [ring()]},
            }
            for i in range(120)
        ],
    }


def characters():
    """List characters outside ASCII with their names."""
    rows = []
    for code in [
        *range(0xC0, 0x500),
        *range(0x3040, 0x3100),
        *range(0x4E00, 0x5000),
        *range(0x1F300, 0x1F600),
    ]:
        char = chr(code)
        rows.append([char, code, unicodedata.name(char, None), unicodedata.category(char)])
    return rows


_MAKERS = {
    "entities": (entities, False),
    "syntax_tree": (syntax_tree, True),
    "build_settings": (build_settings, True),
    "records": (records, True),
    "map_shapes": (map_shapes, True),
    "characters": (characters, False),
}

NAMES = list(_MAKERS)


def make(name):
    """Give the text of one document."""
    maker, ensure_ascii = _MAKERS[name]
    return json.dumps(maker(), ensure_ascii=ensure_ascii)


if __name__ == "__main__":
    for name in NAMES:
        path = pathlib.Path(sys.argv[1], f"{name}.json")
        path.write_text(make(name), encoding="utf-8")
        print(f"{path}: {path.stat().st_size} bytes")
