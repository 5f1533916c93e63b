# The whole interface for contributors: `make` lists it. Everything but `lock` and `audit` works offline after `setup`.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.holdfast-stamp
# One more at a time than there are cores, since some tests wait for real seconds;
# `make test PYTEST_ARGS="-x tests/link"` runs what is named instead.
PYTEST_ARGS ?= -n $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)') --dist loadgroup

.PHONY: help setup demo test check format coverage bench soak faults picture docs audit lock clean

help:
	@echo 'make setup             make $(VENV) with exactly the pinned packages (the others do it when needed)'
	@echo 'make demo [SECONDS=N]  watch a simulated house and its battery, for N seconds if given'
	@echo 'make test              the test suite'
	@echo 'make check             lint, format, types, import contracts, spelling'
	@echo 'make format            let ruff format and fix what it can'
	@echo 'make coverage          the test suite with branch coverage; link and codecs must be complete'
	@echo 'make faults            plant known faults and show which test catches each'
	@echo 'make bench             measure against a bare asyncio loop'
	@echo 'make soak              tests that run for minutes'
	@echo 'make picture           take the picture of the demo in the README anew'
	@echo 'make docs              write the parts of the pages that are made from the code anew'
	@echo 'make audit             look the pinned packages up among known vulnerabilities (network)'
	@echo 'make lock              compile requirements/*.txt anew (network)'
	@echo 'make clean             remove $(VENV), caches and reports'

setup: $(STAMP)

$(STAMP): pyproject.toml src/holdfast/_version.py scripts/setup $(wildcard requirements/*.txt)
	@PYTHON='$(PYTHON)' VENV='$(VENV)' scripts/setup
	@touch $@

demo: $(STAMP)
	@$(BIN)/holdfast demo $(if $(SECONDS),--seconds $(SECONDS))

test: $(STAMP)
	$(BIN)/pytest $(PYTEST_ARGS)

check: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --cache-dir .cache/import-linter
	$(BIN)/codespell
	$(BIN)/python scripts/check_text.py

format: $(STAMP)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Rooms where a missed branch costs a cold house or a dead compressor are covered completely; elsewhere no fixed number.
coverage: $(STAMP)
	$(BIN)/pytest $(PYTEST_ARGS) --cov --cov-report=
	$(BIN)/coverage report
	$(BIN)/coverage report --fail-under=100 --include='src/holdfast/link/*,src/holdfast/drivers/*/codec.py'

bench: $(STAMP)
	$(BIN)/python -m bench

soak: $(STAMP)
	$(BIN)/pytest -m soak --timeout 1800

faults: $(STAMP)
	$(BIN)/python -m tests.faults

picture: $(STAMP)
	$(BIN)/python scripts/picture.py

docs: $(STAMP)
	$(BIN)/python scripts/pages.py

audit: $(STAMP)
	$(BIN)/pip-audit --require-hashes --disable-pip -r requirements/dev.txt

lock: $(STAMP)
	VENV='$(VENV)' scripts/lock

clean:
	rm -rf $(VENV) .cache .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist htmlcov site
