"""The ABI's identity: the same values as in ``include/hpy/version.h``."""

HPY_ABI_VERSION = 0
HPY_ABI_VERSION_MINOR = 0
HPY_ABI_TAG = "hpy0"
