"""The command ``python -m hpy``."""

import argparse
from importlib.metadata import version

from hpy._abi import HPY_ABI_TAG
from hpy.devel import get_include


def main():
    """Do what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m hpy", description="HPy for this Python.")
    parser.add_argument("--version", action="store_true", help="print the release and its ABI")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("include", help="print the directory of hpy.h, for a compiler's -I")
    arguments = parser.parse_args()
    if arguments.version:
        print(f"hpy {version('hpy')} ({HPY_ABI_TAG})")
    elif arguments.command == "include":
        print(get_include())
    else:
        parser.error("nothing to do: give --version or a command, or see --help")


if __name__ == "__main__":
    main()
