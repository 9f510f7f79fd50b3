"""`python -m photon`, and the console script `photon`: patch first, then everything else."""

import os
import sys

from photon.runtime.monkey import patch


def main() -> None:
    """Run the command line; ends with SystemExit, see `photon.cli.exits`."""
    _have_standard_streams()
    # What is imported before keeps the blocking originals: click, and the user's application.
    patch()
    from photon.cli.main import cli

    cli(prog_name="photon")


def _have_standard_streams() -> None:
    """What of 0, 1 and 2 was closed by whoever started us leads nowhere from here on.

    The next socket would have that number else, and get what is written to stderr.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest that is free
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


if __name__ == "__main__":
    main()
