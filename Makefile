# Each target sets up what it needs, once: stamp files in .venv say what is there.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
ARGS ?=
MINUTES ?= 10
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
RUN_DEBIAN := python3-venv
TEST_DEBIAN := mosquitto victoria-metrics chromium fonts-noto-cjk strace iproute2 nftables e2fsprogs
STATIC := gateway/static/index.html
DASHBOARD := $(shell find dashboard -type f -not -path '*/node_modules/*' 2> /dev/null)
ifneq ($(wildcard dashboard/package.json),)
WITH_DASHBOARD := $(STATIC)
WITH_TSC := dashboard/node_modules/.stamp
endif

.PHONY: help setup run test soak check bench clean lock format

help: ## these lines
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/.dev .venv/.debian .venv/.stubs tools/node_modules/.stamp $(WITH_DASHBOARD) ## everything, for run, test and check
	@echo "set up: make run, make test, make check"

run: .venv/.run $(WITH_DASHBOARD) ## a whole hall with its devices, on 127.0.0.1 (ARGS=…: see hallkeeper demo --help)
	@exec $(BIN)/hallkeeper demo $(ARGS)

test: .venv/.dev .venv/.debian $(WITH_DASHBOARD) ## all tests (ARGS=…: for pytest)
	@$(BIN)/python -m pytest -q -p no:cacheprovider $(ARGS)

soak: .venv/.dev .venv/.debian ## kill every part of a hall at random for MINUTES=10, nothing may be lost
	@MINUTES=$(MINUTES) $(BIN)/python -m pytest -q -s -p no:cacheprovider tests/faults/test_soak.py

check: .venv/.dev .venv/.stubs tools/node_modules/.stamp $(WITH_TSC) ## style, types, layers, firmware for both boards
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict gateway
	PATH="$$(tools/node-path):$$PATH" tools/node_modules/.bin/pyright -p tools/pyright-esp32.json
	PATH="$$(tools/node-path):$$PATH" tools/node_modules/.bin/pyright -p tools/pyright-rp2.json
	tools/mpy-check.sh
	$(BIN)/lint-imports
ifdef WITH_TSC
	cd dashboard && ../tools/npm run --silent typecheck
endif

format: .venv/.dev ## put the style right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.dev .venv/.debian $(WITH_DASHBOARD) ## each figure of bench/, as a table
	@for file in bench/[a-z]*.py; do echo "== $$file"; $(BIN)/python "$$file"; done

lock: ## pin the requirements anew
	@$(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/python -m pip install --quiet --require-hashes -r requirements/lock.txt
	@cd requirements && for file in *.in; do \
	  ../.venv-lock/bin/uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate --python-version 3.11 "$$file" -o "$${file%.in}.txt"; done

clean: ## remove what was made
	rm -rf .venv .venv-node .venv-lock .stubs .run .hypothesis .pytest_cache .mypy_cache .ruff_cache \
	  .import_linter_cache build *.egg-info gateway/static dashboard/node_modules tools/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- what is set up once

.venv/.run: requirements/run.txt requirements/build.txt pyproject.toml
	@PYTHON=$(PYTHON) tools/debian.sh $(RUN_DEBIAN)
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.11 …")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing Python packages"
	@$(PIP) --require-hashes -r requirements/build.txt -r requirements/run.txt
	@$(PIP) --no-build-isolation --no-deps --no-index --editable .
	@touch $@

.venv/.dev: requirements/dev.txt .venv/.run
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

.venv/.debian: tools/debian.sh .venv/.run
	@tools/debian.sh $(TEST_DEBIAN)
	@touch $@

# one folder a board: both packages bring a machine.pyi
.venv/.stubs: requirements/stubs-esp32.txt requirements/stubs-rp2.txt .venv/.run
	@rm -rf .stubs
	@for board in esp32 rp2; do \
	  $(PIP) --require-hashes --target .stubs/$$board -r requirements/stubs-$$board.txt; done
	@touch $@

.venv/.node: requirements/node.txt .venv/.run
	@tools/has-node || { echo "installing Node"; \
	  $(PYTHON) -m venv .venv-node; \
	  .venv-node/bin/python -m pip install --quiet --disable-pip-version-check \
	    --require-hashes -r requirements/node.txt; }
	@touch $@

tools/node_modules/.stamp: tools/package-lock.json .venv/.node
	@cd tools && ./npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

dashboard/node_modules/.stamp: dashboard/package-lock.json .venv/.node
	@echo "installing the dashboard's packages"
	@cd dashboard && ../tools/npm ci --silent --no-audit --no-fund
	@touch $@

$(STATIC): dashboard/node_modules/.stamp $(DASHBOARD)
	@cd dashboard && ../tools/npm run --silent build
	@test -f $@ && touch $@
