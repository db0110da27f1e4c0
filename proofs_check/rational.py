"""Linear algebra in exact fractions. Matrices are tuples of rows."""

from fractions import Fraction

ZERO = Fraction(0)


def dot(left, right):
    return sum((p * q for p, q in zip(left, right, strict=True)), ZERO)


def product(left, right):
    columns = tuple(zip(*right, strict=True))
    return tuple(tuple(dot(row, column) for column in columns) for row in left)


def scaled(factors, matrix):
    """diag(factors) · matrix."""
    return tuple(
        tuple(factor * entry for entry in row) for factor, row in zip(factors, matrix, strict=True)
    )


def reduced(matrix, n_columns):
    """Gauss-Jordan elimination on the first columns: the rows, and the column of each pivot."""
    rows = [list(map(Fraction, row)) for row in matrix]
    pivots: list[int] = []
    for column in range(n_columns):
        rank = len(pivots)
        pivot = next((i for i in range(rank, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        head = rows[rank] = [entry / rows[rank][column] for entry in rows[rank]]
        for i, row in enumerate(rows):
            if i != rank and row[column]:
                rows[i] = [p - row[column] * q for p, q in zip(row, head, strict=True)]
        pivots.append(column)
    return rows, pivots


def null_vector(X):
    """v ≠ 0 with Xv = 0, or None if the columns of X are linearly independent."""
    n_columns = len(X[0])
    rows, pivots = reduced(X, n_columns)
    dependent = next((j for j in range(n_columns) if j not in pivots), None)
    if dependent is None:
        return None
    vector = [ZERO] * n_columns
    vector[dependent] = Fraction(1)
    for row, column in zip(rows, pivots, strict=False):
        vector[column] = -row[dependent]
    return tuple(vector)


def moments(X, Y):
    """X'Y."""
    return product(tuple(zip(*X, strict=True)), Y)


def least_squares(X, Y):
    """Weights that solve the normal equations; zero for features that depend on earlier ones."""
    n_features, n_targets = len(X[0]), len(Y[0])
    pairs = zip(moments(X, X), moments(X, Y), strict=True)
    rows, pivots = reduced([[*gram, *right] for gram, right in pairs], n_features)
    solved = {column: tuple(rows[i][n_features:]) for i, column in enumerate(pivots)}
    return tuple(solved.get(column, (ZERO,) * n_targets) for column in range(n_features))
