"""Shows, with no extension, what RustPython itself does otherwise than CPython.

`tests/hosts/rustpython3.14.toml` gives these as the reasons why tests cannot pass. Where one is no
longer so, this fails: then the tests that it excuses belong off that list.
"""

import operator
import os
import sys
import tempfile


def printed_on_standard_output(function):
    """Return what a call writes to file descriptor 1."""
    with tempfile.TemporaryFile() as file:
        sys.stdout.flush()
        kept = os.dup(1)
        os.dup2(file.fileno(), 1)
        try:
            function()
            sys.stdout.flush()
        finally:
            os.dup2(kept, 1)
            os.close(kept)
        file.seek(0)
        return file.read()


def check_datetime_has_no_capsule():
    import datetime

    assert not hasattr(datetime, "datetime_CAPI")


def check_an_unraisable_hook_that_raises_is_told_on_standard_output():
    class Ends:
        def __del__(self):
            raise KeyError

    def hook(_):
        raise ValueError("in the hook")

    kept = sys.unraisablehook
    sys.unraisablehook = hook
    try:
        assert b"in the hook" in printed_on_standard_output(Ends)
    finally:
        sys.unraisablehook = kept


def check_file_names_are_utf8():
    name = os.fsdecode(b"\xff.py")
    assert compile("1", name, "eval").co_filename != name


def check_concat_asks_the_addition_of_numbers_first():
    class Sequence:
        def __len__(self):
            return 0

        def __getitem__(self, index):
            raise IndexError(index)

        def __add__(self, other):
            return "added"

    # On CPython a TypeError: nothing is concatenated.
    assert operator.concat(Sequence(), 1) == "added"


def check_lone_surrogates_are_not_formatted():
    try:
        f"{chr(0xD800):>10}"
    except UnicodeEncodeError:
        return
    raise AssertionError("a lone surrogate was formatted")


def check_there_is_no_python_h():
    import sysconfig

    include = sysconfig.get_path("include")
    assert include is None or not os.path.exists(os.path.join(include, "Python.h"))


def main():
    for name, check in list(globals().items()):
        if name.startswith("check_"):
            check()
            print(f"{name.removeprefix('check_').replace('_', ' ')}: so it is")


if __name__ == "__main__":
    main()
