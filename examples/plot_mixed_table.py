"""
A table with text, numbers and gaps
===================================

Six columns of text, ten of numbers, some values missing: which columns does one need to predict the
price of a flat and its rent? Encoders make 40 features of the columns. The model keeps or drops
whole columns, and ``summary`` says which.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer, StandardScaler

from shrinklin import ByColumn, ShrinkNetRegressorCV, SummaryDisplay, summary

rng = np.random.default_rng(0)
n, text = 400, ["heating", "district", "door", "floor", "balcony", "agent"]
flats = pd.DataFrame({name: rng.choice(["a", "b", "c", "d"], n) for name in text})
flats["area"], flats["year"] = rng.uniform(20, 150, n), rng.uniform(1900, 2020, n)
flats[[f"number {j}" for j in range(8)]] = rng.normal(size=(n, 8))
price = 4 * flats["area"] + 250 * (flats["district"] == "a") + 0.1 * (flats["year"] - 1960) ** 2
rent = 0.1 * flats["area"] + 6 * (flats["heating"] == "b")
Y = pd.DataFrame({"price": price, "rent": rent})
Y = (Y - Y.mean()) / Y.std() + 0.3 * rng.normal(size=(n, 2))
flats.loc[rng.random(n) < 0.1, "area"] = np.nan

# %%
# Each column has an encoder: levels for text, a spline for the year, a mean for the gaps. All are
# steps of one pipeline, which also says how the features are grouped.

numbers = ["area", *(f"number {j}" for j in range(8))]
encoder = make_column_transformer(
    (OneHotEncoder(sparse_output=False, drop="first", handle_unknown="ignore"), text),
    (make_pipeline(SplineTransformer(4, include_bias=False), StandardScaler()), ["year"]),
    (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
)
search = ShrinkNetRegressorCV(20, selection="1se", groups=ByColumn(list(flats)))
model = make_pipeline(encoder, search).set_output(transform="pandas")
X_train, X_test, Y_train, Y_test = train_test_split(flats, Y, random_state=0)
score = model.fit(X_train, Y_train).score(X_test, Y_test)
table = summary(model)
columns = sorted(set(table["original"]))
print(table.round(2))
print(f"R² in other rows: {score:.2f} with the columns {', '.join(columns)}")

# %%
# The norms of the coefficients, by the columns of the table.

SummaryDisplay.from_estimator(model)
plt.show()
