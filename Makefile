# make run and make test are all that a newcomer needs; each makes what it depends on.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA := data/house_prices.parquet

.PHONY: help run test unit lint format data bench soak quality lock clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## ?/  make \1\t/' | expand -t 16

run: $(DATA)  ## the whole pipeline on local SageMaker, from the data to a model that waits for approval
	$(BIN)/python run_pipeline.py --local run --data $(DATA)

test: $(DATA)  ## the whole test suite; T=PATH runs one file or folder of it
	$(BIN)/python -m pytest $(T)

unit: $(BIN)/installed  ## only the tests that take seconds
	$(BIN)/python -m pytest -m "not e2e"

lint: $(BIN)/installed  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(BIN)/installed  ## write the style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

data: $(DATA)  ## fetch the sample data

# AGAINST=COMMIT times this checkout and that commit in turn instead, and ends with 1 if anything is slower.
ifdef AGAINST
bench: $(DATA)
	$(BIN)/python tests/benchmarks/against.py $(AGAINST)
else
bench: $(DATA) .venv-bench/installed  ## speed, as ratios measured in one run; AGAINST=COMMIT compares with a commit
	$(BIN)/python tests/benchmarks/run.py
endif

soak: $(BIN)/installed  ## what takes long: 200 seeded kills, damage, power cuts, load
	SOAK=1 $(BIN)/python -m pytest tests/local_sagemaker/faults tests/local_sagemaker/test_many_clients.py -o addopts="--import-mode=importlib --strict-markers -v"

quality: $(DATA)  ## how good the model is, over several seeds, and what each group of features is worth
	$(BIN)/python tests/benchmarks/quality.py bars candidates ablation curve

lock: $(BIN)/installed  ## renew requirements.lock from setup.cfg (needs uv)
	uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --extra dev --no-header --no-annotate setup.cfg -o requirements.lock

clean:  ## stop local SageMaker and delete its state, the environment and the data
	-[ ! -x $(BIN)/python ] || $(BIN)/python run_pipeline.py local down
	rm -rf $(VENV) .venv-bench .sagemaker data reports

$(DATA): $(BIN)/installed pipelines/sample_data.py pipelines/house_prices.yaml
	$(BIN)/python -m pipelines.sample_data
	@touch $(DATA)

# What the benchmarks compare with, apart from the environment of everything else.
.venv-bench/installed: tests/benchmarks/requirements.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r tests/benchmarks/requirements.txt
	@touch $@

# Every version and file is pinned: pip has nothing to resolve, and takes no file of another content.
$(BIN)/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed: make PYTHON=python3.11 ...")'
	@echo "installing the locked packages into $(VENV), about a minute ..."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@touch $@
