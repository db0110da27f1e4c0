"""Whether what needs torch is tested."""

import os
import re
from importlib.util import find_spec

# Of the extras `networks` and `test-networks`.
NEEDED = ("torch", "onnx", "onnxruntime", "onnxscript", "skorch", "torch_pruning")
IMPORT = re.compile(r"^(import|from) (torch|shrinklin\.networks)\b", re.MULTILINE)


def why_without_torch():
    """Why not, as the reason of a skip; None if it is."""
    if os.environ.get("SHRINKLIN_LEFT_OUT"):
        return "make test leaves networks out"
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        return f'{", ".join(missing)} not installed: pip install -e ".[test-networks]"'
    return None


def needs_torch(code):
    """Whether this Python code imports torch."""
    return IMPORT.search(code) is not None
