"""The report when the process ends, if the environment asked for debug mode."""

import sys

from hpy.universal import _debug

from hpy.debug import _colour
from hpy.debug.report import leaks


def tell_leaks():
    """Tell on standard error what is not closed, once, and let the process end as it should."""
    # A memoryview in a global variable is nobody's mistake; a thread may still run in an extension.
    report = leaks(buffers=False, in_calls=False)
    if not report:
        return
    stream = sys.__stderr__
    if stream is not None:
        text = report.text(colour=_colour.is_wanted(stream))
        stream.write(f"HPy debug mode, when the process ended: {text}\n")
        stream.flush()
    _debug._end_with_failure()
