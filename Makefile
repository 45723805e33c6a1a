# make app: serve the app on http://localhost:8501.   make class: serve it to the classroom's network,
# and keep what the class sends in classes/DATE.db, or in CLASS=FILE (make app CLASS=FILE: on this machine alone).
# make serve: serve many visitors by several servers behind nginx, SERVERS=2 PORT=8501; CLASSES="5a 5b": each with its
# own class under /5a and /5b; HOST=school.example: the name that visitors use.
# make prepare: fetch all that a lesson needs, MNIST included.   make lesson: print docs/lesson's sheets as PDF.
# make test: run all tests.   make lint: check style and types.   make screenshots: remake the README's pictures.
# make journeys: the browser's tests on five screens, light and dark, with pictures of every lens in .journeys.
# make benchmark: measure how fast it is, for docs/benchmark.md.   make load: a class at once, for docs/load.md;
# make load VISITORS=300: so many visitors at once, for docs/visitors.md.
# make large: search in up to ten million vectors, and by Milvus, for docs/large.md (needs MNIST; MILVUS=ADDRESS: a server).
# make milvus: a Milvus server on this machine, for the tests and make large (Linux on x86-64).
# make latency: from pen-up to neighbors.   make fuzz: thousands of hostile inputs.
# make lock: after a change of requirements*.txt, write down all packages that these need, with their hashes.
.PHONY: app class serve prepare lesson test lint screenshots journeys benchmark large load latency fuzz milvus lock

# Streamlit needs a home folder, and a user of a container may have none.
export HOME ?= $(shell getent passwd $$(id -u) | cut -d: -f6 | grep . || echo /tmp)
PORT ?= 8501
PYTHON ?= python3 python3.13 python3.12 python3.11
VENV := .venv
BIN := $(VENV)/bin
STREAMLIT = $(BIN)/python -m streamlit run app.py --server.port $(PORT)

app:
	@$(call install,requirements.lock)
	@$(call check_port,localhost)
	@CLASS='$(CLASS)' $(STREAMLIT) --server.address localhost

class: CLASS ?= classes/$(shell date +%F).db
class:
	@$(call install,requirements.lock)
	@$(call check_port,0.0.0.0)
	@CLASS='$(CLASS)' $(STREAMLIT) --server.address 0.0.0.0

serve: SERVERS ?= 2
serve:
	@$(call install,requirements.lock)
	@exec $(BIN)/python -m deploy.serve --servers $(SERVERS) --classes $(CLASSES) --port $(PORT) $(if $(HOST),--host $(HOST))

prepare:
	@$(call install,requirements.lock)
	@$(BIN)/python -m deploy.prepare

lesson:
	@$(call install,requirements-dev.lock)
	@PYTHONPATH=.:tests $(BIN)/python tests/print_lesson.py

test:
	@$(call install,requirements-dev.lock)
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

lint:
	@$(call install,requirements-dev.lock)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

journeys:
	@$(call install,requirements-dev.lock)
	@rm -rf .journeys && mkdir .journeys
	@for screen in 360x800 820x1180 1280x720 1440x900 1920x1080; do for scheme in light dark; do \
	  $(BIN)/python -m pytest tests/test_browser*.py -n 2 --screen $$screen --scheme $$scheme --pictures .journeys || exit 1; \
	done; done

screenshots:
	@$(call install,requirements-dev.lock)
	@PYTHONPATH=. $(BIN)/python tests/screenshots.py

latency:
	@$(call install,requirements-dev.lock)
	@PYTHONPATH=. $(BIN)/python tests/latency.py

benchmark:
	@$(call install,requirements-dev.lock)
	@$(BIN)/python -m autoencoder benchmark > .benchmark.md && mv .benchmark.md docs/benchmark.md && cat docs/benchmark.md

large:
	@$(call install,requirements-dev.lock)
	@$(BIN)/python -m autoencoder benchmark --large $(if $(MILVUS),--milvus $(MILVUS)) > .large.md && mv .large.md docs/large.md && cat docs/large.md

milvus:
	@[ -x .milvus/bin/milvus-server ] || { $(call install,requirements.lock); $(BIN)/python -m venv .milvus && \
	  .milvus/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-milvus-server.txt; }
	@.milvus/bin/milvus-server --data .milvus/data

load: LOAD = $(if $(VISITORS),tests/load/visitors.py --visitors $(VISITORS),tests/load/class_at_once.py)
load: LOAD_REPORT = docs/$(if $(VISITORS),visitors,load).md
load:
	@$(call install,requirements-dev.lock)
	@PYTHONPATH=.:tests $(BIN)/python $(LOAD) > .load.md || { cat .load.md; exit 1; }
	@mv .load.md $(LOAD_REPORT) && cat $(LOAD_REPORT)

fuzz:
	@$(call install,requirements-dev.lock)
	@FUZZ_EXAMPLES=2000 $(BIN)/python -m pytest tests/test_fuzz.py

lock:
	@$(call install,requirements-dev.lock)
	@for name in requirements requirements-dev; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --custom-compile-command "make lock" $$name.txt --output-file $$name.lock || exit 1; \
	done

# Whether the port can be had on the address $(1).
define check_port
$(BIN)/python -c "import socket; socket.create_server(('$(1)', $(PORT))).close()" 2>/dev/null || { \
  echo "Port $(PORT) cannot be had, most likely because it is in use: choose another, as make $@ PORT=8502"; exit 1; }
endef

# Make .venv if there is none that works, with the first Python that is recent enough (a name may be there and not work,
# so each is tried); then install the packages of $(1), unless that was done since it was last changed.
define install
$(BIN)/python -c '' 2>/dev/null || { \
  rm -rf $(VENV); \
  for python in $(PYTHON); do \
    $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || continue; \
    echo "Making $(VENV) with $$($$python --version)"; $$python -m venv $(VENV) && break; \
  done; \
  $(BIN)/python -c '' 2>/dev/null || { \
    echo "Python 3.11, 3.12 or 3.13 with its venv module is needed, and none was found."; \
    echo "Install one, or name it: make $@ PYTHON=/path/to/python3.12"; exit 1; }; \
}; \
stamp=$(VENV)/installed-$(1); \
if ! [ $$stamp -nt $(1) ]; then \
  echo "Installing $(1): a few minutes the first time"; \
  $(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(1) && touch $$stamp || { \
    echo "The packages of $(1) could not be installed (see above): is there a network, and room on the disk?"; exit 1; }; \
fi
endef
