"""``python -m proofs_check``: see `command`."""

import sys

try:
    from proofs_check.command import main
except ImportError as error:
    if error.name is None or error.name.startswith("proofs_check"):
        raise
    sys.exit(f'proofs_check needs {error.name}: pip install "shrinklin[proofs]".')

if __name__ == "__main__":
    sys.exit(main())
