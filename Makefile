# make demo : environment, a simulated cohort, the whole pipeline; prints where the release and the report are
# make test : environment and the tests
# make site : the documentation as pages in site/

PYTHON ?= python3
BIN := .venv/bin
DEMO ?= demo

.PHONY: demo test slow lint site clean

.venv/ready: pyproject.toml constraints.txt
	@echo "Creating the environment in .venv (about a minute) ..."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]"
	@touch .venv/ready

demo: .venv/ready
	@echo "Simulating a cohort of 1,500 clients and running the whole pipeline on it in ./$(DEMO) ..."
	@test -e $(DEMO)/study.toml || $(BIN)/outcomes simulate $(DEMO) --clients 1500 --therapists 60 --seed 1
	@$(BIN)/outcomes refresh $(DEMO)

test: .venv/ready
	@echo "Running the tests on all cores (the slow ones: make slow) ..."
	$(BIN)/python -m pytest -n auto --dist loadgroup -m "not slow"

slow: .venv/ready
	$(BIN)/python -m pytest -n auto --dist loadgroup -m slow

site: .venv/ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build
	@echo "The documentation is in site/: open site/index.html"

lint: .venv/ready
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/python -m pytest -q tests/architecture

clean:
	rm -rf .venv site build dist *.egg-info .pytest_cache .hypothesis
