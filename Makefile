# contact-stream: `make help` lists what there is.
# Needs python >= 3.11 with venv, and nothing else: no root, no Docker.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
# An install is repeated only when what it depends on changed.
DEMO_STAMP := $(VENV)/.installed-demo
DEV_STAMP := $(VENV)/.installed-dev
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable
# The first Python that is new enough; `PYTHON=/path/to/python make install` picks another.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do "$$p" -c '$(NEW_ENOUGH)' 2>/dev/null && echo "$$p" && break; done)

.PHONY: help install demo stack test test-kafka check format-check lint types layers generated fmt generate bench bench-peers soak chaos lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-14s %s\n", $$1, $$2 }'

install: $(DEV_STAMP) ## Make the environment in .venv, with everything development needs

demo: $(DEMO_STAMP) ## Broker, worker and a simulated contact centre; `DURATION=30 make demo` ends by itself
	@$(BIN)/contact-stream demo $(if $(DURATION),--duration $(DURATION))

stack: install ## What docker-compose.yml runs, without Docker, until Ctrl-C (Java 17, Maven, Prometheus, Alertmanager)
	@$(BIN)/python -m scripts.stack $(if $(WORKERS),--workers $(WORKERS))

# Hundreds of processes are started: none compiles again what another one has, also where an image forbids to keep it.
unexport PYTHONDONTWRITEBYTECODE

# By file: what the tests of one share (a broker, a browser) is started once. Of many cores each would start its own.
# The long ones first, and one process more than there are cores: tests/order.py.
test: install ## Run the tests; `make test ARGS='-k abandon'` runs some, `ARGS='-n 0 --pdb'` one after the other
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

check: install format-check lint types layers generated test ## All that CI runs: format, lint, types, layers, generated files, tests

format-check: install
	@$(BIN)/ruff format --check .

lint: install
	@$(BIN)/ruff check .

types: install
	@$(BIN)/mypy

layers: install
	@$(BIN)/lint-imports --no-logo

generated: install
	@$(BIN)/python -m scripts.generate --check

fmt: install ## Format the code, and mend what the linter can mend
	@$(BIN)/ruff check --fix-only --quiet . && $(BIN)/ruff format .

generate: install ## Write the generated files anew: schemas/, docs/operations.md, docs/metrics.md
	@$(BIN)/python -m scripts.generate

bench: install $(BIN)/py-spy ## Measure every promise about speed and size; `make bench ONLY=latency` measures one
	@$(BIN)/python -m bench $(ONLY)

bench-peers: install ## Measure the same job by Kafka Streams, Bytewax, Quix Streams and stock Faust, beside ours
	@$(BIN)/python -m bench.peers

soak: install ## Half an hour of steady load, in which nothing may grow; `make soak MINUTES=2` is what CI runs
	@$(BIN)/python -m bench.soak --minutes $(or $(MINUTES),30)

lock: ## Pin the newest versions that pyproject.toml allows in constraints.txt
	@PYTHON='$(PYTHON)' scripts/lock

test-kafka: install ## Run the tests that need a broker on Apache Kafka (Java 17, Maven); ARGS as for `test`
	@$(BIN)/python -m pytest --apache-kafka -n auto --maxprocesses 4 --dist loadfile $(ARGS)

chaos: install ## Kill workers and brokers, round after round: `make chaos SEED=7 ROUNDS=10` (Java 17, Maven)
	@CHAOS_SEED=$(or $(SEED),1) CHAOS_ROUNDS=$(or $(ROUNDS),3) $(BIN)/python -m pytest --apache-kafka -s tests/e2e/test_killing.py $(ARGS)

clean: ## Remove the environment and all caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@if [ -z '$(PYTHON)' ]; then \
		echo 'contact-stream needs Python 3.11 or newer; on Debian: apt-get install python3 python3-venv' >&2; exit 1; fi
	@$(PYTHON) -m venv $(VENV) || { \
		rm -rf $(VENV); \
		echo 'This Python cannot make environments; on Debian: apt-get install python3-venv' >&2; exit 1; }

$(BIN)/py-spy: | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'py-spy>=0.4'

$(DEMO_STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing contact-stream into $(VENV) ...'
	@$(INSTALL) '.[demo]'
	@touch $@

$(DEV_STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing contact-stream and its tools into $(VENV) ...'
	@$(INSTALL) '.[database,demo,dev]'
	@touch $(DEMO_STAMP) $@
