"""The fixture `hpy_debug`, for tests that import it from here.

Where hpy is installed, pytest finds it, and the option `--hpy-debug`, without an import.
"""

from hpy._pytest_plugin import hpy_debug

__all__ = ["hpy_debug"]
