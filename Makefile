# `make` lists what can be done; `make check` is what a reviewer runs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
unexport PYTHONDONTWRITEBYTECODE  # without bytecode every start is slow

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo ui test lint fmt check bench lock clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## Install everything into .venv (PYTHON=python3.12 chooses the interpreter)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Python 3.11, 3.12 or 3.13 is needed: make setup PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked requirements into $(VENV); this takes a minute or two ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps -e .
	@touch $@

.demo/shop.sqlite: | setup
	@mkdir -p $(@D)
	@$(BIN)/python -m datamig_pipelines.sample $@

demo: setup .demo/shop.sqlite  ## Make a small shop and migrate it, with proofs
	@$(BIN)/datamig run shop
	@echo
	@echo "The same in the web UI: make ui, then open http://127.0.0.1:3000"

ui: setup  ## Open Dagster's web UI on http://127.0.0.1:3000
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/dagster dev

test: setup  ## Run the tests on throwaway PostgreSQL, MariaDB, SQLite and DuckDB
	@scripts/install_servers.sh
	@$(BIN)/python -m pytest -n 3  # one more than cores: tests wait for servers and processes

lint: setup  ## Check style, types and the direction of imports
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fmt: setup  ## Format the code and mend what can be mended
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

check: lint test  ## Lint and test

bench: setup  ## Measure the speed anew (benchmarks/RESULTS.md; takes an hour on an idle machine)
	@scripts/install_servers.sh
	@$(BIN)/python -m benchmarks --peers --parts --sweep --growth 0.6M,6M

lock: setup  ## Write requirements.lock anew from pyproject.toml
	@test -x $(BIN)/uv || $(BIN)/python -m pip install -qq uv
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --no-header --no-annotate -q -o requirements.lock

clean:  ## Delete builds, caches and the demo (.venv and .dagster_home stay)
	@rm -rf build dist ./*.egg-info .demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
