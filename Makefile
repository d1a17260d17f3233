# `make run` and `make test` set up whatever they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run setup test check pytest docs lock browser bench quality tamper faults fuzz clean help

help:
	@echo "make run      start Likewatch (without Slack tokens: the local workspace in your browser)"
	@echo "make test     every check that runs in minutes: lint, types, architecture, security, docs, tests"
	@echo "make browser  end to end in headless Chromium (needs the Debian packages chromium, chromium-driver)"
	@echo "make bench    the benchmarks, printed as ratios; docs/benchmarks.md has the table"
	@echo "make faults   everything that can go wrong, done to a running bot (40 minutes; FAULTS=--quick: 6; needs strace, root)"
	@echo "make fuzz     what strangers can send us, made up by atheris for ten minutes (FUZZ='--seconds 60')"
	@echo "make quality  what the rules tell of histories whose truth is known, beside naive rules (a quarter of an hour)"
	@echo "make tamper   a thousand random changes to kept evidence, each of which must be found and located"
	@echo "make docs     write the generated docs and .env.example again"
	@echo "make lock     resolve the dependencies again and write the locks"

run: setup
	@$(BIN)/likewatch run

setup: $(VENV)/.installed

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Likewatch needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "Python's venv module is missing. On Debian and Ubuntu: apt install python3-venv"; rm -rf $(VENV); exit 1; }
	@touch $@

$(VENV)/.installed: $(VENV)/.python requirements.lock pyproject.toml
	@echo "Installing Likewatch into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.developing: $(VENV)/.installed requirements-dev.lock
	@echo "Installing the tools for testing (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

# The checks that read the code and the tests that run it share the cores; tests that wait leave room for one more worker.
test: $(VENV)/.developing
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=line check pytest

check: $(VENV)/.developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml bot handlers storage
	$(BIN)/python -m bot.docs --check
	$(BIN)/mypy

pytest: $(VENV)/.developing
	$(BIN)/pytest -m "not browser" --numprocesses $$(( $$(nproc 2>/dev/null || echo 2) + 1 )) --dist worksteal

browser: $(VENV)/.developing
	$(BIN)/pytest -m browser

bench: $(VENV)/.developing
	$(BIN)/python -m tests.labs.bench

faults: $(VENV)/.developing
	$(BIN)/python -m tests.labs.faults $(FAULTS)

fuzz: $(VENV)/.developing
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzz.lock
	$(BIN)/python -m tests.labs.fuzz $(FUZZ)

quality: $(VENV)/.developing
	$(BIN)/python -m tests.labs.quality

tamper: $(VENV)/.developing
	LIKEWATCH_CHANGES=1000 $(BIN)/pytest --timeout 1200 tests/bot/evidence/test_tampering.py

docs: $(VENV)/.developing
	$(BIN)/python -m bot.docs --write

LOCK := $(BIN)/uv pip compile --universal --generate-hashes --no-header --python-version 3.11 --no-emit-index-url --quiet --upgrade
lock: $(VENV)/.developing
	$(LOCK) --extra build -o requirements.lock pyproject.toml
	$(LOCK) --extra build --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml
	$(LOCK) --extra fuzz -c requirements-dev.lock -o requirements-fuzz.lock pyproject.toml

clean:
	rm -rf $(VENV) build *.egg-info
