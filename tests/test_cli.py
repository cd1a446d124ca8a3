"""The command `python -m hpy`, and the package as a whole."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import hpy


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "hpy", *arguments], capture_output=True, text=True, check=False
    )


def test_version():
    release = importlib.metadata.version("hpy")
    assert run("--version").stdout == f"hpy {release} (hpy0)\n"


def test_include_prints_the_headers_folder():
    done = run("include")
    assert done.returncode == 0
    folder = Path(done.stdout.rstrip("\n"))
    assert folder.is_absolute()
    assert (folder / "hpy.h").is_file()


def test_help_names_the_commands():
    done = run("--help")
    assert done.returncode == 0
    assert "--version" in done.stdout
    assert "include" in done.stdout


def test_without_a_command_it_says_what_to_do():
    done = run()
    assert done.returncode == 2
    assert "give --version or a command" in done.stderr


def test_hpy_is_a_namespace_package():
    # PyPy and GraalPy ship portions of hpy of their own.
    assert getattr(hpy, "__file__", None) is None
