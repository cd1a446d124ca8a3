"""Show hpyjson at work: check it against the standard library's json, and compare its speed.

Usage: demo.py --cpython DIR --universal DIR --cjson DIR, the directories with the built modules.
"""

import argparse
import importlib
import json
import statistics
import sys
import time
from pathlib import Path

import documents

ROUNDS = 31
SHORTEST = 0.002  # seconds that one timed run takes at least


def import_from(directory, name):
    """Import a module as `import NAME` does, from one directory."""
    sys.modules.pop(name, None)
    sys.path.insert(0, str(directory))
    try:
        importlib.invalidate_caches()
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(directory))


def describe(title, module):
    """Print what file a module is."""
    path = Path(module.__file__)
    print(f"  {title:15} {path.name:18} {path.stat().st_size:>8,} bytes   {path}")


def check(module, text):
    """Read and write a document; true if both agree with the standard library."""
    expected = json.loads(text)
    if module.loads(text) != expected or module.loads(text.encode()) != expected:
        return False
    options = [{}, {"indent": 2}, {"sort_keys": True}, {"ensure_ascii": False}]
    return all(module.dumps(expected, **o) == json.dumps(expected, **o) for o in options)


def check_documents(modules, texts):
    """Check each document with each module, and print the result."""
    print(f"\n{'document':16}{'bytes':>10}   " + "".join(f"{title:>16}" for title in modules))
    wrong = 0
    for name, text in texts.items():
        results = [check(module, text) for module in modules.values()]
        wrong += results.count(False)
        words = "".join(f"{'as json' if good else 'DIFFERENT':>16}" for good in results)
        print(f"{name:16}{len(text.encode()):>10,}   {words}")
    return wrong


def show_features(module):
    """Print an error and a stream."""
    bad = '{"a": 1,\n "b": tru}'
    print(f"\n>>> hpyjson.loads({bad!r})")
    try:
        module.loads(bad)
    except module.JSONDecodeError as error:
        print(f"JSONDecodeError: {error}")
    decoder = module.Decoder(parse_float=str)
    print(">>> decoder = hpyjson.Decoder(parse_float=str)")
    for piece in ('{"price": 1.', '10}\n{"price"', ": 20.5} "):
        print(f">>> decoder.feed({piece!r})\n{decoder.feed(piece)!r}")


def timed(function, argument, times):
    """Give the seconds of processor time that one call takes, from one run of several."""
    began = time.process_time()
    for _ in range(times):
        function(argument)
    return (time.process_time() - began) / times


def compare(functions, argument):
    """Give the first function's median time, and the median of how many times that each takes.

    The functions take turns, and each round is compared within itself and begins with another
    function, so that a busy machine disturbs all alike.
    """
    times = max(1, round(SHORTEST / min(timed(f, argument, 1) for f in functions)))
    rounds = []
    for turn in range(ROUNDS):
        order = [(turn + i) % len(functions) for i in range(len(functions))]
        seconds = {i: timed(functions[i], argument, times) for i in order}
        rounds.append([seconds[i] for i in range(len(functions))])
    ratios = zip(*([seconds / row[0] for seconds in row] for row in rounds))
    return statistics.median(row[0] for row in rounds), [statistics.median(r) for r in ratios]


def compare_speed(modules, texts):
    """Print how long the first module takes, and how many times that the others take."""
    first, *others = modules
    print(f"\n{'median time':24}{first:>12}" + "".join(f"{title:>16}" for title in others))
    for name, text in texts.items():
        value = json.loads(text)
        for operation, argument in (("loads", text), ("dumps", value)):
            functions = [getattr(module, operation) for module in modules.values()]
            seconds, ratios = compare(functions, argument)
            columns = "".join(f"{ratio:>15.2f}x" for ratio in ratios[1:])
            print(f"{name:16}{operation:8}{seconds * 1e6:>9,.0f} us{columns}")


def main():
    """Run the demonstration; the exit status tells whether all results were right."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for option in ("--cpython", "--universal", "--cjson"):
        parser.add_argument(option, required=True, metavar="DIR", type=Path)
    directories = parser.parse_args()
    modules = {
        "CPython ABI": import_from(directories.cpython, "hpyjson"),
        "Universal ABI": import_from(directories.universal, "hpyjson"),
    }
    cjson = import_from(directories.cjson, "cjson")
    print(f"\nimported into {sys.implementation.name} {sys.version.split()[0]}")
    for title, module in [*modules.items(), ("plain C API", cjson)]:
        describe(title, module)
    texts = {name: documents.make(name) for name in documents.NAMES}
    wrong = check_documents({**modules, "plain C API": cjson}, texts)
    show_features(modules["Universal ABI"])
    compare_speed({"plain C API": cjson, **modules, "json of Python": json}, texts)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
