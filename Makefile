# Münsterland regional data pipeline. `make run` and `make test` set up everything they need.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
COMMAND := $(BIN)/muensterland
export INPUT ?=
export MIRROR ?=
export REGION_HOME ?=
export AS_OF ?=
# Python keeps what it compiles, also where the machine says otherwise: every run is several processes.
export PYTHONDONTWRITEBYTECODE :=
# Telemetry of all tools stays off, whatever they would do by themselves.
export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export GX_ANALYTICS_ENABLED := false
export SCARF_ANALYTICS := false
export AIRFLOW__USAGE_DATA_COLLECTION__ENABLED := False

.PHONY: help setup run up down status test fuzz day chaos bench lint format check lock clean

help: ## say what there is to make
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

setup: $(READY) $(COMMAND) ## build .venv from the hashed lock; again only when the lock changes

$(READY): requirements.lock
	@echo "setting up $(VENV) from requirements.lock"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@$(BIN)/uv pip install --quiet --system-certs --compile-bytecode --python $(BIN)/python --require-hashes --link-mode hardlink -r requirements.lock
	@touch $@

$(COMMAND): muensterland/command.sh $(READY)
	@install -m 755 $< $@

run: $(READY) $(COMMAND) ## run the whole pipeline: INPUT=sample (default), mirror (with MIRROR=http://…) or live
	@$(BIN)/python -m muensterland run

up: $(READY) ## start Airflow on 127.0.0.1:8080 with the DAGs on their schedules (AIRFLOW_PORT, METADATA_DATABASE)
	@$(BIN)/python -m muensterland up

down: $(READY) ## stop the Airflow that `make up` started
	@$(BIN)/python -m muensterland down

status: $(READY) ## say how the Airflow of this home is, and which troubles stand
	@$(BIN)/python -m muensterland status

test: $(READY) ## run the tests; those marked `real` too where ../shared lies beside this folder
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

fuzz: $(READY) ## fetch and parse damaged files of every format: COUNT=2000 SEED=1
	@$(BIN)/python -m tests.connectors.fuzzing --count $(or $(COUNT),2000) --seed $(or $(SEED),1)

day: $(READY) ## a scheduled day in fast time under a living Airflow, about ten minutes
	@$(BIN)/python -m pytest -m living tests/living

chaos: $(READY) ## kill runs at random moments (COUNT=3), then fill their disk (needs root): the next run must be right
	@$(BIN)/python -m tests.chaos kill --count $(or $(COUNT),3)
	@$(BIN)/python -m tests.chaos full --count $(or $(COUNT),3)

bench: $(READY) ## speed and memory on a feed of national size, of counts and of the register, about 35 minutes and 20 GB: SIZE=national REPEAT=3 FEED=zip SITE_YEARS=10000 MASTR_GB=2 PARTS=counts
	$(if $(PARTS),,@$(BIN)/python -m tests.bench.mastr --gigabytes $(or $(MASTR_GB),1.45) --repeat $(or $(REPEAT),3))
	@$(BIN)/python -m tests.bench --size $(or $(SIZE),national) --repeat $(or $(REPEAT),3) $(if $(FEED),--feed $(FEED)) \
		$(if $(SITE_YEARS),--site-years $(SITE_YEARS)) $(if $(PARTS),--parts $(PARTS))

lint: $(READY) ## ruff (format and lint), mypy, sqlfluff
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar dbt_project/models dbt_project/tests dbt_project/macros

format: $(READY) ## put Python into the house's form
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

check: $(READY) ## check the source catalogue in data/sources
	@$(BIN)/python -m muensterland check

LOCKED := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet
lock: $(READY) ## renew requirements.lock from pyproject.toml, and what `make bench` compares with
	@$(BIN)/uv pip compile pyproject.toml --group dev $(LOCKED) --output-file requirements.lock
	@$(BIN)/uv pip compile tests/bench/gtfs_kit.in $(LOCKED) --output-file tests/bench/gtfs_kit.lock
	@$(BIN)/uv pip compile tests/bench/open_mastr.in $(LOCKED) --output-file tests/bench/open_mastr.lock

clean: ## remove what runs have written (data/runtime) and the environment
	rm -rf data/runtime $(VENV)
