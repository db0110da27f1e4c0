"""``python -m experiments``: see `command`."""

import sys

from shrinklin.messages import imported

NEEDED = ("matplotlib", "pandas", "rich", "tqdm")


def main():
    """Run `command.main` if all packages that the experiments need are installed."""
    try:
        for package in NEEDED:
            imported(package, "python -m experiments", "experiments")
    except ImportError as error:
        print(error, file=sys.stderr)
        return 2
    # Imported only now, as it needs these packages itself.
    from experiments import command

    return command.main()


# Guarded, as worker processes may import this module too.
if __name__ == "__main__":
    sys.exit(main())
