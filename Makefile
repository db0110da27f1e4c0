# Everything runs in .venv, which is made on first use and renewed when the
# project's own files change what it needs.
PYTHON ?= python3
BIN = .venv/bin
# The peers need an environment of their own: adelie takes no numpy 2.
BENCH = .venv-bench/bin
PEERS = skglm adelie celer group-lasso
HTML = docs/_build/html
# From which modules are compiled.
COMPILED = setup.py shrinklin/kernels.pyx shrinklin/proximal.pyx shrinklin/proximal.pxd

# The extra that the tests of networks need. `make test NETWORKS=` installs no torch and skips them.
NETWORKS = test-networks
export SHRINKLIN_LEFT_OUT = $(if $(NETWORKS),,shrinklin/networks/*)

# How long each target of fuzz/ runs.
FUZZ_SECONDS ?= 300

# Where the promised versions are tested: the oldest Python of setup.cfg, and the newest here,
# unless a library has no wheels for it yet: then give another.
OLDEST_PYTHON ?= python3.11
NEWEST_PYTHON ?= $(shell for minor in 15 14 13 12 11; do \
	python3.$$minor -c '' 2> /dev/null && echo python3.$$minor && break; done)
# What the oldest versions need themselves is taken as it was when the last of them came out.
OLDEST = --resolution lowest-direct --exclude-newer 2025-04-01
# The summary says why a test is skipped.
PYTEST = -m pytest --numprocesses auto --dist worksteal -r fEs

.PHONY: demo demo-networks test test-oldest test-newest test-kernels sanitize wheel fuzz bench \
	bench-quick proofs claims docs docs-check lint format clean

demo: .venv/plot
	$(BIN)/python examples/reports/digits.py

demo-networks: .venv/networks .venv/plot
	$(BIN)/python examples/reports/networks.py

test: .venv/test $(NETWORKS:%=.venv/%)
	$(BIN)/python $(PYTEST) --cov --cov-report term

# Without networks, as PyPI's torch for Linux brings CUDA, several GB. Where uv reaches PyTorch's own
# index, UV_TORCH_BACKEND=cpu make test-newest NETWORKS=test-networks takes a CPU build; so does
# test-oldest after rm -r .venv-oldest.
test-oldest test-newest test-kernels: NETWORKS =

# With the lowest versions that setup.cfg promises; with the newest releases.
test-oldest: .venv-oldest/test
	.venv-oldest/bin/python $(PYTEST)

# They may have changed since yesterday.
test-newest:
	$(call versions,.venv-newest,$(NEWEST_PYTHON))
	.venv-newest/bin/python $(PYTEST)

# A wheel, which needs no compiler where it is installed.
wheel: .venv/test
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

# The tests of the compiled loops, built with checks of all indices, and with those of the compiler for
# addresses and undefined behaviour (gcc, Linux).
sanitize: .venv/test
	$(BIN)/python tests/sanitize.py

# Under every kernel of OpenBLAS, with one thread and with two: hours.
# TESTS=tests/test_cv_scores.py: only some tests.
test-kernels: .venv/test
	$(BIN)/python tests/blas_kernels.py $(TESTS)

# 10 000 random problems, then FUZZ_SECONDS of each fuzzer. What a fuzzer finds is written into
# build/fuzz, and read again by giving it the file in place of the folder.
fuzz: .venv/test .venv/fuzz
	$(BIN)/python $(PYTEST) tests/test_properties.py --hypothesis-profile=fuzz
	mkdir -p build/fuzz/inputs build/fuzz/readers
	for what in inputs readers; do \
		$(BIN)/python -m fuzz.$$what build/fuzz/$$what -max_total_time=$(FUZZ_SECONDS) -timeout=60 \
			-artifact_prefix=build/fuzz/ || exit 1; \
	done

# SHRINKLIN_DATA=folder: where oes97.arff is, without which it is skipped.
bench: .venv-bench/peers .venv/plot $(if $(NETWORKS),.venv/networks)
	$(call peers,full,benchmarks/results)
	$(BIN)/python -m benchmarks.limits
	$(BIN)/python benchmarks/removal.py
	$(BIN)/python benchmarks/cross_validation.py
	$(BIN)/python benchmarks/out_of_core.py
	$(if $(NETWORKS),$(BIN)/python benchmarks/networks.py)

# A minute or two on small data, into benchmarks/outputs.
bench-quick: .venv-bench/peers
	$(call peers,quick,benchmarks/outputs)

# What peers compile is compiled anew, so that it can be reported.
define peers
	rm -rf benchmarks/outputs .venv-bench/numba
	NUMBA_CACHE_DIR=.venv-bench/numba $(BENCH)/python -m benchopt run benchmarks \
		--config benchmarks/$(1).yml --no-cache --no-plot --output benchmarks/outputs/peers.parquet
	$(BENCH)/python benchmarks/report.py benchmarks/outputs/peers.parquet --out $(2)
endef

proofs: .venv/proofs
	$(BIN)/python -m proofs_check --html proofs.html --markdown docs/propositions.md

claims: .venv/experiments $(if $(NETWORKS),.venv/networks)
	$(BIN)/python -m experiments claims --out results

docs: .venv/docs
	$(BIN)/python -m sphinx -W --keep-going -n docs $(HTML)
	$(BIN)/python docs/check_resources.py $(HTML)

# Every page in Chromium, at the widths of a desk and of a telephone.
docs-check: .venv/browser docs
	$(BIN)/python docs/check_pages.py $(HTML)

lint: .venv/lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy

format: .venv/lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# .venv/EXTRA marks that the extra EXTRA is installed.
.venv/%: setup.cfg pyproject.toml constraints.txt $(COMPILED)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--editable '.[$*]'
	touch $@

.venv-oldest/test: setup.cfg pyproject.toml
	$(call versions,.venv-oldest,$(OLDEST_PYTHON),$(OLDEST))
	touch $@

# Made anew, as a version that is there and will do would stay.
define versions
	rm -rf $(1)
	$(2) -m venv $(1)
	$(1)/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	VIRTUAL_ENV=$(1) $(1)/bin/uv pip install --quiet $(3) --editable '.[test]' \
		$(NETWORKS:%=--editable '.[%]')
endef

# A peer that pip cannot install is not fatal: the report says so, and why.
.venv-bench/peers: setup.cfg pyproject.toml
	test -x $(BENCH)/python || $(PYTHON) -m venv .venv-bench
	$(BENCH)/python -m pip install --quiet --disable-pip-version-check 'numpy<2' --editable '.[bench]'
	mkdir -p $@
	for peer in $(PEERS); do \
		$(BENCH)/python -m pip install --disable-pip-version-check 'numpy<2' $$peer \
			> $@/$$peer.log 2>&1 || echo "not installed: $$peer (see $@/$$peer.log)"; \
	done
	touch $@

clean:
	rm -rf .venv .venv-bench .venv-oldest .venv-newest benchmarks/outputs docs/_build docs/api \
		docs/gallery *.egg-info .coverage* .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
