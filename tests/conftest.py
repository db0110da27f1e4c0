"""Settings that have to be in place before scipy is imported."""

import os

# Without it scikit-learn skips one of the checks in `check_estimator`.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
# Pictures are drawn without a screen.
os.environ.setdefault("MPLBACKEND", "agg")
