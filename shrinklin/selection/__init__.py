"""What is solved for many alphas: paths, folds, degrees of freedom. All take a `Problem`."""
