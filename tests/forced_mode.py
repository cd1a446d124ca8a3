"""A pytest plugin that loads in another mode what tests load in universal mode.

`pytest -p forced_mode`, with this folder in PYTHONPATH. HPY_TEST_MODE is the mode, by default
trace.
"""

import os

from hpy import universal

MODE = os.environ.get("HPY_TEST_MODE", "trace")

load_as_asked = universal.load


def load(name, path, spec, debug=False, mode=-1):
    """Do what hpy.universal.load does, in the mode that is forced if it would be universal."""
    if debug if mode == -1 else mode != universal.MODE_UNIVERSAL:
        return load_as_asked(name, path, spec, debug=debug, mode=mode)
    number = getattr(universal, f"MODE_{MODE.upper()}", None)
    if number is not None:
        return load_as_asked(name, path, spec, mode=number)
    # Only the environment of a stub can ask for modes that are combined.
    package = getattr(spec, "parent", "")
    return universal._load_bootstrap(
        name, spec.name, package, path, spec.loader, spec, {"HPY": MODE}
    )


universal.load = load
