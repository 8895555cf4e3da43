# `make` lists the verbs. Every verb sets up what it needs; a second call is quick.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup run test check format bench docs outputs clean

help:  ## list these verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $@

setup: $(STAMP)  ## make .venv and install anew with what its development needs

run: setup  ## run the main job on the example that comes with a dependency
	$(BIN)/anew run

test: setup  ## all tests
	$(BIN)/pytest -n auto

check: setup  ## what pre-commit and CI check: lint, format, types, import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: setup  ## let ruff mend what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup  ## ours and the peers on the tables, one comparison (see benchmarks/)
	$(BIN)/python -m benchmarks

docs: setup  ## execute every code block of README and docs
	$(BIN)/pytest tests/test_docs.py

outputs: setup  ## write the true output of every code block into README and docs
	$(BIN)/python tests/test_docs.py

clean:  ## remove the environment and the caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
