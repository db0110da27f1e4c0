"""``python -m proofs_check``: see `command`."""

import sys

from shrinklin.messages import imported

NEEDED = ("cvxpy", "hypothesis", "matplotlib", "rich", "tqdm")


def main():
    """Run `command.main` if all packages that it needs are installed."""
    try:
        for package in NEEDED:
            imported(package, "proofs_check", "proofs")
    except ImportError as error:
        print(error, file=sys.stderr)
        return 2
    # Imported only now, as it needs these packages itself.
    from proofs_check import command

    return command.main()


if __name__ == "__main__":
    sys.exit(main())
