# make app: serve the app on http://localhost:8501.   make test: run all tests.   make lint: check the style.
# make screenshots: remake the README's pictures.
.PHONY: app test lint screenshots
.DELETE_ON_ERROR:

PORT ?= 8501
PYTHON ?= python3 python3.13 python3.12 python3.11
VENV := .venv
BIN := $(VENV)/bin

app: $(VENV)/.app
	@$(BIN)/python -c 'import socket, sys; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("localhost", int(sys.argv[1])))' $(PORT) 2>/dev/null \
	  || { echo "Port $(PORT) is in use: stop what serves there, or choose another: make app PORT=8502"; exit 1; }
	@$(BIN)/python -m streamlit run app.py --server.port $(PORT)

test: $(VENV)/.dev
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

screenshots: $(VENV)/.dev
	@$(BIN)/python tests/screenshots.py

$(VENV)/.app: requirements.txt | $(BIN)/python
	@$(call install,requirements.txt)

$(VENV)/.dev: requirements-dev.txt requirements.txt | $(BIN)/python
	@$(call install,requirements-dev.txt)

# The first Python that is recent enough; a name may be there and not work (pyenv), so each is tried.
$(BIN)/python:
	@for python in $(PYTHON); do \
	  if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
	    echo "Making $(VENV) with $$($$python --version)"; exec $$python -m venv --clear $(VENV); \
	  fi; \
	done; \
	echo "Python 3.11, 3.12 or 3.13 is needed, and none was found ($$(python3 --version 2>&1))."; \
	echo "Install one, or name it: make PYTHON=/path/to/python3.12 ..."; exit 1

define install
echo "Installing $(1): a few minutes the first time"; \
$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(1) && touch $@ \
|| { echo "The packages of $(1) could not be installed (see above): is there a network, and room on the disk?"; exit 1; }
endef
