# The two commands of the README are `make demo` and `make test`. Both set up by themselves; a second call is quick.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
IMAGE ?= fmbench-load
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)

.PHONY: help demo test test-long test-containers test-fast lint format format-check types check lock image k8s-render clean \
        bench-accuracy bench-saturation bench-starts bench-stops bench-demo bench-scale bench-arrivals bench-searches bench-requests bench-master bench-simulator bench-statistics bench-report bench-prices bench-quota bench-faults fuzz fuzz-short fuzz-atheris soak sbom audit tools

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## compare two models on the simulator (about a minute), no AWS account needed
	@$(BIN)/fmbench-load demo

test: $(VENV)/.installed-dev ## every test but the long ones and the containers', on all cores; then those that measure time, alone
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not timing and not long and not containers"
	$(BIN)/python -m pytest -m "timing and not long and not containers"

test-long: $(VENV)/.installed-dev ## the tests that take minutes: runs that are killed, machines that are lost, emulators of AWS
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not timing and long and not containers"
	$(BIN)/python -m pytest -m "timing and long and not containers"

test-containers: $(VENV)/.installed-dev ## real containers: starts an engine where it can, and builds a base and three images first
	.ci/containers start
	$(BIN)/python -m pytest -m containers

test-fast: $(VENV)/.installed-dev ## the tests that take seconds
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not slow and not long and not aws_emulator and not browser and not containers"

lint: $(VENV)/.installed-dev ## ruff's rules
	$(BIN)/ruff check .

format: $(VENV)/.installed-dev ## rewrite the sources in the project's style
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

format-check: $(VENV)/.installed-dev ## is everything in the project's style?
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev ## mypy
	$(BIN)/mypy

check: lint format-check types ## lint, format and types

LOCK = .lock-venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --strip-extras --no-header \
  --no-annotate --no-emit-index-url
lock: ## resolve the newest versions that pyproject.toml allows into constraints.txt, and the images' into docker/*.lock with hashes
	rm -rf .lock-venv && $(PYTHON) -m venv .lock-venv
	.lock-venv/bin/python -m pip install --quiet --upgrade pip
	.lock-venv/bin/python -m pip install --quiet '.[dev]'
	{ echo "# Versions that the tests passed with. Written by 'make lock'."; \
	  .lock-venv/bin/python -m pip freeze --exclude fmbench-load; } > constraints.txt
	.lock-venv/bin/python -m pip install --quiet uv
	$(LOCK) --constraint constraints.txt --output-file docker/full.lock pyproject.toml
	$(LOCK) --constraint constraints.txt --output-file docker/worker.lock docker/worker-requirements.txt
	echo hatchling | $(LOCK) --constraint constraints.txt --output-file docker/build.lock -
	sed -n 's/^\(ministack==[^ ]*\).*/\1/p' docker/store.lock | $(LOCK) --output-file docker/store.lock -
	rm -rf .lock-venv

tools: # pip-audit and cyclonedx-bom, apart from what the program needs
	@[ -e $(VENV)/tools/installed ] || { $(PYTHON) -m venv $(VENV)/tools \
	  && $(VENV)/tools/bin/python -m pip install --quiet --disable-pip-version-check pip-audit cyclonedx-bom && touch $(VENV)/tools/installed; } \
	  || echo "SKIPPED: pip-audit and cyclonedx-bom cannot be installed here"

sbom: tools ## the software bill of materials of the images, in build/ (CycloneDX)
	@mkdir -p build
	@for lock in worker full; do [ ! -e $(VENV)/tools/installed ] || { $(VENV)/tools/bin/cyclonedx-py requirements docker/$$lock.lock \
	  --output-format JSON --output-file build/sbom-$$lock.json && echo build/sbom-$$lock.json; }; done

audit: tools ## known vulnerabilities of what the images hold; says so where nobody could be asked
	@[ ! -e $(VENV)/tools/installed ] || $(PYTHON) .ci/audit $(VENV)/tools/bin/pip-audit docker/full.lock

bench-accuracy: $(VENV)/.installed-dev ## what a client's stamps are worth, beside a floor in C and a plain boto3 loop
	$(BIN)/python -m benchmarks.accuracy

bench-saturation: $(VENV)/.installed-dev ## TTFT with every core busy and 1,000 streams on one process, against an endpoint in C, plain and TLS (3 minutes)
	$(BIN)/python -m benchmarks.accuracy.saturation

bench-starts: $(VENV)/.installed-dev ## what the start of a request costs, plain and TLS (2 minutes)
	$(BIN)/python -m benchmarks.accuracy.starts

bench-stops: $(VENV)/.installed-dev ## whole runs whose load processes are stopped at random: no TTFT may change by 1 ms (1 minute)
	$(BIN)/python -m benchmarks.accuracy.stops

bench-demo: $(VENV)/.installed-dev ## the demo 20 times beside two busy loops: PASS, seconds, the same answer (20 minutes)
	$(BIN)/python -m benchmarks.demo

