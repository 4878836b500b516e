# Everything a newcomer types.  Needs Python 3.11 to 3.13, make and git; nothing is installed twice.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3.12 python3.13 python3.11 python3; do command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2
export DAGSTER_DISABLE_TELEMETRY := yes
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DO_NOT_TRACK := 1
export RUNTIME__DLTHUB_TELEMETRY := false

# The samples end on 30 June 2025: figures are shown as of a day soon after, whatever day it is today.
DEMO_AS_OF := 2025-07-15
DEMO_SYSTEMS := $(notdir $(patsubst %/sample,%,$(wildcard sources/*/sample)))

.PHONY: help demo test lint dev manifest render lock bench mutation clean

help: ## Show what there is
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

$(VENV)/python.stamp:
	@test -n "$(PYTHON)" || { echo "error: Python 3.11, 3.12 or 3.13 is needed"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	touch $@

# The lock names everything there is to install, so pip has nothing to resolve (--no-deps).
$(VENV)/installed.stamp: $(VENV)/python.stamp requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/dev.stamp: $(VENV)/installed.stamp requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	touch $@

demo: $(VENV)/installed.stamp ## Land the samples of all systems, run the pipeline, show the figures
	@for system in $(DEMO_SYSTEMS); do \
	  $(BIN)/finpipe land $$system sources/$$system/sample > .demo.log 2>&1 || { cat .demo.log; rm -f .demo.log; exit 1; }; \
	  echo "$$system: $$(tail -n 1 .demo.log)"; rm -f .demo.log; \
	done
	@$(BIN)/finpipe run --as-of $(DEMO_AS_OF) || [ $$? -eq 3 ]

test: $(VENV)/dev.stamp ## Lint, then every test
	$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder

lint: $(VENV)/dev.stamp ## ruff, mypy, sqlfluff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --processes $(JOBS) --disable-progress-bar dbt_project/models dbt_project/tests sources

dev: $(VENV)/installed.stamp ## Dagster's UI and daemon on http://localhost:3000
	mkdir -p .finpipe/dagster
	DAGSTER_HOME="$(CURDIR)" $(BIN)/dagster dev -w workspace.yaml

manifest: $(VENV)/installed.stamp ## Make dbt_project/manifest.json anew after a change of models or tests
	$(BIN)/python -m finpipe.build.keep

render: $(VENV)/installed.stamp ## Write what is derived: dbt's sources, the data dictionary, the page of limits
	$(BIN)/python -m finpipe.contracts.render
	$(BIN)/python -m tools.limits

lock: ## Resolve pyproject.toml into the lock files, with hashes and no address; needs uv
	uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" --output-file requirements.lock
	uv pip compile pyproject.toml --extra dev --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --custom-compile-command "make lock" --output-file requirements-dev.lock
	echo "mutmut==3.8.1" | uv pip compile - --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --no-emit-index-url --constraint requirements-dev.lock --custom-compile-command "make lock" \
	  --output-file requirements-mutation.lock
	for others in tools/bench/others/*.in; do \
	  uv pip compile $$others --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-annotate --custom-compile-command "make lock" --output-file $${others%.in}.lock; \
	done

bench: $(VENV)/installed.stamp ## Measure speed and memory as ratios, in one run; ARGS="--all --docs" measures everything
	$(BIN)/python -m tools.bench $(ARGS)

$(VENV)/mutation.stamp: $(VENV)/dev.stamp requirements-mutation.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-mutation.lock
	touch $@

mutation: $(VENV)/mutation.stamp ## Change statements of money, gate, ledger, matching and close; list those no test misses
	$(BIN)/mutmut run --max-children $(JOBS)
	$(BIN)/python -m tools.mutation

clean: ## Remove the environment; landed files and publications stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
