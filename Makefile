# Everything happens in .venv, which is made from the locked versions in requirements/.
# The commands: `make help`.

.DEFAULT_GOAL := help
.PHONY: help demo test quick coverage check fix bench docs lock orchestrators clean

# Any Python from 3.11 to 3.14; choose one with `make demo PYTHON=/path/to/python3`.
PYTHON ?=

# A developer's own environment must not reach into ours.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
CANDIDATES := python py python3
else
BIN := .venv/bin
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11 python
endif
PY := $(BIN)/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
SUITABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))

help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "%-13s %s\n", $$1, $$2 }' Makefile

demo: .venv/run.stamp ## run the example workbook against the built-in emulator: no key, no network
	"$(BIN)/reelsheet" run manifests/example.xlsx

# Which tests, and in how many processes: `make test TESTS=tests/reader WORKERS=0`.
TESTS ?=
WORKERS ?= auto

test: .venv/dev.stamp ## run the tests; some with TESTS=tests/reader
	"$(PY)" -m pytest -n $(WORKERS) --dist worksteal $(TESTS)

quick: .venv/dev.stamp ## run the unit and simulation tests: no processes, under a minute
	"$(PY)" -m pytest -n $(WORKERS) --dist worksteal -m "not process and not long" $(TESTS)

fix: .venv/dev.stamp ## mend what ruff can mend by itself
	"$(PY)" -m ruff check --fix
	"$(PY)" -m ruff format

# What decides over money and what holds it: not a branch of these may go untested. The tests of
# whole processes are left out: they take minutes, and what they reach is reached without them.
WHOLE := pipeline/engine/*,pipeline/lifecycle.py,pipeline/journal/*,pipeline/account/*,pipeline/toapis/*

coverage: .venv/dev.stamp ## measure the branches that the tests take: all, where money is decided over
	"$(PY)" -m coverage erase
	"$(PY)" -m coverage run -m pytest --ignore tests/system --ignore tests/emulator --ignore tests/upgrade
	"$(PY)" -m coverage combine --quiet
	"$(PY)" -m coverage report
	"$(PY)" -m coverage report --include "$(WHOLE)" --fail-under 100

check: .venv/dev.stamp ## linters, type checker, architecture
	"$(PY)" -m ruff check
	"$(PY)" -m ruff format --check
	"$(PY)" -m mypy --strict
	"$(BIN)/lint-imports"
	"$(BIN)/check-jsonschema" --builtin-schema vendor.github-workflows .github/workflows/*.yml docs/nights/github.yaml
	"$(BIN)/check-jsonschema" --builtin-schema vendor.compose-spec docs/nights/compose.yaml

# One library more than the locks hold: a peer that the product is measured beside is written with it.
bench: .venv/dev.stamp ## measure speed and cost beside other ways to do it (half an hour)
	$(PIP) install --only-binary :all: 'requests>=2.32,<3'
	"$(PY)" -m benchmarks

lock: .venv/made.stamp ## write requirements/*.txt anew from pyproject.toml (UPGRADE=1 takes newer versions)
	"$(PY)" requirements/lock.py $(if $(UPGRADE),--upgrade)

orchestrators: .venv/orchestrators.stamp ## what the recipes of docs/nights.md are tried with (840 MB)

docs: .venv/dev.stamp ## bring the generated parts of the pages up to date
	"$(PY)" -m docs.generate

clean: ## remove the environment and all that tools leave behind; outputs/ stays
	rm -rf .venv .coverage .coverage.* build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	rm -rf ./*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are newer than the locks they were installed from: an unchanged lock installs once.
.venv/made.stamp:
	@set -e; for python in $(if $(PYTHON),"$(PYTHON)",$(CANDIDATES)); do \
	  if "$$python" -c "$(SUITABLE)" >/dev/null 2>&1; then \
	    echo "making .venv with $$("$$python" --version)"; \
	    "$$python" -m venv --clear .venv; touch $@; exit 0; \
	  fi; \
	done; \
	echo "make: needs Python 3.11 to 3.14 with its venv module (Debian, Ubuntu: apt install" \
	  "python3-venv), or name one: make demo PYTHON=/path/to/python3" >&2; exit 2

.venv/run.stamp: .venv/made.stamp requirements/run.txt pyproject.toml
	$(PIP) install --require-hashes --only-binary :all: -r requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements/dev.txt
	$(PIP) install --require-hashes --only-binary :all: -r requirements/dev.txt
	@touch $@

# Airflow and Prefect need others of the libraries that tests and linters need.
.venv/orchestrators.stamp: .venv/run.stamp requirements/orchestrators.txt
	"$(PY)" -m venv --clear .venv/orchestrators
	.venv/orchestrators/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes \
	  --only-binary :all: -r requirements/orchestrators.txt
	.venv/orchestrators/bin/python -m pip --disable-pip-version-check --quiet install --no-deps \
	  --no-build-isolation --no-index --editable .
	@touch $@
