# Everything that people do with this repository, one word each: `make help`.
# Needs only make, python3 (3.11 or newer) and python3-venv.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/pip --disable-pip-version-check --quiet
SUITES := unit corpus contract integration browser e2e faults
LINEAR := worker/training/requirements-linear.txt

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

.PHONY: help
help: ## Print what can be made
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22
	@echo
	@echo "  Settings are environment variables: PORT=8080 DATA_DIR=/tmp/a make run"

.PHONY: run
run: $(VENV)/run.stamp ## Start everything on this machine; Ctrl-C stops it
	@exec $(BIN)/python -m service run

.PHONY: replay
replay: $(VENV)/run.stamp ## Post labelled comments and see the verdicts: FILE=x.csv.gz
	@test -n "$(FILE)" || { echo "Say which file: make replay FILE=comments.csv.gz" >&2; exit 2; }
	@exec $(BIN)/python -m service replay $(OPTIONS) "$(FILE)"

.PHONY: test
test: test-packages $(VENV)/test.stamp tests/node_modules/.package-lock.json tests/.wordpress/stamp lint ## Run the linters and every test, fast ones first
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(addprefix tests/,$(SUITES))

.PHONY: test-packages
test-packages:
	@.ci/packages postgresql chromium php-cli php-mysql mariadb-server-core

.PHONY: lint
lint: $(VENV)/test.stamp ## Check style, types and the Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/hadolint Dockerfile

.PHONY: lint-compose
lint-compose: tests/node_modules/.package-lock.json ## Check docker-compose.yml
	tests/node_modules/.bin/dclint --config tests/dclint.json --max-warnings 0 docker-compose.yml

.PHONY: bench
bench: $(VENV)/test.stamp ## Measure speed against the goals and print the table
	@.ci/packages wrk postgresql chromium
	@exec $(BIN)/python -m tests.bench

.PHONY: faults
faults: $(VENV)/test.stamp ## Run the fault tests at full length: 20 seeds each
	@.ci/packages postgresql
	$(BIN)/python -m pytest tests/faults --full-length

.PHONY: train
train: $(VENV)/train.stamp ## Train every model that ships: DATA=folder (may be several)
	@test -n "$(DATA)" || { echo "Say where the corpora are: make train DATA=folder" >&2; exit 2; }
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 nice $(BIN)/python -m worker.training \
	  $(addprefix --data ,$(DATA)) --pairs tests/corpus/contrast_pairs.csv

.PHONY: secrets
secrets: .env ## Write fresh secrets for docker compose into .env, once

.env:
	@umask 077; for name in SECRET_KEY POSTGRES_PASSWORD REDIS_PASSWORD; do \
	  echo "$$name=$$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"; \
	done > $@.new; mv $@.new $@
	@echo "Wrote .env; keep it as long as the data."

.PHONY: up
up: secrets ## Start the docker compose stack
	docker compose up --build --detach --wait

.PHONY: down
down: ## Stop the docker compose stack; its data stays
	docker compose down

.PHONY: clean
clean: ## Delete the virtual environment and caches, never data
	rm -rf $(VENV) .training .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/node_modules tests/.wordpress
	find service worker tests -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/venv.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Anteroom needs Python 3.11 or newer; say which one: make PYTHON=python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Making $(VENV) failed. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/run.stamp: requirements.txt $(VENV)/venv.stamp
	@echo "Installing requirements into $(VENV) ..."
	@$(PIP) install --only-binary :all: -r requirements.txt
	@touch $@

$(VENV)/test.stamp: tests/requirements.txt $(LINEAR) $(VENV)/run.stamp
	@echo "Installing test requirements into $(VENV) ..."
	@$(PIP) install --only-binary :all: -r tests/requirements.txt
	@touch $@

$(VENV)/train.stamp: worker/training/requirements.txt $(LINEAR) $(VENV)/run.stamp
	@echo "Installing training requirements into $(VENV) ..."
	@$(PIP) install --only-binary :all: -r worker/training/requirements.txt
	@touch $@

tests/.wordpress/stamp: .ci/wordpress
	@echo "Unpacking Debian's WordPress for tests ..."
	@.ci/wordpress tests/.wordpress

tests/node_modules/.package-lock.json: tests/package-lock.json
	@.ci/packages npm
	npm ci --prefix tests --no-audit --no-fund
