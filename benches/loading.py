"""Loads what was built to be measured."""

import importlib.util
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from pathlib import Path


def load(path, mode="universal"):
    """Load a library, whichever its ABI is; one of the Universal ABI in a mode.

    "counts" is trace mode that only counts.
    """
    name = Path(path).name.split(".")[0]
    spec = ModuleSpec(name, ExtensionFileLoader(name, str(path)), origin=str(path))
    if ".hpy0." in Path(path).name:
        from hpy import universal

        if mode == "counts":
            from hpy import trace

            trace.set_timing(False)
            mode = "trace"
        number = getattr(universal, f"MODE_{mode.upper()}")
        return universal.load(name, str(path), spec, mode=number)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
