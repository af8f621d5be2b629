# Each target sets up what it needs, a virtual environment included, and asks of the machine only
# Python 3.11 or later (and a C compiler where that is 3.11 or 3.12: see the README).
#   make PYTHON=python3.12 VENV=elsewhere …   takes another Python, another place

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# A process for each core; whoever is done first takes from the other.
PYTEST := $(BIN)/pytest --numprocesses auto --dist worksteal
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
EXAMPLE := taobao-counterfeit docs/example.csv

.PHONY: help example check test benchmark format stubs docs clean
.NOTPARALLEL:

help:
	@echo 'make example   run a shipped ruleset on docs/example.csv'
	@echo 'make check     everything: format, lint, types, tests'
	@echo 'make test      the tests alone'
	@echo 'make benchmark strikeout and its peers side by side, for some minutes'
	@echo 'make format    put the code in form'
	@echo 'make stubs     write typings/ anew, after a module came or went'
	@echo 'make docs      write the generated pages of docs/ anew'
	@echo 'make clean     remove what was built or cached, and the virtual environment'

example: $(VENV)/.core
	$(BIN)/strikeout run $(EXAMPLE)
	$(BIN)/strikeout status $(EXAMPLE)
	$(BIN)/strikeout explain $(EXAMPLE) --subject xiaoming --fact closure

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST)

test: $(VENV)/.dev
	$(PYTEST)

# What of the peers cannot be installed here is a row that says so.
benchmark: $(VENV)/.core
	-@$(PIP) install --editable '.[bench]'
	$(BIN)/python -m benchmarks $(BENCHMARKS)

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

stubs:
	$(PYTHON) tools/stubs.py

docs: $(VENV)/.core
	$(BIN)/python tools/docs.py

clean:
	rm -rf build dist strikeout.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage $(VENV)

# The stamps say what is installed; whoever changes setup.cfg gets the environment brought up to date.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("strikeout needs Python 3.11 or later: make PYTHON=python3.13 …")'
	$(PYTHON) -m venv $(VENV) || { rm -f $@; exit 1; }

$(VENV)/.core: setup.cfg pyproject.toml | $(BIN)/python
	@echo 'Installing strikeout and what it needs into $(VENV)'
	@$(PIP) install --editable . || { $(HINT); exit 1; }
	@touch $@

$(VENV)/.dev: setup.cfg pyproject.toml | $(BIN)/python
	@echo 'Installing strikeout and the tools of its development into $(VENV)'
	@$(PIP) install --editable '.[dev]' || { $(HINT); exit 1; }
	@touch $(VENV)/.core $@

HINT := echo 'Python 3.11 and 3.12 need a C compiler and the headers of Python here, to compile durable-rules (Debian: apt-get install gcc python3-dev).' >&2
