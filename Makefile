# make demo: install and run the main job on a small real model.  make test: pass the tests.  make verify: the slow ones.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export OMP_WAIT_POLICY ?= PASSIVE
export TOKENIZERS_PARALLELISM ?= false
.PHONY: demo test check verify lock clean

demo: $(VENV)/demo.stamp
	@$(BIN)/regold demo $(ARGS)

test: $(VENV)/dev.stamp check
	$(BIN)/python -m pytest -n 2

check: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

verify: test
	$(BIN)/python -m pytest -m slow
	$(BIN)/python benchmarks/request_rate.py

$(VENV)/demo.stamp: pyproject.toml requirements.lock
	@sh scripts/install.sh "$(PYTHON)" "$(VENV)" demo
	@touch $@

$(VENV)/dev.stamp: pyproject.toml requirements.lock
	@sh scripts/install.sh "$(PYTHON)" "$(VENV)" dev
	@touch $@ $(VENV)/demo.stamp

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache dist build
