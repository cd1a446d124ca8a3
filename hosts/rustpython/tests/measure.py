"""Prints what calls take, beside the same in pure Python: measure.py FOLDER (with everything.c)."""

import sys
import time

CALLS = 300_000
ROUNDS = 7


class Pure:
    """The same in Python."""

    def itself(self):
        return self


def several(*args):
    return args


def keywords(*args, **kw):
    return args


def loops(module):
    """Give the loops to time: a title, one for the extension, one for Python."""

    def function(several):
        for _ in range(CALLS):
            several(1, 2)

    def with_keywords(keywords):
        for _ in range(CALLS):
            keywords(1, a=2)

    def method(thing):
        for _ in range(CALLS):
            thing.itself()

    def make(cls):
        for _ in range(CALLS):
            cls()

    def length(items):
        for _ in range(CALLS):
            len(items)

    return [
        ("a function with two arguments", function, module.several, several),
        ("a function with a keyword", with_keywords, module.keywords, keywords),
        ("a method", method, module.Thing(), Pure()),
        ("a new object (`HPy_New`)", make, module.Sequence, Pure),
        ("`len()` through a slot, of a list", length, module.Sequence(), [1]),
    ]


def nanoseconds(loop, subject):
    """Give the shortest time of one round of a loop."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        loop(subject)
        times.append(time.perf_counter() - start)
    return min(times) / CALLS * 1e9


def empty(_):
    for _ in range(CALLS):
        pass


def main(folder):
    sys.path.insert(0, folder)
    import everything

    base = nanoseconds(empty, None)
    print("| nanoseconds | extension | pure Python |\n|---|--:|--:|")
    for title, loop, own, pure in loops(everything):
        times = [nanoseconds(loop, subject) - base for subject in (own, pure)]
        print(f"| {title} | {times[0]:.0f} | {times[1]:.0f} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
