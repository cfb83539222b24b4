# Everything runs in the project's own .venv, which `make install` makes and keeps up to date.

.DEFAULT_GOAL := help
.PHONY: help install demo lab dashboard check test bench screenshots constraints clean

PYTHON ?= python3
DIR ?= ./flights-demo
SECTION ?=
ARGS ?=
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# A uv on the PATH counts if it runs (a version manager's shim may not); else .venv gets its own.
UV = $(shell uv --version >/dev/null 2>&1 && echo uv || echo $(BIN)/uv)
BUNDLE := workbench/labextension
EXTENSION := $(shell find extension \( -name node_modules -o -name lib -o -name generated -o -name .yarn \) -prune \
	-o -type f ! -name '*.tsbuildinfo' -print) workbench/server/openapi.json

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## make .venv with Workbench and all its extras (PYTHON=python3.12 to choose)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Workbench needs Python 3.11 or newer; this is " \
		+ sys.version.split()[0] + ": make PYTHON=... install" if sys.version_info < (3, 11) else 0)'
	@if uv --version >/dev/null 2>&1; then uv venv --quiet --seed --python "$(PYTHON)" $(VENV); \
	else $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet uv; \
	fi || { rm -rf $(VENV); exit 1; }

# The bundle is removed where any source of it is newer: the build hook itself looks at src/ only.
$(STAMP): pyproject.toml constraints.txt $(EXTENSION) | $(BIN)/python
	@if [ -n "$$(find $(EXTENSION) -newer $(BUNDLE)/package.json 2>&1)" ]; then rm -rf $(BUNDLE); fi
	$(UV) pip install --compile-bytecode --python $(BIN)/python --reinstall-package jupyter-workbench \
		-c constraints.txt -e ".[all,test]"
	@touch $@

demo: install ## make the flights demo in DIR (default ./flights-demo), or continue it
	$(BIN)/workbench demo "$(DIR)"

lab: install ## open JupyterLab on the demo in DIR
	@test -f "$(DIR)/workbench.toml" || $(MAKE) demo
	$(BIN)/workbench -C "$(DIR)" lab

dashboard: install ## serve the dashboard of the demo in DIR
	@test -f "$(DIR)/workbench.toml" || $(MAKE) demo
	$(BIN)/workbench -C "$(DIR)" dashboard

check: install ## format, lint, types and the direction of imports
	@failed=; for step in "ruff format --check ." "ruff check ." mypy "lint-imports --no-cache --no-logo"; \
	do echo "$$step"; $(BIN)/$$step || failed="$$failed [$$step]"; done; \
	if [ -n "$$failed" ]; then echo "failed:$$failed" >&2; exit 1; fi

test: check ## check, then all tests by two WORKERS; ARGS="-k store" for some of them
	$(BIN)/python -m pytest -n $(WORKERS) --durations=10 --durations-min=1 $(ARGS)

bench: install ## measure one SECTION beside its peer and rewrite it in docs/benchmarks.md
	$(BIN)/python -m tests.benchmarks $(SECTION)

screenshots: install ## take pictures of every panel, light and dark, for docs/images
	$(BIN)/python -m pytest tests/browser/screenshots.py

constraints: $(BIN)/python ## pin what pyproject.toml asks for (ARGS=--upgrade: the newest of it)
	$(UV) pip compile --quiet --python-version 3.11 --python-platform linux --extra all --extra test \
		--no-header --no-annotate --no-emit-package jupyter-workbench $(ARGS) \
		--output-file constraints.txt pyproject.toml
	@{ printf '# What the tests ran with. Refresh: make constraints [ARGS=--upgrade]\n'; \
		cat constraints.txt; } > constraints.txt.new && mv constraints.txt.new constraints.txt

clean: ## remove .venv and everything built; a demo stays
	rm -rf $(VENV) .bench .hypothesis .mypy_cache .ruff_cache build dist test-results $(BUNDLE) \
		extension/lib extension/node_modules extension/tsconfig.tsbuildinfo
