# make run     set up and run the app
# make test    set up and run all the tests; ARGS= is passed on: make test ARGS='-m "not browser"'
# PYTHON=python3.12 and VENV=.venv-3.12 choose another Python.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run serve test lint bench

run: $(VENV)/run.done
	$(BIN)/python -m streamlit run app.py

# for a class: on every address of this machine, with no browser opened here
serve: $(VENV)/run.done
	$(BIN)/python -m streamlit run app.py --server.address 0.0.0.0 --server.headless true

test: $(VENV)/test.done
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/test.done
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/run.done
	$(BIN)/python -m benchmarks

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.done: requirements.txt | $(VENV)/bin/python
	$(PIP) -r requirements.txt
	touch $@

$(VENV)/test.done: requirements.txt requirements-libraries.txt requirements-dev.txt | $(VENV)/bin/python
	$(PIP) -r requirements-dev.txt
	touch $@ $(VENV)/run.done
