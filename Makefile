# Every target makes what it needs; `make demo` and `make test` work on a fresh checkout.

PYTHON ?= python3
VENV := .venv
TOOLS := build/tools
LOCK := systemd/requirements.lock
BIN := $(VENV)/bin

# What `make bench` measures; any recording and configuration will do.
CLIP ?= sim://entrance?people_per_min=15&seed=5&duration_s=60
CONFIG ?= tests/acceptance/bench.yaml

# Recordings that `make compare-trackers` takes too: folders in MOTChallenge's layout.
SEQUENCES ?=
PEERS := build/peers

# How long `make soak` lasts, in seconds.
SOAK_S ?= 3600

# How many cases of each kind of input `make fuzz` tries.
FUZZ_CASES ?= 10000

# Tools of the system that tests use where they are there: a broker, a database, GStreamer.
DEBIAN_PACKAGES := mosquitto mosquitto-clients postgresql strace systemd gstreamer1.0-tools \
	gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
	gir1.2-gst-rtsp-server-1.0 python3-gi

PROMTOOL := build/prometheus/usr/bin/promtool

BOX_TESTS := tests/integration tests/broker tests/deploy tests/soak
EVENT_TESTS := tests/edge_app/events

.PHONY: demo test test-store test-events test-box test-models check bench acceptance entrance-hour compare-trackers soak fuzz idle systemd-test lock sbom audit chaos load fleet latency staff nodered int8 compare-modelopt format clean help

help: ## what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.for-demo ## watch the simulated entrance, with a broker and a client of its own
	$(BIN)/dresscode demo

# Three at once: a whole box mostly waits (for brokers, kills, time-outs), the rest computes, in two
# halves that take about as long as each other.
test: $(VENV)/.for-work | system-packages ## run all tests
	$(MAKE) --no-print-directory --jobs=3 test-box test-store test-events-and-models

.PHONY: test-events-and-models
test-events-and-models:
	$(MAKE) --no-print-directory test-events
	$(MAKE) --no-print-directory test-models

test-store: $(VENV)/.for-work | system-packages ## tests of what runs in the store, part by part, without events
	$(BIN)/pytest --ignore tests/model_build --ignore tests/calibration $(addprefix --ignore ,$(BOX_TESTS)) \
		--ignore $(EVENT_TESTS)

test-events: $(VENV)/.for-work ## tests of what is counted and alerted
	$(BIN)/pytest $(EVENT_TESTS)

test-box: $(VENV)/.for-work | system-packages ## tests of a whole box: services, brokers, kills, trouble
	$(BIN)/pytest $(BOX_TESTS)

# In processes of their own: TensorRT's builds; training; what else makes models, with torch.
test-models: $(VENV)/.for-work ## tests of what makes models
	$(BIN)/pytest tests/calibration tests/model_build/test_engine.py
	$(BIN)/pytest tests/model_build/train
	$(BIN)/pytest tests/model_build --ignore tests/model_build/test_engine.py \
		--ignore tests/model_build/train

check: $(VENV)/.for-work ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.for-work ## frames/s, milliseconds per stage, share of the networks' own limit
	$(BIN)/dresscode bench "$(CLIP)" -c "$(CONFIG)"

acceptance: $(VENV)/.for-work ## simulated entrance, ten seeds of five minutes: entries and alerts
	$(BIN)/python -m tests.acceptance.simulated_entrance

staff: $(VENV)/.for-work ## staff in uniform at the simulated entrance: how many are known
	$(BIN)/python -m tests.acceptance.staff

latency: $(VENV)/.for-work | system-packages ## alerts through a whole box and mosquitto: milliseconds
	$(BIN)/python -m tests.broker.alert_latency

entrance-hour: $(VENV)/.for-work ## the simulated entrance for an hour at 1, 5 and 15 people per minute
	for rate in 1 5 15; do \
		$(BIN)/python -m tests.acceptance.simulated_entrance --people-per-min $$rate \
			--first 501 --seeds 2 --minutes 30 || exit; \
	done

# An environment of its own: the package's OpenCV would take the place of ours.
compare-trackers: $(VENV)/.for-work $(PEERS)/.ready ## our tracker beside ByteTrack and OC-SORT, on the same detections
	$(BIN)/python -m tests.peers.sequences $(PEERS)/sequences --recorded $(SEQUENCES)
	$(PEERS)/venv/bin/python -m tests.peers.compare_trackers $(PEERS)/sequences

chaos: $(VENV)/.for-work | system-packages ## kill the broker and the box for five minutes, three seeds
	$(BIN)/python -m tests.broker.chaos --seconds 300 --seeds 1 2 3
	$(BIN)/python -m tests.broker.chaos --seconds 60 --seeds 4 --ram

load: $(VENV)/.for-work | system-packages ## one box beside plain paho; 200,000 messages without a halt
	$(BIN)/python -m tests.broker.load
	$(BIN)/python -m tests.broker.load --flood 200000

fleet: $(VENV)/.for-work | system-packages ## 500 virtual stores and one broker that goes away
	$(BIN)/python -m tests.broker.fleet

nodered: $(VENV)/.for-work | system-packages ## the Node-RED flow, run by Node-RED (fetched with npm)
	npm install --silent --no-audit --no-fund --prefix $(VENV)/node-red node-red
	NODE_RED=$(VENV)/node-red/node_modules/.bin/node-red $(BIN)/pytest tests/deploy/test_nodered.py

