"""Loads what was built to be measured."""

import importlib.util
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from pathlib import Path


def load(path, debug=False):
    """Load a library, whichever its ABI is; one of the Universal ABI in debug mode if so wanted."""
    name = Path(path).name.split(".")[0]
    spec = ModuleSpec(name, ExtensionFileLoader(name, str(path)), origin=str(path))
    if ".hpy0." in Path(path).name:
        from hpy import universal

        return universal.load(name, str(path), spec, debug=debug)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
