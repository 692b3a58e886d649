PYTHON ?= python3
BIN = .venv/bin
OUT ?= out

.PHONY: setup run test test-fast test-cloud lint bench

setup: .venv/installed

.venv/installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[local,dev]'
	touch $@

# On made-up sample data, or on DATA=FOLDER with customers, samples and call_statistics in it.
run: setup
	$(BIN)/cell-tower-anomaly run --profile conf/default.toml --out $(OUT) $(if $(DATA), \
	  --customers $(DATA)/customers --samples $(DATA)/samples --calls $(DATA)/call_statistics)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict anomaly runners benchmarks

test-fast: setup
	$(BIN)/pytest

test: lint test-fast

.venv-cloud/installed: tests/cloud/requirements.txt
	$(PYTHON) -m venv .venv-cloud
	.venv-cloud/bin/pip install --quiet -r tests/cloud/requirements.txt
	touch $@

# Real connectors against Cloud Storage and BigQuery emulators on this machine.
test-cloud: .venv-cloud/installed
	.venv-cloud/bin/python -m pytest tests/cloud -m cloud

# Whole processes against the floor, in pairs; ratios, not seconds, are what counts.
bench: setup
	$(BIN)/python benchmarks/run_against_floor.py
