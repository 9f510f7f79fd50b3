"""`python -m photon`, and the console script `photon`: patch first, then everything else."""

from photon.runtime.monkey import patch


def main() -> None:
    """Run the command line; ends with SystemExit, see `photon.cli.exits`."""
    # What is imported before keeps the blocking originals: click, and the user's application.
    patch()
    from photon.cli.main import cli

    cli(prog_name="photon")


if __name__ == "__main__":
    main()
