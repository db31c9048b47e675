# Everything sets itself up: `.venv` with the locked packages, then the command.
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(firstword $(foreach name,python3 python3.11 python3.12 python3.13,$(if $(shell $(name) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(name))))
INSTALLED := $(VENV)/.installed
LOCK := pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade -q --custom-compile-command "make lock"

.PHONY: help demo check test test-kafka test-chaos coverage bench bench-lock lint format lock clean install kafka kafka-jars kafka-if-possible

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(INSTALLED) ## a sample fleet through the whole pipeline, and its statement explained
	@rm -rf .cache/demo
	@$(BIN)/seatbeat demo --data-dir .cache/demo

check: $(INSTALLED) ## before a commit, in under two minutes: format, lint, types, units, golden tables, quick laws
	@$(BIN)/ruff check --fix -q . && $(BIN)/ruff format -q .
	@$(MAKE) -s lint
	@QUICK_LAWS=yes $(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not slow" tests/unit tests/golden tests/properties

test: $(INSTALLED) ## all tests but chaos: units, golden tables, laws, simulation, embedded broker and engine
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --ignore tests/chaos $(if $(COVERAGE),$(MEASURE))

MEASURE := --cov --cov-report=term:skip-covered --cov-report=json:.cache/coverage.json
coverage: ## all tests but chaos, with the branches they take; fails under the share in pyproject.toml
	@$(MAKE) -s test COVERAGE=yes

test-kafka: $(INSTALLED) kafka-if-possible ## the integration suite on Apache Kafka
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --broker apache tests/integration

test-chaos: $(INSTALLED) kafka-if-possible ## kills, zombies, lost answers: the short form; the long one: tests/chaos/README.md
	@$(BIN)/python -m pytest -q -n 2 --dist load tests/chaos

BROKERS ?= 1
kafka: $(INSTALLED) ## Apache Kafka here without Docker: fetched once, then run (BROKERS=3 runs three)
	@$(BIN)/python -m tests.support.broker.apache run --brokers $(BROKERS)

kafka-if-possible: $(INSTALLED)
	@$(BIN)/python -m tests.support.broker.apache fetch || echo "What needs Apache Kafka is skipped."

kafka-jars: $(INSTALLED) ## only fetch the jars of Apache Kafka
	@$(BIN)/python -m tests.support.broker.apache fetch

BENCH_VENV := .cache/bench-venv
REFERENCES := tests/bench/references/requirements
bench: ## speed against references; the table goes into docs/benchmarks.md
	@$(MAKE) -s -j2 $(INSTALLED) $(BENCH_VENV)/.installed
	@$(MAKE) -s kafka-jars || echo "Apache Kafka cannot be had here: on the embedded broker"
	@$(BIN)/python -m tests.bench --write-documents

bench-lock: $(INSTALLED) ## resolve what the benchmark compares with anew
	@$(BIN)/python -m pip install -q uv
	@$(BIN)/uv pip compile $(REFERENCES).in --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--upgrade -q --custom-compile-command "make bench-lock" -o $(REFERENCES).lock

$(BENCH_VENV)/.installed: $(REFERENCES).lock
	@echo "Installing what the benchmark compares with into $(BENCH_VENV) ..."
	@$(PYTHON) -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $(REFERENCES).lock
	@touch $@

lint: $(INSTALLED) ## ruff, names, mypy --strict and the import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python -m tests.lint
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(INSTALLED) ## put the code in its form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

install: $(INSTALLED) ## .venv with the locked packages

lock: $(INSTALLED) ## resolve the dependencies anew into the lock files
	@$(BIN)/python -m pip install -q uv
	@$(BIN)/uv pip compile $(LOCK) --extra embedded --extra dev -o requirements.lock
	@$(BIN)/uv pip compile $(LOCK) -o requirements-production.lock

clean: ## remove .venv, caches and the demo's store
	@rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(INSTALLED): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Seatbeat needs Python 3.11 or newer; name it with: make PYTHON=/path/to/python3"; exit 2; }
	@echo "Installing into $(VENV) (once; a few minutes at most) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
