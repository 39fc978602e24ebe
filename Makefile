# Needs Python >= 3.11 (with venv) and make; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet

# What the programs read; a value given to make (make run PORT=9000) counts like one in the environment.
export PORT DATABASE_URL REDIS_URL VAR_DIR
# Often set in containers: each start of anything would compile all sources again, for seconds.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run demo test lint types docs openapi openapi-release vendor fuzz-api bench bench-replay bench-backfill bench-scale bench-pages screenshots chaos-kill proofs loss-proof pages-proof upgrade-proof hosts-proof mutation lock bench-growth chaos image-proof fuzz audit clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.run ## install what is missing, then start everything; Ctrl-C stops it
	@exec $(BIN)/rewards run

demo: $(VENV)/.run ## make run with a month of sample business from a simulated Chargebee
	@exec $(BIN)/rewards demo

test: $(VENV)/.dev ## lint, types, import contracts and all tests
	@$(MAKE) --no-print-directory lint types
	$(BIN)/python -m pytest -n 3 --dist worksteal $(PYTEST_ARGS)

lint: $(VENV)/.dev ## style, formatting and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.dev ## static types
	$(BIN)/mypy

docs: $(VENV)/.dev ## write docs/domain.md and the table of docs/security.md; fails when a rule has no test
	$(BIN)/python -m tools.domain_table
	$(BIN)/python -m tools.security_table

openapi: $(VENV)/.dev ## write docs/openapi.json, the description of the API as it is served
	@$(BIN)/python -m tools.openapi

openapi-release: $(VENV)/.dev ## the same, and keep it to compare later changes with: at a release
	@$(BIN)/python -m tools.openapi --release

vendor: $(VENV)/.dev ## fetch the browser files of others again by their name on npm, and check them
	@$(BIN)/python -m tools.vendor

fuzz-api: $(VENV)/.dev ## schemathesis against the whole description: thousands of cases, all checks
	$(BIN)/python -m tests.openapi.fuzzing $(FUZZ_ARGS)

audit: $(VENV)/.dev ## parts of others: hashes, licences, browser files, known weaknesses
	@$(BIN)/python -m tools.audit

fuzz: $(VENV)/.dev ## 10,000 cases at every door, none answered 5xx; FUZZ_ARGS="--cases 100000 --seed 7"
	$(BIN)/python -m tests.security.fuzzing $(FUZZ_ARGS)
	$(BIN)/python -m pytest -m slow -p no:randomly tests/test_api_hostile_input.py

bench: $(VENV)/.dev ## webhook, drain, waits beside a bare route and three peers; BENCH_ARGS="--short" is quick
	@$(BIN)/python -m bench.run $(BENCH_ARGS)

bench-replay: $(VENV)/.dev ## measure the replay of 100,000 payments with refunds
	$(BIN)/python -m bench.replay

bench-backfill: $(VENV)/.dev ## measure the backfill of 100,000 invoices, without a limit and with one
	$(BIN)/python -m bench.backfill
	$(BIN)/python -m bench.backfill --limit 1000

bench-scale: $(VENV)/.dev ## measure lists, reports and files at a million rewards
	$(BIN)/python -m bench.scale

bench-growth: $(VENV)/.dev ## how all grows from half a million rewards to five; BENCH_ARGS="--sizes 20000,200000"
	$(BIN)/python -m bench.growth $(BENCH_ARGS)

bench-pages: $(VENV)/.dev ## measure the pages; BENCH_ARGS="--url postgresql://..." for a database that is there
	$(BIN)/python -m bench.pages $(BENCH_ARGS)

screenshots: $(VENV)/.dev ## take the pictures of the documentation from a demo, in Chromium
	@$(BIN)/python -m tools.screenshots

chaos: $(VENV)/.dev ## faults and kills under load; CHAOS_ARGS="--seed 7 --fault 10", or --short
	@$(BIN)/python -m chaos.run $(CHAOS_ARGS)

chaos-kill: $(VENV)/.dev ## kill the worker 20 times in mid-batch, a backfill 10 times: as without
	$(BIN)/python -m pytest -m slow -p no:randomly --ignore tests/proofs --ignore tests/simulator --ignore tests/operations \
		--ignore tests/test_api_hostile_input.py \
		$(PYTEST_ARGS)

PROOFS = tests/proofs tests/rewards tests/webhooks tests/test_story.py
proofs: $(VENV)/.dev ## the long form of the proofs of money: thousands of sequences, every order
	$(BIN)/python -m pytest -m slow -p no:randomly $(PROOFS) $(PYTEST_ARGS)

loss-proof: $(VENV)/.dev ## 200 plays with lost webhooks and an outage: the books of a play without
	$(BIN)/python -m pytest -m slow -p no:randomly -n 2 tests/simulator $(PYTEST_ARGS)

pages-proof: $(VENV)/.dev ## every page in a browser, in light and dark and on a phone, with all rules of axe
	LOOKS=all $(BIN)/python -m pytest -p no:randomly tests/browser $(PYTEST_ARGS)

upgrade-proof: $(VENV)/.dev ## roll out this code over the release before (or FROM=...) while events come in
	FROM=$(FROM) $(BIN)/python -m pytest -m slow -s -p no:randomly tests/operations/test_upgrade.py $(PYTEST_ARGS)

hosts-proof: $(VENV)/.dev ## several hosts in network namespaces (root only): cut one off, let one lose its power
	$(BIN)/python -m pytest -m slow -s -p no:randomly tests/operations/test_hosts.py $(PYTEST_ARGS)

image-proof: $(VENV)/.dev ## the steps of deploy/compose/Dockerfile, without an engine for images
	$(BIN)/python -m pytest -m slow -p no:randomly tests/operations/test_image.py $(PYTEST_ARGS)

mutation: $(VENV)/.dev ## how many small changes of the pure modules go unnoticed by their tests
	$(BIN)/mutmut run
	$(BIN)/mutmut results

# The lock names no index address: whichever one pip is set up with serves it.
COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --extra embedded --extra build
lock: $(VENV)/.dev ## pin the newest allowed versions
	$(PIP) install uv==0.13.8
	$(COMPILE) --upgrade --output-file requirements.lock
	$(COMPILE) --upgrade --extra dev --constraint requirements.lock --output-file requirements-dev.lock

clean: ## remove the environment and caches; var/ with your data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; $(PYTHON) is not. Try: make PYTHON=python3.12 ..." >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python's venv module is missing (Debian, Ubuntu: apt install python3-venv)." >&2; exit 2; }
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing requirements.lock ..."
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "Installing requirements-dev.lock ..."
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@
