PYTHON ?= python3
BIN = .venv/bin
OUT ?= out

.PHONY: setup run test test-fast test-cloud lint

setup: .venv/installed

.venv/installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[local,dev]'
	touch $@

run: setup
ifdef DATA
	$(BIN)/cell-tower-anomaly run --profile conf/default.toml --customers $(DATA)/customers \
	  --samples $(DATA)/samples --calls $(DATA)/call_statistics --out $(OUT)
else
	$(BIN)/cell-tower-anomaly sample --scale 1 --seed 42 --out data/sample
	$(BIN)/cell-tower-anomaly run --profile conf/default.toml --customers data/sample/customers \
	  --samples data/sample/samples --calls data/sample/call_statistics --out $(OUT)
endif

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict anomaly runners

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
