"""The `torchtrtc` command of an installed package: hands over to the C++ program."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Replace this process by the program; it needs no Python."""
    program = Path(__file__).parent / "bin" / "torchtrtc"
    os.execv(program, [str(program), *sys.argv[1:]])
