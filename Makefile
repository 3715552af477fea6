# patchgate: everything a contributor runs. Needs Python 3.11 or newer with venv, and make.

PYTHON ?= python3
PYTEST_WORKERS ?= auto

VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif

CLIENTS_VENV := .venv-clients
CLIENTS_BIN := $(CLIENTS_VENV)/$(notdir $(BIN))

# Tests start hundreds of Pythons: what they load is compiled once, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

# A module's tests stay together and in order: they may be the steps of one story, on a server of their own.
PYTEST := $(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) --dist loadfile --no-loadscope-reorder

# An installed lock leaves a stamp; while the lock is unchanged, nothing is installed and no network is needed.
CREATED := $(VENV)/.created
RUNTIME := $(VENV)/.runtime-installed
DEVELOPMENT := $(VENV)/.development-installed
CLIENTS := $(CLIENTS_VENV)/.installed

PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
INSTALL_PATCHGATE := $(PIP_INSTALL) --no-build-isolation --editable .
COMPILE_REQUIREMENTS := $(BIN)/uv pip compile --no-config --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
COMPILE_LOCK := $(COMPILE_REQUIREMENTS) pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help demo test clients campaign campaign-full interleavings check check-code check-generated check-tests generate permissions bench bench-plan bench-schedule bench-emulator doors lock clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

demo: $(RUNTIME)  ## Set everything up and rehearse the sample fleet; no AWS account needed
	@$(BIN)/patchgate demo

test: $(DEVELOPMENT) $(CLIENTS)  ## Run the tests, but for those marked long
	$(PYTEST) -m "not long"

clients: $(CLIENTS)  ## Install the AWS CLI and sceptre, which the tests run against the embedded AWS

check: check-code check-generated campaign check-tests  ## Run every check that the CI runs

check-code: $(DEVELOPMENT)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check-generated: $(DEVELOPMENT)
	$(BIN)/patchgate synth --check
	$(BIN)/python docs/generate.py --check

check-tests: $(DEVELOPMENT) $(CLIENTS)
	$(PYTEST)
	$(BIN)/python -m pytest -q tests/unit/gate --cov=patchgate.gate --cov-branch --cov-fail-under=100 \
		--cov-report=term-missing:skip-covered

generate: $(DEVELOPMENT)  ## Write templates/ and the reference pages anew
	$(BIN)/patchgate synth -o templates
	$(BIN)/python docs/generate.py

permissions: $(DEVELOPMENT)  ## Take every permission of the templates away in turn; show which rehearsal fails
	$(BIN)/python -m tests.integration.permissions --parts

CAMPAIGN := $(BIN)/patchgate rehearse
RUNS ?= 10000
campaign: $(DEVELOPMENT)  ## Run 10,000 short rehearsals with everyday faults; RUNS=100 runs so many
	$(CAMPAIGN) --runs $(RUNS) --faults default

campaign-full: $(DEVELOPMENT)  ## Run 100,000 rehearsals with all faults, 1,000,000 with everyday ones; goes on where it was stopped; write the page of it
	$(CAMPAIGN) --runs 100000 --faults all --checkpoint campaign-all.json
	$(CAMPAIGN) --runs 1000000 --faults default --checkpoint campaign-default.json
	$(MAKE) --no-print-directory campaign-page

.PHONY: campaign-page
campaign-page: $(DEVELOPMENT)  ## Write the page of what is done of the full campaigns
	$(BIN)/python -m tests.campaign.results $(wildcard campaign-all.json campaign-default.json) \
		--page docs/reference/campaign-results.md

interleavings: $(DEVELOPMENT)  ## Search every order of the gate's API calls for a broken promise; write the page of its numbers
	$(BIN)/python -m patchgate.rehearsal.campaign.interleavings --page docs/reference/interleavings.md

.PHONY: campaign-sanity
campaign-sanity: $(DEVELOPMENT)  ## Seed bugs into gate and templates, one at a time: each must be found; write the page of it
	$(BIN)/python -m tests.campaign.sanity --jobs 2 --page docs/reference/campaign-sanity.md

bench: $(DEVELOPMENT)  ## Measure start-up, the sample rehearsal and the gate
	@set -e; for bench in bench/*.py; do $(BIN)/python "$$bench"; done

bench-schedule: $(DEVELOPMENT)  ## Measure the schedule engine beside other libraries, and the proof of order
	$(BIN)/python bench/schedule.py

bench-plan: $(DEVELOPMENT)  ## Measure the synthesis of a large fleet, a plan of 1,000 accounts, and the start of each command
	$(BIN)/python bench/plan.py

bench-emulator: $(DEVELOPMENT)  ## Measure the embedded AWS: both doors and plain moto, restored runs, a large world
	$(BIN)/python bench/emulator.py

SEEDS ?= 25
doors: $(DEVELOPMENT)  ## Compare the histories of both doors; SEEDS=100 takes so many
	PATCHGATE_DOOR_SEEDS=$(SEEDS) $(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) tests/contract/test_doors.py tests/contract/test_neighbour_doors.py tests/integration/test_doors.py

lock: $(DEVELOPMENT)  ## Make the lock files anew; UPGRADE=1 takes the newest versions
	$(COMPILE_LOCK) $(if $(UPGRADE),--upgrade) --extra emulator --group build -o requirements.lock
	$(COMPILE_LOCK) $(if $(UPGRADE),--upgrade) --extra emulator --extra faithful --group dev -c requirements.lock -o requirements-dev.lock
	$(COMPILE_REQUIREMENTS) $(if $(UPGRADE),--upgrade) --group clients -o requirements-clients.lock

clean:  ## Remove the environment, caches and build results
	rm -rf $(VENV) $(CLIENTS_VENV) build dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests docs bench -name __pycache__ -type d -prune -exec rm -rf {} +

$(CREATED):
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "patchgate needs Python 3.11 or newer; name one with: make PYTHON=python3.11")'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(RUNTIME): requirements.lock pyproject.toml | $(CREATED)
	@echo "Installing patchgate and the embedded AWS into $(VENV) ..."
	@$(PIP_INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL_PATCHGATE)
	@touch $@

# The development lock holds the same versions as the runtime lock, and more: it serves both.
$(DEVELOPMENT): requirements-dev.lock pyproject.toml | $(CREATED)
	@echo "Installing patchgate, the embedded AWS and the development tools into $(VENV) ..."
	@$(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	@$(INSTALL_PATCHGATE)
	@touch $(RUNTIME) $@

# Has no pip of its own: it is filled from the development environment.
$(CLIENTS): requirements-clients.lock | $(DEVELOPMENT)
	@echo "Installing the AWS CLI and sceptre into $(CLIENTS_VENV) ..."
	@$(BIN)/python -m venv --without-pip --clear $(CLIENTS_VENV)
	@$(BIN)/python -m pip --python $(CLIENTS_BIN)/python install --quiet --disable-pip-version-check --no-deps \
		--require-hashes -r requirements-clients.lock
	@touch $@
