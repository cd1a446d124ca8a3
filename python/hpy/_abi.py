"""The ABI's identity, with the same values as in ``include/hpy/version.h``, and an interpreter's.

The import hook needs this at the interpreter's start, so nothing else is imported here.
"""

HPY_ABI_VERSION = 0
HPY_ABI_VERSION_MINOR = 0
HPY_ABI_TAG = "hpy0"


def parse_ext_suffix(ext_suffix):
    """Do what :func:`hpy.devel.abitag.parse_ext_suffix` says."""
    *_, soabi, extension = ext_suffix.split(".")
    implementation, *details = soabi.split("-")
    if implementation == "cpython" and details:
        return "cp" + details[0], extension
    if implementation.startswith("cp"):
        return implementation, extension
    if implementation.startswith("pypy"):
        return "-".join([implementation, *details[:1]]), extension
    if implementation.startswith("graalpy"):
        return "-".join([implementation, *details[:2]]), extension
    raise ValueError(
        f"no ABI tag is known for the extension suffix {ext_suffix!r}: "
        "expected something like '.cpython-311-x86_64-linux-gnu.so'"
    )
