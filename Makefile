# Two commands on a fresh machine with Python 3.11+ and git: `make demo` and `make test`. Each does its own set-up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo run test lint bench peers clean

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

# Real servers of other people as peers of our wires: 280 MB in .peers, which git does not see; 740 MB more with LITELLM=1.
peers: $(VENV)/.dev
	@LITELLM=$(LITELLM) scripts/peers $(PYTHON)
	@PYTHONPATH=$$(echo .peers/venv/lib/python*/site-packages) $(BIN)/python -m pytest -n 0 -rs tests/models/test_real_peers.py tests/models/test_wire_peers.py tests/models/test_vendor_schemas.py

clean:
	rm -rf $(VENV) .peers dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
