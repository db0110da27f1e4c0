import sys

from experiments.command import main

# Workers that start as fresh interpreters import this module too.
if __name__ == "__main__":
    sys.exit(main())
