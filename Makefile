# `make help` lists the targets. Each makes what it needs: a virtual environment, pinned packages, an incremental build.

# A second PyTorch beside the default one, with its own environment and build: make test TORCH=2.15.0
TORCH ?= 2.11.0
TORCHVISION_2.11.0 := 0.26.0
TORCHVISION_2.12.0 := 0.27.0
TORCHVISION_2.12.1 := 0.27.1
TORCHVISION_2.13.0 := 0.28.0
TORCHVISION_2.14.0 := 0.29.0
TORCHVISION ?= $(or $(TORCHVISION_$(TORCH)),0.29.2)

PYTHON ?= python3
JOBS ?= $(shell nproc)
SUFFIX := $(if $(filter-out 2.11.0,$(TORCH)),-$(TORCH))
VENV := .venv$(SUFFIX)
BUILD := build$(SUFFIX)
BIN := $(CURDIR)/$(VENV)/bin
PY := $(BIN)/python
CMAKE := $(BIN)/cmake
NINJA := $(BIN)/ninja
CMAKE_ARGS ?=
CMAKE_DEFAULTS := -DTORCHTRT_WERROR=ON

# make test-gpu SYSTEM=1: with PYTHON, CMake and Ninja as they are on this machine; nothing is installed.
ifdef SYSTEM
BUILD := build-system
PY := $(or $(shell command -v $(PYTHON) 2>/dev/null),$(PYTHON))
CMAKE := cmake
NINJA := $(or $(shell command -v ninja 2>/dev/null),ninja)
CMAKE_DEFAULTS := -DTORCHTRT_EXAMPLES=OFF
endif

# What pip installs for these requirements files.
installed = $(if $(SYSTEM),,$(addprefix $(VENV)/stamp-,$(1)))

# make test TENSORRT=none: as where NVIDIA's Python modules are not installed.
ifeq ($(TENSORRT),none)
export PYTHONPATH := $(CURDIR)/tests/without_tensorrt$(if $(PYTHONPATH),:$(PYTHONPATH))
endif

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PIP_ROOT_USER_ACTION := ignore

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-gpu check check-long check-asan check-tsan bench peers configure build format tidy clean

help:
	@echo "make demo       compile a real model, compare it with PyTorch, print the report"
	@echo "make test       build, then C++ unit tests, engine conformance suite, Python tests"
	@echo "make check      format, lint, types, include arrows, then everything of make test (what CI runs)"
	@echo "make check-long attacks on files, parsers and caches in their long form, with sanitizers and a fuzzer"
	@echo "make check-asan what Python calls, built with address and undefined-behaviour sanitizers, and its tests"
	@echo "make check-tsan core, runtime and two engines built with the thread sanitizer, and tests of what threads meet in"
	@echo "make test-gpu   engine conformance, tests and benchmark on the NVIDIA GPU that is here"
	@echo "                SYSTEM=1: with PYTHON and its packages as they are here; installs nothing"
	@echo "make bench      PyTorch, the engine's own API and this project side by side"
	@echo "make peers      every way to run a PyTorch model on this CPU, side by side; writes docs/benchmarks.md"
	@echo "make build      build incrementally and make torch_tensorrt importable in $(VENV)"
	@echo "make configure  environment and build files only"
	@echo "make format     format all sources in place"
	@echo "make tidy       clang-tidy on the C++ files that differ from the last commit"
	@echo "make clean      remove $(BUILD) and the builds with sanitizers; the environment stays"
	@echo "Variables: TORCH=$(TORCH) PYTHON=$(PYTHON) JOBS=$(JOBS) CMAKE_ARGS=$(CMAKE_ARGS)"

# ---- Environment -----------------------------------------------------------------------------------------------------

$(VENV)/bin/python:
	@tools/check_system.sh $(PYTHON)
	$(PYTHON) -m venv $(VENV)

# One stamp per requirements file: pip runs only when that file changed.
.SECONDEXPANSION:
$(VENV)/stamp-%: requirements/%.txt requirements/constraints.txt $$(wildcard requirements/$$*-nodeps.txt) \
    | $(VENV)/bin/python
	@sed 's/^torch==.*/torch==$(TORCH)/; s/^torchvision==.*/torchvision==$(TORCHVISION)/' $< > $(VENV)/$*.txt
	$(BIN)/pip install --quiet -c requirements/constraints.txt -r $(VENV)/$*.txt
	$(foreach file,$(wildcard requirements/$*-nodeps.txt),$(BIN)/pip install --quiet --no-deps -r $(file))
	@touch $@

