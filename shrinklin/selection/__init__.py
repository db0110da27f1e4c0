"""Solutions for many alphas: paths, folds, degrees of freedom. No module takes an estimator."""
