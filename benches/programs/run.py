"""Run whole programs on one build of their extensions.

Usage: run.py count LIBRARY... REPEAT   for callgrind: prints N and the name of each program
       run.py time LIBRARY...           prints each program's name and seconds, and the peak memory

The libraries are those of one build, in any order; REPEAT is that of benches/micro. A program whose
library is missing is left out.
"""

import gc
import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT.parent / "examples/json")]
import documents  # noqa: E402
from loading import load  # noqa: E402

DOCUMENTS = ("records", "syntax_tree")
SHORTEST = 0.05  # seconds that a timed run takes at least


def reading(module):
    """Read JSON documents."""
    texts = [documents.make(name) for name in DOCUMENTS]

    def run():
        for text in texts:
            module.loads(text)

    return run


def writing(module):
    """Write JSON documents."""
    values = [json.loads(documents.make(name)) for name in DOCUMENTS]

    def run():
        for value in values:
            module.dumps(value)

    return run


def array(module):
    """Make arrays from lists, do arithmetic with them, use single items."""
    numbers = [float(i) for i in range(500)]

    def run():
        a = module.Array(numbers)
        b = (a + a) * 0.5 + 1
        for i in range(0, len(a), 5):
            a[i] = b[i] * 2
        return (a * b).sum() + sum(b.tolist())

    return run


def solver(module):
    """Write equations as expressions of many small objects, and solve them."""

    def run():
        variables = [module.Variable(i) for i in range(24)]
        sums = []
        for i in range(24):
            expression = variables[i] * 10 + variables[i - 1] * 0.5 + -float(i)
            for j in (3, 7, 11, 13):
                expression = expression + variables[i - j] * (1 / j)
            sums.append(expression)
        module.solve(sums, variables)
        return sum(variable.value for variable in variables)

    return run


def parser(module):
    """Parse nested lists of symbols and numbers, and add up the numbers."""
    expression = "(let x 12 (add (mul x 3.25) -70 (sub y 123456) (call f x y 0.5)))"
    text = "(" + "\n".join([expression] * 40) + ")"

    def run():
        return module.total(module.parse(text))

    return run


PROGRAMS = {
    "JSON reading": ("json", reading),
    "JSON writing": ("json", writing),
    "numeric array": ("array", array),
    "equation solver": ("solver", solver),
    "parser": ("parser", parser),
}


def prepare(libraries):
    """Give the name of each program and a function that runs it once."""
    modules = {}
    for library in libraries:
        name = Path(library).name.split(".")[0].removeprefix("hpy").removeprefix("c")
        modules[name] = load(library)
    for name, (module, make) in PROGRAMS.items():
        if module in modules:
            yield name, make(modules[module])


def count(libraries, repeat):
    """Run each program once and twice."""
    for name, run in prepare(libraries):
        run()
        gc.collect()
        gc.disable()
        for times in (1, 2):
            repeat(run, (), (), times, None)
        gc.enable()
        print(f"1\t{name}")


def measure(libraries):
    """Time each program."""
    for name, run in prepare(libraries):
        times = 1
        while True:
            began = time.process_time()
            for _ in range(times):
                run()
            seconds = time.process_time() - began
            if seconds >= SHORTEST:
                break
            times *= 2
        print(f"{name}\t{seconds / times}")
    # Of this program only: what getrusage tells may be that of the one that started it.
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        print(f"peak memory\t{line.split()[1]}")


if __name__ == "__main__":
    if sys.argv[1] == "count":
        count(sys.argv[2:-1], load(sys.argv[-1]).repeat)
    else:
        measure(sys.argv[2:])