soak: $(VENV)/.for-work ## an hour of cameras, broker and clock that misbehave; nothing lost, nothing grows
	MALLOC_ARENA_MAX=2 $(BIN)/python -m tests.soak.soak --seconds $(SOAK_S)

idle: $(VENV)/.for-work ## what an idle camera costs, and whether the motion gate misses anybody
	$(BIN)/python -m tests.acceptance.idle_camera

systemd-test: $(VENV)/.for-work | system-packages ## the unit under a real systemd in namespaces of its own (as root)
	DRESSCODE_SYSTEMD=1 $(BIN)/pytest -s tests/integration/test_systemd.py

fuzz: $(VENV)/.for-work ## ten thousand spoilt frames, streams, commands, configurations, models each
	$(BIN)/python -m tests.fuzz --cases $(FUZZ_CASES)

lock: $(TOOLS)/.ready ## pin what the service runs with, with hashes, for every Python and processor
	sed -n '/^#/p' $(LOCK) > build/lock
	$(TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
		--no-header --no-annotate --upgrade setup.cfg >> build/lock
	mv build/lock $(LOCK)

sbom: build/service/.ready $(TOOLS)/.ready ## what the service consists of: build/sbom.json (CycloneDX)
	$(TOOLS)/bin/cyclonedx-py environment build/service/bin/python \
		--output-format JSON --output-file build/sbom.json
	@echo "build/sbom.json: $$(grep -c '"purl"' build/sbom.json) components"

audit: $(TOOLS)/.ready ## known holes in what the service runs with; fails if anything was not looked up
	$(TOOLS)/bin/pip-audit --strict --require-hashes --disable-pip -r $(LOCK)

int8: $(VENV)/.for-work ## the shipped models in INT8: what it costs and gains, written into their cards
	refused=0; for model in detector garments classifier; do \
		$(BIN)/python -m model_build int8 $$model --card edge_app/models/$$model.md || refused=1; \
	done; exit $$refused

compare-modelopt: $(VENV)/.for-work build/modelopt/.ready ## our INT8 beside that of nvidia-modelopt: placement and entropy
	$(BIN)/python -m tests.calibration.modelopt_pictures build/modelopt/pictures
	build/modelopt/bin/python -m tests.calibration.compare_modelopt --pictures build/modelopt/pictures

format: $(VENV)/.for-work ## put the code into its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove the environment and everything that was built
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# What is tested is what the service runs with. (An editable install knows no hashes.)
$(VENV)/.pins: $(LOCK) | $(BIN)/python
	sed -e '/--hash/d' -e 's/ \\$$//' $(LOCK) > $@

# Neither torch nor a GPU is needed to run it.
$(VENV)/.for-demo: setup.cfg pyproject.toml $(VENV)/.pins | $(BIN)/python
	$(BIN)/pip install --quiet -c $(VENV)/.pins -e '.[demo]'
	touch $@

# Types and tests of model_build need torch. A build of it for the CPU, where pip finds one or one
# is installed already, saves gigabytes.
$(VENV)/.for-work: setup.cfg pyproject.toml $(VENV)/.pins | $(BIN)/python
	$(BIN)/pip install --quiet -c $(VENV)/.pins -e '.[demo,test,train]'
	touch $@

# Tools for releases, apart from what is tested and shipped.
$(TOOLS)/.ready:
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet 'uv>=0.5' 'pip-audit>=2.7' 'cyclonedx-bom>=5'
	touch $@

# The service as it would be installed: every file is compared with its hash.
build/service/.ready: $(LOCK) setup.cfg
	$(PYTHON) -m venv --clear build/service
	build/service/bin/pip install --quiet --require-hashes -r $(LOCK)
	rm -rf build/lib build/bdist.*  # or files that are gone from the checkout would come along
	build/service/bin/pip install --quiet --no-deps .
	rm -rf build/lib build/bdist.*
	touch $@

# ModelOpt brings exact versions of its own, and asks for CUDA where none is needed.
build/modelopt/.ready: tests/calibration/modelopt-requirements.txt setup.cfg
	$(PYTHON) -m venv --clear build/modelopt
	build/modelopt/bin/pip install --quiet --no-deps nvidia-modelopt==0.47.0
	build/modelopt/bin/pip install --quiet -r $< -e '.[int8]'
	touch $@

$(PEERS)/.ready: Makefile
	$(PYTHON) -m venv $(PEERS)/venv
	$(PEERS)/venv/bin/pip install --quiet 'trackers ==2.6.*' 'pydantic >=2.7,<3' tzdata
	touch $@

# As root on Debian; anywhere else the tests that need one of them skip and say so.
.PHONY: system-packages
system-packages:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		! dpkg -s $(DEBIAN_PACKAGES) >/dev/null 2>&1; then \
		{ apt-get update -q && DEBIAN_FRONTEND=noninteractive \
			apt-get install -q -y --no-install-recommends $(DEBIAN_PACKAGES); } || \
		echo "make: could not install $(DEBIAN_PACKAGES); some tests will skip"; \
	fi
# Only unpacked: installed, Prometheus would begin to serve.
	@if command -v apt-get >/dev/null && [ ! -e $(PROMTOOL) ]; then \
		mkdir -p build && cd build && rm -f prometheus_*.deb && \
		{ apt-get download -q prometheus && dpkg-deb -x prometheus_*.deb prometheus; } || \
		echo "make: could not fetch promtool; its tests will skip"; \
	fi
