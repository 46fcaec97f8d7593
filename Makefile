# Two commands matter: `make demo` and `make test`. Both need python3 (3.11+, with venv) and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Most tests wait for real servers, so more of them run at once than there are cores.
WORKERS ?= 3

.PHONY: venv demo test lint types imports servers pure coverage mutants soak clean

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

servers: venv
	@sh tools/get_servers.sh
	@sh tools/get_node_servers.sh $(BIN)/python

test: lint types imports coverage servers
	@sh tools/get_systemd_python.sh .tools/systemd-python $(BIN)/python
	$(BIN)/pytest -n $(WORKERS) --dist loadfile $(ARGS)

pure: venv
	$(BIN)/pytest -n 2 --dist loadfile -m "not real" $(ARGS)

# What decides about safety is tested in every branch, by its own unit tests alone.
SAFETY_TESTS := tests/unit/gateway/safety
coverage: venv
	@mkdir -p build
	@$(BIN)/coverage run --data-file=build/coverage --branch --source=gateway.safety -m pytest -q $(SAFETY_TESTS)
	@$(BIN)/coverage report --data-file=build/coverage --show-missing --skip-covered --fail-under=100

# Changes gateway/safety in three thousand ways, one at a time, and asks its tests to notice; minutes, not seconds.
mutants: venv
	nice -n 10 $(BIN)/python tools/mutants.py $(ARGS)

SOAK_SECONDS ?= 3600
SOAK_PAUSE ?= 60
soak: servers
	PLANTGATE_SOAK_SECONDS=$(SOAK_SECONDS) PLANTGATE_SOAK_PAUSE=$(SOAK_PAUSE) PLANTGATE_SOAK=1 \
	    $(BIN)/pytest -rP tests/scenarios/test_soak.py tests/scenarios/test_write_frames.py \
	    tests/scenarios/test_commands_mutated.py tests/scenarios/test_command_flood.py $(ARGS)

NAME ?= plant
OPT := /opt/plantgate/venv
ETC := /etc/plantgate
.PHONY: install
install:
	@[ "$$(id -u)" = 0 ] || { echo "make install writes to /opt and /etc: sudo make install" >&2; exit 2; }
	@case "$$($(PYTHON) -c 'import os, sys; print(os.path.realpath(sys.executable))')" in /root/*|/home/*) \
	    echo "the service cannot see $(PYTHON) below /root or /home: give PYTHON=/usr/bin/python3" >&2; exit 2;; esac
	@$(PYTHON) -m venv $(OPT) || { echo "plantgate needs Python's venv: apt install python3-venv" >&2; exit 2; }
	@PIP_CONSTRAINT="$(CURDIR)/constraints.txt" $(OPT)/bin/pip install --quiet --disable-pip-version-check --upgrade \
	    --force-reinstall --no-deps . && \
	 PIP_CONSTRAINT="$(CURDIR)/constraints.txt" $(OPT)/bin/pip install --quiet --disable-pip-version-check '.[embedded]'
	@sh tools/get_systemd_python.sh \
	    "$$($(OPT)/bin/python -c 'import sysconfig; print(sysconfig.get_path("platlib"))')" $(OPT)/bin/python
	@install -d -m 755 $(ETC) && install -d -m 700 $(ETC)/credentials
	@install -m 644 systemd/plantgate@.service /etc/systemd/system/
	@[ -e $(ETC)/$(NAME).yaml ] || { sed 's/id: minimal/id: $(NAME)/' config/minimal.yaml > $(ETC)/$(NAME).yaml; \
	    chmod 644 $(ETC)/$(NAME).yaml; }
	@[ ! -d /run/systemd/system ] || systemctl daemon-reload
	@echo "next: edit $(ETC)/$(NAME).yaml, then systemctl enable --now plantgate@$(NAME)"

clean:
	rm -rf $(VENV) .tools build dist