bench-scale: $(VENV)/.installed-dev ## one load process from 64 to 4,096 streams, several, and a master by its workers (6 minutes)
	$(BIN)/python -m benchmarks.scale

bench-arrivals: $(VENV)/.installed-dev ## whether an open loop keeps its plan: lateness; 1, 3 and 8 load processes (8 minutes)
	$(BIN)/python -m benchmarks.arrivals

bench-searches: $(VENV)/.installed-dev ## 20 real searches against simulators of known limit (40 minutes)
	$(BIN)/python -m benchmarks.searches

bench-requests: $(VENV)/.installed-dev ## requests a second of one load process, beside a plain boto3 loop
	$(BIN)/python -m benchmarks.requests

bench-master: $(VENV)/.installed-dev ## the master's CPU by request rate, and with the messages of 200 load processes
	$(BIN)/python -m benchmarks.master

bench-simulator: $(VENV)/.installed-dev ## what the simulator can serve on one core
	$(BIN)/python benchmarks/simulator/ceiling.py

bench-statistics: $(VENV)/.installed-dev ## whether 95 % intervals cover 95 %, and verdicts are right
	$(BIN)/python benchmarks/statistics/coverage.py
	$(BIN)/python benchmarks/statistics/repeats.py
	$(BIN)/python benchmarks/statistics/decisions.py
	$(BIN)/python benchmarks/statistics/few.py
	$(BIN)/python benchmarks/statistics/processes.py
	$(BIN)/python benchmarks/statistics/families.py
	$(BIN)/python benchmarks/statistics/stopping.py
	$(BIN)/python benchmarks/statistics/early.py
	$(BIN)/python benchmarks/statistics/search.py
	$(BIN)/python benchmarks/statistics/routes.py

bench-report: $(VENV)/.installed-dev ## a report of 1,000,000 records: seconds and memory
	$(BIN)/python benchmarks/report/benchmark_report.py

bench-prices: $(VENV)/.installed-dev ## prices against a list of others, which is fetched (a minute)
	$(BIN)/python -m benchmarks.prices

bench-quota: $(VENV)/.installed-dev ## hidden quotas, found: on a clock of its own, then by whole runs (an hour)
	$(BIN)/python -m benchmarks.quota
	$(BIN)/python -m benchmarks.quota.through_load --minute-s 20

TIMES ?= 3
bench-faults: $(VENV)/.installed-dev ## every fault of tests/faults as whole runs, TIMES= each: the table of docs/reliability.md
	$(BIN)/python -m benchmarks.faults --times $(TIMES)

DURATION ?= 3600
soak: $(VENV)/.installed-dev ## an hour (DURATION= seconds) in which all around a run fails, by a seed (SEED=): nothing lost, no process grows
	$(BIN)/python -m benchmarks.soak --seconds $(DURATION) $(if $(SEED),--seed $(SEED))

INPUTS ?= 1000000
CONFIGURATIONS ?= 20000
DATASETS ?= 5000
fuzz: $(VENV)/.installed-dev ## malformed input for every parser: INPUTS=, CONFIGURATIONS=, DATASETS= (SEED= makes the same again)
	$(BIN)/python -m benchmarks.fuzz --inputs $(INPUTS) --configurations $(CONFIGURATIONS) --datasets $(DATASETS) $(if $(SEED),--seed $(SEED))

fuzz-short: $(VENV)/.installed-dev ## the same in about two minutes (CI)
	$(BIN)/python -m benchmarks.fuzz --inputs 50000 --configurations 500 --datasets 100 --processes 5 --seed 20261127

TARGET ?= frames
SECONDS ?= 60
fuzz-atheris: $(VENV)/.installed-dev ## one parser's input, bred by the code that it reaches (installs atheris; Python 3.11): TARGET=, SECONDS=
	$(BIN)/python -m pip install --quiet atheris
	$(BIN)/python -m benchmarks.fuzz.guided $(TARGET) --seconds $(SECONDS)

image: ## the container image, the smaller one for workers, and an S3 server for trying things out
	docker build --file docker/Dockerfile --target full --tag $(IMAGE) .
	docker build --file docker/Dockerfile --target worker --tag $(IMAGE)-worker .
	docker build --file docker/Dockerfile --target store --tag $(IMAGE)-store .

k8s-render: ## every overlay, as the cluster would get it, into build/k8s/
	@mkdir -p build/k8s
	@for overlay in k8s/overlays/*/; do \
	  name=$$(basename "$$overlay"); kubectl kustomize "$$overlay" > "build/k8s/$$name.yml" && echo "build/k8s/$$name.yml"; \
	done

clean: ## everything that can be made again (results/ stays)
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed, and '$(PYTHON)' is $$($(PYTHON) --version): make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { rm -rf $(VENV); echo "'$(PYTHON) -m venv' did not work. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PIP) install --upgrade pip

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing into $(VENV) (once; a minute or two)" >&2
	@$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing into $(VENV), with what tests and checks need (once; a minute or two)" >&2
	@$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.installed
