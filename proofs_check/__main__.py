"""``python -m proofs_check``: see `command`."""

import sys

from shrinklin.messages import imported

NEEDED = ("cvxpy", "hypothesis", "matplotlib", "rich", "tqdm")


def main():
    """As `command.main`, where all that it needs is installed."""
    try:
        for package in NEEDED:
            imported(package, "proofs_check", "proofs")
    except ImportError as error:
        print(error, file=sys.stderr)
        return 2
    # Not before: it imports some of them.
    from proofs_check import command

    return command.main()


if __name__ == "__main__":
    sys.exit(main())