# ---- Build -----------------------------------------------------------------------------------------------------------

# The build folder has the layout of an installed package; a .pth file puts it on the environment's path.
$(BUILD)/build.ninja: $(call installed,build)
	@tools/check_system.sh $(PY) $(if $(SYSTEM),system)
	$(CMAKE) -G Ninja -S . -B $(BUILD) -DCMAKE_MAKE_PROGRAM=$(NINJA) -DPython_EXECUTABLE=$(PY) $(CMAKE_DEFAULTS) \
	  $(CMAKE_ARGS)
ifndef SYSTEM
	@echo "$(CURDIR)/$(BUILD)/package" > \
	  "$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/torch_tensorrt.pth"
	@ln -sf ../../$(BUILD)/package/torch_tensorrt/bin/torchtrtc $(VENV)/bin/torchtrtc
endif
	@touch $@

configure: $(BUILD)/build.ninja

build: configure
	@$(NINJA) -C $(BUILD) -j$(JOBS) --quiet

# ---- What to do with it ----------------------------------------------------------------------------------------------

demo: build $(call installed,demo)
	$(PY) examples/01_sentence_embeddings/main.py

bench: build $(call installed,demo bench)
	$(PY) benchmarks/run.py $(ARGS)

peers: build $(call installed,demo test bench peers)
	$(PY) benchmarks/peers.py $(ARGS)

test: configure $(call installed,demo test)
	$(PY) tools/run_checks.py test --build $(BUILD) --jobs $(JOBS)

check: configure $(call installed,demo test bench check)
	$(PY) tools/run_checks.py check --build $(BUILD) --jobs $(JOBS)

# Sanitizers come with either compiler, libFuzzer with clang. The tests that are built so need no torch.
CLANG ?= $(shell command -v clang++)
SANITIZED := $(BUILD)-sanitized
COMMA := ,

check-long: configure $(call installed,test)
	$(CMAKE) -G Ninja -S . -B $(SANITIZED) -DCMAKE_MAKE_PROGRAM=$(NINJA) -DPython_EXECUTABLE=$(PY) \
	  -DTORCHTRT_SANITIZE=$(if $(CLANG),fuzzer-no-link$(COMMA))address,undefined \
	  $(if $(CLANG),-DCMAKE_CXX_COMPILER=$(CLANG))
	$(PY) tools/run_checks.py long --build $(BUILD) --sanitized $(SANITIZED) --jobs $(JOBS)

# By the compiler that the sanitizer's library comes with; PyTorch and the engines are not instrumented.
SANITIZE_asan := address$(COMMA)undefined
SANITIZE_tsan := thread

check-asan check-tsan: check-%: configure $(call installed,demo test)
	$(CMAKE) -G Ninja -S . -B $(BUILD)-$* -DCMAKE_MAKE_PROGRAM=$(NINJA) -DPython_EXECUTABLE=$(PY) \
	  -DCMAKE_CXX_COMPILER=g++ -DTORCHTRT_EXAMPLES=OFF -DTORCHTRT_SANITIZE=$(SANITIZE_$*)
	$(PY) tools/run_checks.py $* --build $(BUILD)-$* --jobs $(JOBS)

# On a machine with an NVIDIA GPU: the suites' rows for it, and times.
test-gpu: configure $(call installed,demo test)
	$(PY) tools/run_checks.py gpu --build $(BUILD) --jobs $(JOBS)

format: $(call installed,check)
	$(PY) tools/run_checks.py format --build $(BUILD)

# Not part of `make check`: a file that includes torch takes about a minute.
tidy: configure $(call installed,tidy)
	@files="$$(git diff --name-only --diff-filter=d HEAD -- '*.cpp'; git ls-files -o --exclude-standard -- '*.cpp')"; \
	  if [ -z "$$files" ]; then echo "no changed C++ files"; else \
	  $(BIN)/clang-tidy -p $(BUILD) --quiet --extra-arg=-Wno-ignored-gch $$files; fi

clean:
	rm -rf $(BUILD) $(BUILD)-sanitized $(BUILD)-asan $(BUILD)-tsan build-system
