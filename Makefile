# Everything runs in .venv, which is made on first use and renewed when the
# project's own files change what it needs.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: demo test bench proofs claims lint format clean

demo: .venv/plot
	$(BIN)/python examples/plot_digits.py

test: .venv/test
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

bench: .venv/plot
	$(BIN)/python benchmarks/removal.py
	$(BIN)/python benchmarks/cross_validation.py
	$(BIN)/python benchmarks/out_of_core.py

proofs: .venv/proofs
	$(BIN)/python -m proofs_check --html proofs.html --markdown docs/propositions.md

claims: .venv/experiments
	$(BIN)/python -m experiments claims --out results

lint: .venv/lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy

format: .venv/lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# .venv/EXTRA marks that the extra EXTRA is installed.
.venv/%: setup.cfg pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	touch $@

clean:
	rm -rf .venv *.egg-info .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
