"""A pytest fixture that fails tests which leave handles open.

Import it where the tests are, or in `conftest.py`: `from hpy.debug.pytest import hpy_debug`.
"""

import pytest

from hpy.debug import LeakDetector


@pytest.fixture
def hpy_debug():
    """Fail the test if an extension that is loaded in debug mode leaves handles open."""
    with LeakDetector() as detector:
        yield detector
