# Every command of the project. Needs python3 (with venv) and make; the rest is fetched.

UV_VERSION := 0.13.9
UV := .tools/bin/uv
PYTHON := .venv/bin/python
# A stamp says which lock file the environment was made from.
TOOL := .tools/uv-$(UV_VERSION)
DEMO := .venv/.daysheet-demo
DEV := .venv/.daysheet-dev
RUN := $(PYTHON) -m config.embedded run --die-with-parent
TEST_SETTINGS := DJANGO_SETTINGS_MODULE=config.settings.test

ARGS ?=
WORKERS_OF_TESTS ?= 2
unexport VIRTUAL_ENV
.DEFAULT_GOAL := help
.PHONY: help demo test bench lint format screenshots clean

help: ## Show this list.
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name text; do \
		printf '  make %-12s %s\n' "$$name" "$$text"; done

demo: $(DEMO) ## Serve a clinic to try out (PORT=, DATABASE_URL=, REDIS_URL=).
	@exec $(RUN) --data .daysheet/postgres -- $(PYTHON) manage.py demo

test: $(DEV) ## Run the tests (ARGS='-k booking' picks some).
	@exec $(RUN) -- $(PYTHON) -m pytest -n $(WORKERS_OF_TESTS) --dist worksteal $(ARGS)

bench: $(DEV) ## Measure (ONLY=booking, BENCH_ROWS=5000000).
	@exec $(RUN) --durable -- $(PYTHON) -m tests.benchmarks

screenshots: $(DEV) ## Write each page as a picture, at phone and desk width.
	@exec $(RUN) -- $(PYTHON) -m tests.browser.screenshots

lint: $(DEV) ## Check style, types, templates, layers and migrations.
	@$(PYTHON) -m ruff check --quiet .
	@$(PYTHON) -m ruff format --quiet --check .
	@echo "Checking types …" && $(PYTHON) -m mypy .
	@.venv/bin/djlint --quiet --lint templates
	@.venv/bin/lint-imports
	@$(RUN) -- env $(TEST_SETTINGS) $(PYTHON) manage.py makemigrations --check --dry-run

format: $(DEV) ## Write the Python in the style of the project.
	@$(PYTHON) -m ruff check --quiet --fix .
	@$(PYTHON) -m ruff format --quiet .

clean: ## Remove what these commands made, the demo's data included.
	@if [ -L .daysheet/postgres ]; then rm -rf "$$(readlink .daysheet/postgres)"; fi
	@rm -rf .venv .tools .daysheet .mypy_cache .ruff_cache .pytest_cache

$(TOOL):
	@echo "Fetching uv $(UV_VERSION) …"
	@python3 -m venv .tools || { echo "python3 lacks its venv module: install it (python3-venv)."; exit 1; }
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	@rm -f .tools/uv-* && touch $@

$(DEMO): uv.lock pyproject.toml $(TOOL)
	@echo "Installing what the demo needs …"
	@$(UV) sync --quiet --frozen --compile-bytecode --no-dev --group embedded --inexact
	@touch $@

$(DEV): uv.lock pyproject.toml $(TOOL)
	@echo "Installing what the tests need …"
	@$(UV) sync --quiet --frozen --compile-bytecode --all-groups
	@touch $(DEMO) $@
