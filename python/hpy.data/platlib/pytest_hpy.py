"""The pytest plugin of HPy, as a module outside of every package.

pytest rewrites the assertions of what a distribution with a plugin has at its top level. `hpy` is a
namespace package, which pytest does not recognise; it would take the modules in it for top-level
ones, and warn in each run that it comes too late for `__main__`.
"""

from hpy._pytest_plugin import *  # noqa: F403
