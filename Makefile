# make demo: install and run the main job on a small real model.  make test: pass the tests.  make verify: the slow ones.
# make results DATA=DIR: repeat every bench into docs/results; DIR holds the labelled files, those made on the lab need none.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export OMP_WAIT_POLICY ?= PASSIVE
export TOKENIZERS_PARALLELISM ?= false
DATA ?= shared/data
FRONT := --column llama31_8b=rate.llama --column mistral7b_v03=rate.mistral --set "correct.scores=['rate.llama','rate.mistral']" --set partition.correct=
.PHONY: demo test check verify results results-lab results-data lock clean

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
	$(BIN)/regold bench stress --seeds 1 --items 40 --into runs/stress-small --json runs/stress-small.json
	$(BIN)/python benchmarks/request_rate.py
	$(BIN)/python benchmarks/train_cost.py --records 64 --rounds 1

results: results-data results-lab

results-data: $(VENV)/dev.stamp
	$(BIN)/regold bench views --data $(DATA)/mmlu-redux/mmlu_redux.jsonl.gz --json runs/views.json --out docs/results/views
	$(BIN)/regold bench audit --data $(DATA)/alpaca/alpaca_52k.jsonl.gz --labels $(DATA)/alpaca/noise_labels_dev.jsonl.gz --json docs/results/audit/bench.json --out docs/results/audit
	$(BIN)/regold bench near-duplicates --json runs/near_duplicates.json --out docs/results/audit
	$(BIN)/regold bench ratings --ratings $(DATA)/ratings/alpaca_ratings.jsonl.gz --data $(DATA)/alpaca/alpaca_52k.jsonl.gz --pool $(DATA)/ratings/ds2_all_300932.jsonl.gz --vectors runs/ratings-vectors.npz --json runs/ratings.json --out docs/results/ratings
	$(BIN)/regold bench front --data $(DATA)/alpaca/alpaca_52k.jsonl.gz --ratings $(DATA)/ratings/alpaca_ratings.jsonl.gz $(FRONT) --pairs 10 --json docs/results/front/front.json --out docs/results/front/front.md
	$(BIN)/python benchmarks/eval_smoke.py --data $(DATA) --out docs/results/evaluate

results-lab: $(VENV)/dev.stamp
	$(BIN)/regold bench lab --out docs/results/lab
	$(BIN)/regold bench stress --json runs/stress.json --out docs/results/stress
	$(BIN)/regold bench entp --out docs/results/entp
	$(BIN)/python benchmarks/explain_examples.py --out docs/examples/explain

$(VENV)/demo.stamp: pyproject.toml requirements.lock
	@sh scripts/install.sh "$(PYTHON)" "$(VENV)" demo
	@touch $@

$(VENV)/dev.stamp: pyproject.toml requirements.lock
	@sh scripts/install.sh "$(PYTHON)" "$(VENV)" dev
	@touch $@ $(VENV)/demo.stamp

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache dist build
