"""``python -m experiments``: see `command`."""

import sys

from shrinklin.messages import imported

NEEDED = ("matplotlib", "pandas", "rich", "tqdm")


def main():
    """As `command.main`, where all that the experiments need is installed."""
    try:
        for package in NEEDED:
            imported(package, "python -m experiments", "experiments")
    except ImportError as error:
        print(error, file=sys.stderr)
        return 2
    # Not before: it imports some of them.
    from experiments import command

    return command.main()


# Workers that start as fresh interpreters import this module too.
if __name__ == "__main__":
    sys.exit(main())
