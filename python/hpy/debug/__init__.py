"""Debug mode, which is not part of this release yet: the names are here, and using them says so."""

from hpy.debug.leakdetector import LeakDetector

__all__ = ["LeakDetector"]
