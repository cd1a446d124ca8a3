"""How the files of HPy extensions are called."""

from sysconfig import get_config_var

from hpy import _abi
from hpy._abi import HPY_ABI_TAG, HPY_ABI_VERSION, HPY_ABI_VERSION_MINOR

__all__ = [
    "HPY_ABIS",
    "HPY_ABI_TAG",
    "HPY_ABI_VERSION",
    "HPY_ABI_VERSION_MINOR",
    "get_hpy_ext_suffix",
    "parse_ext_suffix",
]

HPY_ABIS = ("cpython", "abi3", "abi3t", "universal", "hybrid")
"""The ABIs for which an extension can be compiled."""


def parse_ext_suffix(ext_suffix=None):
    """Take an interpreter's extension suffix to pieces.

    :param ext_suffix: such as ``.cpython-311-x86_64-linux-gnu.so``; by default that of this
        interpreter
    :returns: the ABI tag (``cp311``) and the file extension without its dot (``so``)
    :raises ValueError: the suffix carries no ABI tag that is known here
    """
    return _abi.parse_ext_suffix(ext_suffix or get_config_var("EXT_SUFFIX"))


def get_hpy_ext_suffix(hpy_abi, ext_suffix=None):
    """Give the suffix of an HPy extension's file.

    :param hpy_abi: one of :data:`HPY_ABIS`
    :param ext_suffix: the interpreter's extension suffix; by default that of this interpreter
    :returns: ``.hpy0.so`` for the Universal ABI, ``.hpy0-cp311.so`` for the Hybrid ABI,
        ``.abi3.so`` (on Windows ``.pyd``) for abi3, ``.abi3t.so`` likewise, and the interpreter's
        own suffix for the CPython ABI
    :raises ValueError: no such ABI, or a hybrid build for an interpreter whose ABI tag is unknown
    """
    ext_suffix = ext_suffix or get_config_var("EXT_SUFFIX")
    if hpy_abi == "cpython":
        return ext_suffix
    extension = ext_suffix.rpartition(".")[2]
    if hpy_abi in ("abi3", "abi3t"):
        return ".pyd" if extension == "pyd" else f".{hpy_abi}.{extension}"
    if hpy_abi == "universal":
        return f".{HPY_ABI_TAG}.{extension}"
    if hpy_abi == "hybrid":
        tag, extension = parse_ext_suffix(ext_suffix)
        return f".{HPY_ABI_TAG}-{tag}.{extension}"
    raise ValueError(f"{hpy_abi!r} is not an HPy ABI: choose one of {', '.join(HPY_ABIS)}")
