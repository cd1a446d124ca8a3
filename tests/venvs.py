"""Virtual environments for the tests of the package, made from what is installed here.

Distributions are copied from the environment that runs the tests, so that no network is needed and
what is tested is what is installed: hpy with its entry point and its start-up files.
"""

import importlib.metadata
import os
import shutil
import subprocess
import venv


class Environment:
    """A virtual environment with some distributions in it."""

    def __init__(self, folder, *distributions):
        venv.create(folder)
        self.python = folder / "bin" / "python"
        self.site_packages = next(folder.glob("lib/python*/site-packages"))
        for name in distributions:
            self._copy(importlib.metadata.distribution(name))

    def _copy(self, distribution):
        for file in distribution.files:
            if file.parts[0] == ".." or "__pycache__" in file.parts:
                continue
            target = self.site_packages / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file.locate(), target)

    def run(self, *arguments, cwd, env=None, check=True):
        """Runs Python; the result's `stdout` has standard error too. `env` adds variables."""
        done = subprocess.run(
            [self.python, *arguments],
            cwd=cwd,
            env={**clean_environment(), **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if check:
            assert done.returncode == 0, done.stdout
        return done

    def output(self, code, *, cwd, env=None, flags=()):
        """Runs Python code and gives what it prints, without the last line's end."""
        return self.run(*flags, "-c", code, cwd=cwd, env=env).stdout.rstrip("\n")


def clean_environment():
    """The variables of this process without those that steer Python or HPy."""
    kept = "PYTHON_GIL"  # without it, a free-threaded Python would warn of each library
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "HPY")) or k == kept}
