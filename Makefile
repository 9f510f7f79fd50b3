# Everything a newcomer types. Needs CPython 3.11 or later and make, and nothing else.

# The first interpreter on the PATH that is new enough; `make PYTHON=python3.13 test` picks one.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run test lint types format bench autobahn peers load clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1\t/' | expand -t 16

run: $(VENV)/.installed ## serve examples/hello.py on http://127.0.0.1:8000
	@$(BIN)/python -m photon run examples.hello:app $(ARGS)

test: $(VENV)/.tested lint types ## lint, types, import floors, and every test
	@$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.tested ## ruff: rules and layout
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.tested ## mypy --strict
	@$(BIN)/mypy

format: $(VENV)/.tested ## put the code into the house's layout
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/.installed ## Photon against the bare floor (and the peers, after `make peers`); needs wrk
	@$(BIN)/python -m loadtests.compare $(ARGS)

autobahn: $(VENV)/.tested ## Autobahn's WebSocket cases against Photon; installs the suite below .peers
	@$(BIN)/python -m loadtests.autobahn --quick --strict $(ARGS)

peers: ## the other servers, each in its own environment below .peers
	@$(PYTHON) -m loadtests.peers

load: $(VENV)/.loadtest ## locust against a real Photon; fails past its p95 and failure gates
	@$(BIN)/python -m loadtests.load $(ARGS)

clean: ## remove what make made
	rm -rf $(VENV) .peers .mypy_cache .ruff_cache .pytest_cache .hypothesis reports

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Photon needs CPython 3.11 or later: none was found on the PATH. Try: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	@echo "installing Photon into $(VENV)"
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.tested: pyproject.toml | $(VENV)/bin/python
	@echo "installing Photon and its test tools into $(VENV)"
	@$(PIP) install --editable '.[dev,test]'
	@touch $@ $(VENV)/.installed

$(VENV)/.loadtest: pyproject.toml | $(VENV)/bin/python
	@echo "installing Photon and locust into $(VENV)"
	@$(PIP) install --editable '.[loadtest]'
	@touch $@ $(VENV)/.installed
