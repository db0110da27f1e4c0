"""
Drop whole columns of text, not single levels
=============================================

An encoder makes a feature of every level of a column of text. Dropping a question means dropping
all its levels. With ``groups=ByColumn(...)`` features of one column are kept or dropped together,
however many there are: in a fold without a rare answer there are fewer. Only the first and the
fifth question matter here.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from shrinklin import ByColumn, ShrinkNetRegressorCV

rng = np.random.default_rng(0)
questions = [f"question {j}" for j in range(1, 9)]
answers = rng.integers(6, size=(400, 8))
effects = rng.normal(size=(2, 6, 2))
Y = effects[0, answers[:, 0]] + effects[1, answers[:, 4]] + 1.5 * rng.normal(size=(400, 2))
form = pd.DataFrame(np.array(list("abcdef"))[answers], columns=questions)
form.loc[[7, 300], "question 2"] = "rare"

# %%
# The pipeline passes names on, and ``ByColumn`` reads them in every fit. A list of groups would
# have one label too many in a fold without the rare answer.


def fitted(groups):
    encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    model = ShrinkNetRegressorCV(15, cv=3, selection="1se", groups=groups)
    return make_pipeline(encoder, model).set_output(transform="pandas").fit(form, Y)


single, grouped = fitted(None), fitted(ByColumn(questions))
features = grouped[0].get_feature_names_out()
kept = [dict.fromkeys(ByColumn(questions)(features[m[1].get_support()])) for m in (single, grouped)]
print(f"by level: {single[1].get_support().sum()} features of {len(kept[0])} questions")
print(f"by group: {', '.join(kept[1])}")
print(f"R² in other rows: {cross_val_score(grouped, form, Y, cv=3).mean():.2f}")

# %%
# White levels are out. By level, noise is picked here and there; by group, six questions need not
# be asked.

figure, axes = plt.subplots(1, 2, figsize=(6.4, 3.6), sharey=True, layout="constrained")
for ax, model, title in zip(axes, (single, grouped), ("by level", "by group"), strict=True):
    sizes = pd.Series(np.linalg.norm(model[1].coef_, axis=0), features)
    table = [[sizes.get(f"{name}_{answer}", 0.0) for answer in "abcdef"] for name in questions]
    picture = ax.imshow(np.where(np.array(table) > 0, table, np.nan), vmin=0, vmax=2.5)
    ax.set_xticks(range(6), list("abcdef"))
    ax.set(xlabel="answer", title=f"Penalised {title}")
axes[0].set_yticks(range(8), questions)
figure.colorbar(picture, ax=axes, label="norm of the coefficients")
plt.show()
