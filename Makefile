# Two commands on a fresh machine with Python 3.11+ and git: `make demo` and `make test`. Each does its own set-up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo run test lint bench clean

demo: $(BIN)/wattson
	@$(BIN)/wattson demo

run: $(BIN)/wattson
	@$(BIN)/wattson

$(BIN)/wattson: pyproject.toml
	@scripts/setup $(PYTHON) $(VENV)
	@touch $@

$(VENV)/.dev: pyproject.toml
	@scripts/setup $(PYTHON) $(VENV) dev
	@touch $@ $(BIN)/wattson

test: $(VENV)/.dev
	@scripts/test

lint: $(VENV)/.dev
	@scripts/test lint

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
