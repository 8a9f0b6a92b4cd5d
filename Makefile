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
CMAKE_ARGS ?=

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
$(BUILD)/build.ninja: $(VENV)/stamp-build
	@tools/check_system.sh $(BIN)/python
	$(BIN)/cmake -G Ninja -S . -B $(BUILD) -DCMAKE_MAKE_PROGRAM=$(BIN)/ninja -DPython_EXECUTABLE=$(BIN)/python \
	  -DTORCHTRT_WERROR=ON $(CMAKE_ARGS)
	@echo "$(CURDIR)/$(BUILD)/package" > \
	  "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/torch_tensorrt.pth"
	@ln -sf ../../$(BUILD)/package/torch_tensorrt/bin/torchtrtc $(VENV)/bin/torchtrtc
	@touch $@

configure: $(BUILD)/build.ninja

build: configure
	@$(BIN)/ninja -C $(BUILD) -j$(JOBS) --quiet

# ---- What to do with it ----------------------------------------------------------------------------------------------

demo: build $(VENV)/stamp-demo
	$(BIN)/python examples/01_sentence_embeddings/main.py

bench: build $(VENV)/stamp-demo $(VENV)/stamp-bench
	$(BIN)/python benchmarks/run.py $(ARGS)

peers: build $(VENV)/stamp-demo $(VENV)/stamp-test $(VENV)/stamp-bench $(VENV)/stamp-peers
	$(BIN)/python benchmarks/peers.py $(ARGS)

test: configure $(VENV)/stamp-demo $(VENV)/stamp-test
	$(BIN)/python tools/run_checks.py test --build $(BUILD) --jobs $(JOBS)

check: configure $(addprefix $(VENV)/stamp-,demo test bench check)
	$(BIN)/python tools/run_checks.py check --build $(BUILD) --jobs $(JOBS)

# Sanitizers come with either compiler, libFuzzer with clang. The tests that are built so need no torch.
CLANG ?= $(shell command -v clang++)
SANITIZED := $(BUILD)-sanitized
COMMA := ,

check-long: configure $(VENV)/stamp-test
	$(BIN)/cmake -G Ninja -S . -B $(SANITIZED) -DCMAKE_MAKE_PROGRAM=$(BIN)/ninja -DPython_EXECUTABLE=$(BIN)/python \
	  -DTORCHTRT_SANITIZE=$(if $(CLANG),fuzzer-no-link$(COMMA))address,undefined \
	  $(if $(CLANG),-DCMAKE_CXX_COMPILER=$(CLANG))
	$(BIN)/python tools/run_checks.py long --build $(BUILD) --sanitized $(SANITIZED) --jobs $(JOBS)

# By the compiler that the sanitizer's library comes with; PyTorch and the engines are not instrumented.
SANITIZE_asan := address$(COMMA)undefined
SANITIZE_tsan := thread

check-asan check-tsan: check-%: configure $(VENV)/stamp-demo $(VENV)/stamp-test
	$(BIN)/cmake -G Ninja -S . -B $(BUILD)-$* -DCMAKE_MAKE_PROGRAM=$(BIN)/ninja -DPython_EXECUTABLE=$(BIN)/python \
	  -DCMAKE_CXX_COMPILER=g++ -DTORCHTRT_EXAMPLES=OFF -DTORCHTRT_SANITIZE=$(SANITIZE_$*)
	$(BIN)/python tools/run_checks.py $* --build $(BUILD)-$* --jobs $(JOBS)

# On a machine with an NVIDIA GPU: the suites' rows for it. A C++ program gets PyTorch's CUDA library only if asked to.
test-gpu: build $(VENV)/stamp-demo $(VENV)/stamp-test
	LD_PRELOAD="$$($(BIN)/python -c 'import torch, os; print(os.path.dirname(torch.__file__))')/lib/libtorch_cuda.so" \
	  $(BUILD)/bin/torchtrt_conformance --device cuda
	$(BUILD)/bin/torchtrt_unit_tests tensorrt
	$(BIN)/python -m pytest -q tests/gpu
	$(BIN)/python benchmarks/gpu.py

format: $(VENV)/stamp-check
	$(BIN)/python tools/run_checks.py format --build $(BUILD)

# Not part of `make check`: a file that includes torch takes about a minute.
tidy: configure $(VENV)/stamp-tidy
	@files="$$(git diff --name-only --diff-filter=d HEAD -- '*.cpp'; git ls-files -o --exclude-standard -- '*.cpp')"; \
	  if [ -z "$$files" ]; then echo "no changed C++ files"; else \
	  $(BIN)/clang-tidy -p $(BUILD) --quiet --extra-arg=-Wno-ignored-gch $$files; fi

clean:
	rm -rf $(BUILD) $(BUILD)-sanitized $(BUILD)-asan $(BUILD)-tsan
