"""Whether what needs torch is tested."""

import os
from importlib.util import find_spec

# Of the extras `networks` and `test-networks`.
NEEDED = ("torch", "onnx", "onnxruntime", "onnxscript", "torch_pruning")


def why_without_torch():
    """Why not, as the reason of a skip; None if it is."""
    if os.environ.get("SHRINKLIN_LEFT_OUT"):
        return "make test leaves networks out"
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        return f'{", ".join(missing)} not installed: pip install -e ".[test-networks]"'
    return None
