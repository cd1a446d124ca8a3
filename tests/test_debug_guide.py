"""The guide to debug mode shows what its session really says.

HPY_WRITE_DOCS=1 writes it: `HPY_WRITE_DOCS=1 pytest tests/test_debug_guide.py`.
"""

import os
import re
import subprocess
import sys

import support
from test_pytest_plugin import INSTALLED
from venvs import clean_environment

GUIDE = support.ROOT / "docs" / "debug.md"
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```\n", re.DOTALL)
RUN = re.compile(r"(?<=<!-- run -->\n```console\n).*?(?=```\n)", re.DOTALL)


def said(command, folder):
    """What a command in the folder of the session prints; the folder and times are left out."""
    (folder / "bin").mkdir(exist_ok=True)
    python = folder / "bin" / "python"
    if not python.exists():
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
    environment = clean_environment()
    environment["PATH"] = f"{python.parent}{os.pathsep}{environment['PATH']}"
    environment["PYTHONPATH"] = os.environ.get("PYTHONPATH", "")
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    environment["PYTEST_ADDOPTS"] = "-p no:cacheprovider"
    if not INSTALLED:
        environment["PYTEST_PLUGINS"] = "hpy._pytest_plugin"
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    text = re.sub(r" in \d+\.\d+s$", "", done.stdout, flags=re.MULTILINE)
    return text.replace(f"{folder}/", "")


def test_the_session(tmp_path):
    guide = GUIDE.read_text("utf-8")
    for name, text in FILE.findall(guide):
        (tmp_path / name).write_text(text)

    def session(block):
        commands = re.findall(r"^\$ (.+)$", block[0], re.MULTILINE)
        return "".join(f"$ {command}\n{said(command, tmp_path)}" for command in commands)

    real = RUN.sub(session, guide)
    if os.environ.get("HPY_WRITE_DOCS"):
        GUIDE.write_text(real, "utf-8")
    assert len(RUN.findall(guide)) == 4
    assert real == guide or os.environ.get("HPY_WRITE_DOCS"), "HPY_WRITE_DOCS=1 writes it"
