# Two commands matter: `make demo` and `make test`. Both need python3 (3.11+, with venv) and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: venv demo test lint types imports pure clean

venv:
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh tools/make_venv.sh

demo: venv
	@$(BIN)/plantgate demo $(ARGS)

lint: venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: venv
	$(BIN)/mypy

imports: venv
	$(BIN)/lint-imports

test: venv lint types imports
	@sh tools/get_servers.sh
	$(BIN)/pytest $(ARGS)

pure: venv
	$(BIN)/pytest -m "not real" $(ARGS)

clean:
	rm -rf $(VENV) .tools build dist
