"""Run each small function of a module N and 2N times, for callgrind to count.

Usage: measure.py LIBRARY REPEAT, two shared libraries. Prints the name of each row and N.
"""

import gc
import importlib.util
import sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from pathlib import Path
from types import SimpleNamespace


def load(path):
    """Load a library, whichever its ABI is."""
    name = Path(path).name.split(".")[0]
    spec = ModuleSpec(name, ExtensionFileLoader(name, path), origin=path)
    if ".hpy0." in Path(path).name:
        from hpy import universal

        return universal.load(name, path, spec)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(module):
    """Give name, callable, arguments, N, whether the callable loops itself, what to call after."""
    items = [None] * 10
    owner = SimpleNamespace(attribute=1)
    return [
        ("no argument", module.no_argument, (), 1000, False, None),
        ("one object", module.one_object, (items,), 1000, False, None),
        ("two parsed longs", module.two_longs, (1000, 2000), 1000, False, None),
        ("type creation and release", module.new_type, (), 50, False, gc.collect),
        ("object creation and release", module.Point, (), 1000, False, None),
        ("GetItem_i", module.get_item, (items,), 1000, True, None),
        ("SetItem_i", module.set_item, (items,), 1000, True, None),
        ("GetAttr", module.get_attr, (owner, "attribute"), 1000, True, None),
    ]


def main():
    """Make each measurement twice: for N and for 2N."""
    module, repeat = load(sys.argv[1]), load(sys.argv[2]).repeat
    gc.disable()
    for name, function, arguments, times, loops, after in rows(module):
        gc.collect()
        gc.freeze()
        for factor in (1, 2):
            if loops:
                repeat(function, (*arguments, factor * times), 1, after)
            else:
                repeat(function, arguments, factor * times, after)
        print(f"{times}\t{name}")


main()
