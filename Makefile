# Everything a newcomer needs; `make help` lists it. Python, make and a C compiler are all that must be there.
PYTHON ?= python3
UV_VERSION := 0.13.8
UV := .tools/bin/uv
BIN := .venv/bin
EXAMPLE := examples/btcusdt-1h-sma-cross.yaml
READY := .venv/.ready
KERNELS := $(wildcard engine/src/spark_engine/simulation/*.py engine/src/spark_engine/simulation/*.pxd) \
	engine/src/spark_engine/data/scan.py engine/src/spark_engine/data/memory.py \
	engine/src/spark_engine/data/calendars/scan.py engine/src/spark_engine/statistics/cscv.py engine/src/spark_engine/statistics/passes.py \
	$(wildcard engine/src/spark_engine/strategies/*.py)
PROJECTS := pyproject.toml crds/pyproject.toml engine/pyproject.toml operator/pyproject.toml engine/setup.py

export UV_PYTHON_DOWNLOADS := never
export UV_PYTHON := $(PYTHON)
export CONTEXT IMAGE K8S

.DEFAULT_GOAL := help
.PHONY: help run up down test lint format generate calendars bench soak matrix cluster cluster-down clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(READY) ## set up, run the example on real candles, print the result and the path of its report
	@$(BIN)/backtest run -f $(EXAMPLE)

up: $(READY) ## the whole platform on a cluster of this machine (root), or CONTEXT=... IMAGE=.../spark-operator:tag
	@$(BIN)/python -m tests.platform up

down: $(READY) ## end it
	@$(BIN)/python -m tests.platform down

test: $(READY) ## every tier that this machine can run; says which it could not, and why
	@$(BIN)/pytest

lint: $(READY) ## format, lint, types, import rules, lock file and generated files
	$(UV) lock --check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m spark_crds.generate --check
	$(BIN)/python -m charts.generate --check
	$(BIN)/python -m docs.generate --check
	$(BIN)/python -m spark_engine.strategies.catalogue --check

format: $(READY) ## write what `make lint` would ask for
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

generate: $(READY) ## write the generated files: strategies.json, the CRDs, the chart
	$(BIN)/python -m spark_engine.strategies.catalogue
	$(BIN)/python -m spark_crds.generate
	$(BIN)/python -m charts.generate
	$(BIN)/python -m docs.generate

calendars: $(READY) ## write the tables of exchange sessions anew, from the package exchange-calendars
	$(BIN)/python -m spark_engine.data.calendars.generate

bench: $(READY) ## speed beside the real peers, as ratios (FULL=1: linear cost too), and whether the peers agree
	$(BIN)/python -m bench $(if $(FULL),--full)
	$(BIN)/pytest bench -q

soak: $(READY) ## a feed under faults for SOAK=60m (SEED=1), every trade and bar compared with the exchange's own ledger
	$(BIN)/python -m tests.soak --for $(or $(SOAK),60m) --seed $(or $(SEED),1)

matrix: $(READY) ## the same digests from every compiler, optimisation, processor level and Python
	$(BIN)/python -m bench.matrix

cluster: $(READY) ## a real Kubernetes that the tests use and leave running (K8S=1.33.13 for another version)
	@$(BIN)/python -m tests.cluster up

cluster-down: $(READY) ## end it
	@$(BIN)/python -m tests.cluster down

clean: ## remove what was built
	rm -rf .venv .tools engine/build crds/build operator/build
	find crds engine operator -name '*.egg-info' -prune -exec rm -rf {} +
	find engine/src \( -name '*.so' -o -name '*.c' \) -delete

$(READY): uv.lock $(PROJECTS) $(KERNELS) | $(UV)
	$(UV) sync --frozen --quiet
	@touch $@

$(UV):
	$(PYTHON) -m venv .tools
	.tools/bin/pip install --quiet uv==$(UV_VERSION)
