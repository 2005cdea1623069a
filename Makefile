# The two commands: `make check` (a student's self-check) and `make test` (the kit's own tests).
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: check test lint bench selfcheck demo release clean

check: .venv/ready
	@$(BIN)/pytest exercises/ || [ $$? -eq 1 ]

test: .venv/ready-dev
	$(BIN)/pytest tests/ --numprocesses auto --dist loadfile

lint: .venv/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

selfcheck: .venv/ready-dev
	$(BIN)/backprop-ninja selfcheck --seeds 200

bench: .venv/ready-dev
	$(BIN)/python -m tests.bench

demo: .venv/ready-dev
	$(BIN)/python -m tests.support.demo

release: .venv/ready-dev
	$(BIN)/backprop-ninja release

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) --editable .
	@touch $@

.venv/ready-dev: .venv/ready
	$(PIP) --editable '.[dev,classroom]'
	@touch $@

clean:
	rm -rf .venv build dist *.egg-info
