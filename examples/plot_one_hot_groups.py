"""
Columns of a one-hot encoding as a group
========================================

A categorical column becomes one column of zeros and ones a level. Who wants to drop a question from
a form wants all of its levels gone. ``groups`` has features enter and leave together. Eight
questions have six answers each here; the two that matter are the first and the fifth.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.preprocessing import OneHotEncoder

from shrinklin import ShrinkNetRegressorCV

rng = np.random.default_rng(0)
questions = [f"question {j}" for j in range(1, 9)]
answers = rng.integers(6, size=(400, 8))
effects = rng.normal(size=(2, 6, 2))
Y = effects[0, answers[:, 0]] + effects[1, answers[:, 4]] + 1.5 * rng.normal(size=(400, 2))
form = pd.DataFrame(np.array(list("abcdef"))[answers], columns=questions)

# %%
# The encoder knows how many levels each column has: the column's name, repeated as often, is the
# label of its group. Both models are chosen by the same rule.

encoder = OneHotEncoder(sparse_output=False).fit(form)
groups = np.repeat(questions, [len(levels) for levels in encoder.categories_])
X = encoder.transform(form)
single = ShrinkNetRegressorCV(15, cv=3, selection="1se").fit(X, Y)
grouped = ShrinkNetRegressorCV(15, cv=3, selection="1se", groups=groups).fit(X, Y)
kept_questions = list(dict.fromkeys(groups[grouped.get_support()]))
print(
    f"by level: {single.get_support().sum()} columns of",
    len(set(groups[single.get_support()])),
    "questions",
)
print(f"by group: {', '.join(kept_questions)}")

# %%
# White levels are out. By level, noise is picked here and there; by group, six questions need not
# be asked.

figure, axes = plt.subplots(1, 2, figsize=(6.4, 3.6), sharey=True, layout="constrained")
for ax, model, title in zip(axes, (single, grouped), ("by level", "by group"), strict=True):
    sizes = np.linalg.norm(model.coef_, axis=0)
    picture = ax.imshow(np.where(sizes > 0, sizes, np.nan).reshape(8, 6), vmin=0, vmax=2.5)
    ax.set_xticks(range(6), list("abcdef"))
    ax.set(xlabel="answer", title=f"Penalised {title}")
axes[0].set_yticks(range(8), questions)
figure.colorbar(picture, ax=axes, label="norm of the coefficients")
plt.show()
