# Everything runs in .venv, which the first call makes: python3 (3.11 or newer) and make are enough.
#   make demo       the whole product on this machine, with a demo institution
#   make up         the same with real servers, in containers
#   make test       what every change must pass;  make test-all: the slow and the browser tests
#   make check      format, lint, types, direction of imports;  make fmt: mend what can be mended
#   make bench      figures beside their peers;  make evals: the agents' suites
#   make chaos      kill -9 of everything, over and over

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

# What a user's shell may hold for other projects must not steer this one.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV
unexport VIRTUAL_ENV

SUITABLE := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
CHROMIUM = $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

# Runs a command in silence; shows what it said if it fails.
quietly = $(1) >$(VENV)/install.log 2>&1 || { cat $(VENV)/install.log; exit 1; }

.PHONY: demo up test test-all check fmt bench evals chaos lock browser help
.DEFAULT_GOAL := help

help:
	@sed -n '2,7s/^#   //p' Makefile

$(BIN)/python:
	@for python in python3.11 python3 python3.12 python3.13 python3.14; do \
	  if command -v $$python >/dev/null 2>&1 && $$python -c '$(SUITABLE)' 2>/dev/null; then \
	    echo "→ Making $(VENV) with $$($$python --version)"; \
	    $$python -m venv $(VENV) && rm -f $(VENV)/.ready*; exit; \
	  fi; \
	done; \
	echo "Orienta needs Python 3.11 or newer with its venv module."; \
	echo "Debian, Ubuntu: apt-get install python3 python3-venv    macOS: brew install python"; \
	exit 1

$(VENV)/.ready: pyproject.toml requirements.lock | $(BIN)/python
	@echo "→ Installing Orienta into $(VENV) (a minute or two, once)"
	@$(call quietly,$(PIP) install -c requirements.lock -e .)
	@touch $@

$(VENV)/.ready-dev: pyproject.toml requirements.lock | $(BIN)/python
	@echo "→ Installing Orienta and its development tools into $(VENV) (a minute or two, once)"
	@$(call quietly,$(PIP) install -c requirements.lock -e '.[dev]')
	@touch $(VENV)/.ready $@

demo: $(VENV)/.ready
	@$(BIN)/orienta demo $(ARGS)

up:
	@command -v docker >/dev/null || { echo "make up needs Docker; make demo does not."; exit 1; }
	docker compose up --build $(ARGS)

test: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -m "not slow and not browser" $(ARGS)

test-all: $(VENV)/.ready-dev browser
	$(BIN)/python -m pytest -m "slow or browser" $(ARGS)

browser:
	@if [ -n "$(CHROMIUM)" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "→ Installing Chromium for the browser tests"; \
	  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install chromium >/dev/null; \
	else \
	  echo "The browser tests need Chromium: install the package 'chromium', then run this again."; \
	  exit 1; \
	fi

check: $(VENV)/.ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: $(VENV)/.ready-dev
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(VENV)/.ready-dev
	$(BIN)/orienta eval bench $(ARGS)

evals: $(VENV)/.ready-dev
	$(BIN)/orienta eval run all $(ARGS)

chaos: $(VENV)/.ready-dev
	$(BIN)/python -m evals.chaos $(ARGS)

lock: $(VENV)/.ready-dev
	$(BIN)/python .ci/lock.py requirements.lock
