"""
Save a model, load it, take it elsewhere
========================================

A saved model needs the same packages where it is loaded, and may run any code: trust its source.
``to_sklearn`` returns a pipeline of scikit-learn alone, with only the features that are kept. It
predicts the same, needs no shrinklin, and skl2onnx converts it for servers and phones.
"""

import tempfile
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shrinklin import ShrinkNetClassifier

X, y = load_digits(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
model = make_pipeline(StandardScaler(), ShrinkNetClassifier(0.003, ridge=0.003))
model.fit(X_train, y_train)

# %%
# Save and load it. The version of shrinklin is stored too, and another one warns.

with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "model.joblib"
    joblib.dump(model, file)
    loaded = joblib.load(file)
print(f"The same predictions: {(loaded.predict(X_test) == model.predict(X_test)).all()}")

# %%
# To take it elsewhere, replace the last step of the pipeline. ``skl2onnx.to_onnx(plain, X_test)``
# would make an ONNX file of it.

plain = make_pipeline(*model[:-1], model[-1].to_sklearn())
difference = abs(plain.predict_proba(X_test) - model.predict_proba(X_test)).max()
names = [type(step).__name__ for step in (plain[0], *plain[1])]
print(f"{' → '.join(names)}: probabilities differ by at most {difference:.0e}")

# %%
# What it needs is a mask of pixels and one weight for each class and kept pixel.

kept = model[-1].get_support()
weights = np.where(kept, np.linalg.norm(model[-1].coef_, axis=0), np.nan)
_, ax = plt.subplots(layout="constrained")
picture = ax.imshow(weights.reshape(8, 8))
plt.colorbar(picture, label="norm of the weights")
ax.set(title=f"{kept.sum()} of 64 pixels", xlabel="column", ylabel="row")
plt.show()
