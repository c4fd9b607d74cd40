# Everything a developer runs. `make` alone lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCH_STAMP := $(VENV)/.bench-installed
UV := $(shell command -v uv 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help setup up test fuzz chaos check fmt texts pictures schema reference bench bench-long lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv with all packages and the caseroll command

up: setup ## Run Caseroll on this machine, with demo data
	$(BIN)/caseroll up --demo

test: setup ## Run every test, one process a core (ARGS="-n 4 tests/api")
	$(BIN)/pytest -n auto --dist worksteal $(ARGS)

fuzz: setup ## Try the reader with a million random files (ARGS="--minutes 10 --seed 7")
	$(BIN)/python -m tests.fuzz $(ARGS)

check: setup ## Check format, lint, types, layers and known vulnerabilities
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(BIN)/python scripts/audit.py

fmt: setup ## Format the code, and fix what the linter can fix
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

texts: setup ## Bring the catalogues up to date with the texts of the code
	$(BIN)/python -m scripts.texts

pictures: setup ## Take the pictures of the documentation (needs Chromium)
	$(BIN)/pytest -q tests/browser/test_pictures.py --pictures

schema: setup ## Write docs/schema.graphql
	$(BIN)/python -m api.schema > docs/schema.graphql

reference: setup ## Write docs/sdk-reference.md, and the codes of files and rows in docs/api.md
	$(BIN)/python -m scripts.sdk_reference > docs/sdk-reference.md
	$(BIN)/python -m scripts.error_codes

bench: $(BENCH_STAMP) ## Measure the speed of everything, in minutes; ARGS=--help
	$(BIN)/python -m bench $(ARGS)

bench-long: $(BENCH_STAMP) ## Measure with a million rows and more, for claims
	$(BIN)/python -m bench --long $(ARGS)

chaos: setup ## Cause every fault in turn and compare rows; ARGS="--minutes 60", ARGS=--help
	$(BIN)/python -m tests.chaos $(ARGS)

lock: setup ## Remake both locks from pyproject.toml (needs uv)
	PATH="$(BIN):$$PATH" uv pip compile --quiet --universal --generate-hashes \
		--no-header --no-annotate --all-extras --group dev pyproject.toml --output-file requirements.lock
	PATH="$(BIN):$$PATH" uv pip compile --quiet --universal --generate-hashes \
		--no-header --no-annotate --group bench --constraints requirements.lock \
		--output-file bench/requirements.lock

clean: ## Remove .venv and every cache; data in .caseroll stays
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The build backend is in the lock as well, so that nothing unpinned runs during an install.
$(STAMP): pyproject.toml requirements.lock
ifdef UV
	$(UV) venv --quiet --allow-existing $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
else
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Caseroll needs Python 3.11 or later; say which: make setup PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
endif
	@touch $@

$(BENCH_STAMP): $(STAMP) bench/requirements.lock
ifdef UV
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r bench/requirements.lock
else
	$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes \
		-r bench/requirements.lock
endif
	@touch $@
