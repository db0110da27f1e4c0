"""
Complete a digit from few of its pixels
=======================================

The upper half of a handwritten digit is 32 features, the lower half 32 targets. Which pixels of the
upper half are needed to draw the lower? The pipeline scales the features first: the penalty weighs
coefficients, whose size depends on the features' units.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shrinklin import ShrinkNetRegressor

images = load_digits().data
X_train, X_test, Y_train, Y_test = train_test_split(images[:, :32], images[:, 32:], random_state=0)
model = make_pipeline(StandardScaler(), ShrinkNetRegressor(alpha=2.0)).fit(X_train, Y_train)
kept = model[-1].get_support()
r2 = model.score(X_test, Y_test)
r2_of_all = LinearRegression().fit(X_train, Y_train).score(X_test, Y_test)
print(f"R² of {r2:.2f} with {kept.sum()} of 32 pixels; least squares: {r2_of_all:.2f} with all.")

# %%
# Images that were held out, the pixels that the model reads, and what it makes of them. It returns
# means of many images, which are blurred, from a few pixels nearly as well as from all.

figure, axes = plt.subplots(3, 8, figsize=(6.4, 3.2), layout="constrained")
for column, upper, lower in zip(axes.T, X_test, Y_test, strict=False):
    read = np.where(kept, upper, np.nan)
    completed = [upper, model.predict([upper])[0]]
    pictures = [[upper, lower], [read, np.full(32, np.nan)], completed]
    for ax, picture in zip(column, pictures, strict=True):
        ax.imshow(np.reshape(picture, (8, 8)), cmap="gray_r", vmin=0, vmax=16)
        ax.set(xticks=[], yticks=[], facecolor="lightsteelblue")
        ax.axhline(3.5, color="C1", linewidth=1)
for ax, name in zip(axes[:, 0], ["image", "pixels read", "completed"], strict=True):
    ax.set_ylabel(name)
figure.suptitle(f"Lower halves predicted from {kept.sum()} pixels of the upper halves")
plt.show()
