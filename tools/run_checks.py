"""Runs the project's checks and tests one after the other and adds up what they report.

    run_checks.py test     build, unit tests, conformance suite, Python tests
    run_checks.py check    format, lint, types and include arrows too
    run_checks.py long     the long forms of tests that attack files, parsers and caches
    run_checks.py asan     the tests of a build with address and undefined-behaviour sanitizers
    run_checks.py tsan     the same with the thread sanitizer
    run_checks.py gpu      build, and what needs an NVIDIA GPU
    run_checks.py format   formats all sources in place

The last line is 'N passed, M failed, K skipped': tests, and each other check as one. Exit 1 if
anything failed.
"""

import argparse
import functools
import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CPP_FOLDERS = ("src", "include", "python", "tests", "examples", "cmake")
PYTHON_FOLDERS = ("python", "tests", "tools", "examples", "benchmarks")

# Python tests that may run beside each other, in halves that take about as long. The others measure
# time or memory, and run alone.
HALVES_OF_PYTHON_TESTS = (
    ("tests/cli", "tests/docs", "tests/errors", "tests/fx", "tests/ops", "tests/trt"),
    ("tests/e2e", "tests/zoo"),
)

LONG_PYTHON_TESTS = (
    "tests/cli/test_file_tools.py",
    "tests/e2e/test_atomic_save.py",
    "tests/load",
)

# What of the Python tests runs with sanitizers, which see the project's own libraries alone.
SANITIZED_PYTHON_TESTS = {
    "asan": (
        "tests/sanitizers/planted.py",
        "tests/load/test_inputs.py",
        "tests/load/test_many_threads.py",
        "tests/load/test_partitions.py",
        "tests/e2e/test_containers.py",
        "tests/e2e/test_control_flow.py",
        "tests/e2e/test_python_api.py",
        "tests/e2e/test_runtime_modes.py",
        "tests/errors",
    ),
    "tsan": ("tests/sanitizers/planted.py",),
}
SANITIZED_PROGRAMS = {
    "asan": ("torchtrt_container_tests", "torchtrt_unit_tests"),
    "tsan": ("torchtrt_container_tests", "torchtrt_runtime_tests"),
}
# For the thread sanitizer what threads meet in, and nothing of the compiler.
SANITIZED_TARGETS: dict[str, tuple[str, ...]] = {
    which: (*programs, "torchtrt_engine_reference", "torchtrt_engine_openvino", "torchtrt_planted")
    for which, programs in SANITIZED_PROGRAMS.items()
}
SANITIZED_TARGETS["asan"] += ("_C", "torchtrtc", "torchtrt_engine_template")

# Words of a summary line ("3 passed, 1 skipped in 2s") and what they count as; an expected failure
# proves nothing.
COUNTED_AS = {
    "passed": "passed",
    "failed": "failed",
    "error": "failed",
    "errors": "failed",
    "xpassed": "failed",
    "skipped": "skipped",
    "xfailed": "skipped",
}


@dataclass
class Counts:
    """How many tests or checks ended which way."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


@dataclass
class Check:
    """A command; `counts` says that it prints how many tests passed, failed and were skipped.

    `missing` says why a program may be missing, which counts as one skipped; `beside` are checks
    that run at the same time.
    """

    name: str
    command: Sequence[str | Path]
    counts: bool = False
    missing: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    beside: Sequence["Check"] = ()


def read_counts(output: str) -> Counts | None:
    """The counts of the last summary line in the output of a test runner."""
    for line in reversed(output.splitlines()):
        found = re.findall(r"(\d+) (\w+)", line)
        if any(word in COUNTED_AS for _, word in found):
            counts = Counts()
            for number, word in found:
                if kind := COUNTED_AS.get(word):
                    setattr(counts, kind, getattr(counts, kind) + int(number))
            return counts
    return None


def run(check: Check, out: TextIO | None = None) -> Counts:
    """Runs one check with its output written as it comes, to the standard output or to `out`."""
    out = out or sys.stdout
    print(f"\n==== {check.name}", file=out, flush=True)
    lines = []
    if check.missing and not Path(check.command[0]).exists():
        print(f"not run: {check.missing}", file=out)
        return Counts(skipped=1)
    try:
        process = subprocess.Popen(
            [str(word) for word in check.command],
            cwd=ROOT,
            env={**os.environ, **check.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        print(f"cannot run: {error}", file=out)
        return Counts(failed=1)
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="", file=out, flush=True)
        lines.append(line)
    status = process.wait()
    if not check.counts:
        return Counts(passed=int(status == 0), failed=int(status != 0))
    counts = read_counts("".join(lines)) or Counts()
    if status != 0 and counts.failed == 0:
        print(f"{check.name} ended with status {status}", file=out)
        counts.failed = 1
    return counts


def run_with_those_beside(check: Check) -> list[tuple[Check, Counts, float]]:
    """Counts and seconds of a check and of those beside it, whose output comes at the end."""

    def timed(one: Check, out: TextIO) -> tuple[Check, Counts, float]:
        start = time.monotonic()
        counts = run(one, out)
        return one, counts, time.monotonic() - start

    kept = [io.StringIO() for _ in check.beside]
    with ThreadPoolExecutor(1 + len(kept)) as pool:
        ended = list(pool.map(timed, [check, *check.beside], [sys.stdout, *kept]))
    for out in kept:
        print(out.getvalue(), end="", flush=True)
    return ended


def program(name: str) -> str | Path:
    """A program of the environment, else the one on the PATH."""
    return BIN / name if (BIN / name).exists() else shutil.which(name) or name


def files(folders: Sequence[str], *suffixes: str) -> list[str]:
    """All files with these suffixes below the folders, relative to the root."""
    return sorted(
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.suffix in suffixes
    )


def format_checks(*, fix: bool) -> list[Check]:
    cpp: list[str | Path] = [BIN / "clang-format", *(["-i"] if fix else ["--dry-run", "-Werror"])]
    ruff: list[str | Path] = [BIN / "ruff", "format", *([] if fix else ["--check"])]
    return [
        Check("format: C++", [*cpp, *files(CPP_FOLDERS, ".h", ".cpp")]),
        Check("format: Python", [*ruff, *PYTHON_FOLDERS]),
    ]


def lint_checks() -> list[Check]:
    return [
        Check("lint: Python", [BIN / "ruff", "check", *PYTHON_FOLDERS]),
        Check("types: Python", [BIN / "mypy"]),
        Check("arrows", [sys.executable, "tools/check_arrows.py"]),
    ]


def test_checks(build: Path) -> list[Check]:
    return [
        Check("container tests", [build / "bin/torchtrt_container_tests"], counts=True),
        Check("unit tests", [build / "bin/torchtrt_unit_tests"], counts=True),
        Check("engine conformance", [build / "bin/torchtrt_conformance"], counts=True),
        Check("networks", [build / "bin/torchtrt_conformance", "--dump", build / "networks"]),
        Check(
            "TensorRT's calls in C++",
            [build / "bin/torchtrt_tensorrt_double", build / "networks"],
            counts=True,
            missing="NvInfer.h was not found; CMAKE_ARGS=-DTensorRT_ROOT=<folder> names it",
        ),
        *python_checks(os.cpu_count() or 1),
    ]


def python_checks(cores: int) -> list[Check]:
    """All Python tests: where there are two cores or more, half of them beside the other half."""

    def check(name: str, *arguments: str) -> Check:
        return Check(name, [sys.executable, "-m", "pytest", "-q", *arguments], counts=True)

    if cores < 2:
        return [check("Python tests", "tests")]
    threads = f"--torch-threads={cores // 2}"
    first, second = HALVES_OF_PYTHON_TESTS
    ops = check("Python tests: ops", threads, *first)
    ops.beside = [check("Python tests: models", threads, *second)]
    others = [f"--ignore={folder}" for folder in (*first, *second)]
    return [ops, check("Python tests: alone", *others, "tests")]


def long_checks(build: Path, sanitized: Path, jobs: int) -> list[Check]:
    """`sanitized` is a second build, with sanitizers, and by clang where there is one."""
    ninja: list[str | Path] = [BIN / "ninja", f"-j{jobs}", "--quiet", "-C"]
    tests, fuzz = "torchtrt_container_tests", "torchtrt_container_fuzz"
    targets = [tests, fuzz] if "fuzzer" in (sanitized / "CMakeCache.txt").read_text() else [tests]
    seeds, corpus = sanitized / "seeds", sanitized / "corpus"
    seeds.mkdir(exist_ok=True)
    corpus.mkdir(exist_ok=True)
    limits = ["-max_total_time=180", "-max_len=65536", "-timeout=10", "-rss_limit_mb=1024"]
    limits += ["-verbosity=0", "-print_final_stats=1"]
    return [
        Check("container tests, long", [build / "bin" / tests, "--long"], counts=True),
        Check("unit tests, long", [build / "bin/torchtrt_unit_tests", "--long", "spoiled"], True),
        Check(
            "files and load, long",
            [sys.executable, "-m", "pytest", "-q", "--long", *LONG_PYTHON_TESTS],
            counts=True,
        ),
        Check("build with sanitizers", [*ninja, sanitized, *targets]),
        Check("container tests, sanitized", [sanitized / "bin" / tests], counts=True),
        Check("seeds", [build / "bin" / tests, "--write-seeds", seeds]),
        Check(
            "fuzz",
            [sanitized / "bin" / fuzz, *limits, corpus, seeds],
            missing="" if fuzz in targets else "clang was not found; CLANG=<path> names it",
        ),
    ]


def sanitized_checks(which: str, build: Path) -> list[Check]:
    """`which` is asan or tsan, `build` a build of everything with it."""

    def library(name: str) -> str:
        command = ["g++", f"-print-file-name={name}"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    environment = {
        # Leaks are counted by tests/load; this count would be of Python's and PyTorch's globals.
        "ASAN_OPTIONS": "detect_leaks=0",
        "TSAN_OPTIONS": "ignore_noninstrumented_modules=1:halt_on_error=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        # What OpenVINO's threads ask of TBB's allocator fails otherwise.
        "TBB_ENABLE_SANITIZERS": "1",
    }
    in_python = {
        **environment,
        # Without libstdc++ beside it, AddressSanitizer aborts at the first exception.
        "LD_PRELOAD": f"{library(f'lib{which}.so')} {library('libstdc++.so.6')}",
        "PYTHONPATH": str(build / "package"),
        "TORCHTRT_SANITIZER": which,
        "TORCHTRT_BUILD": str(build),
    }
    # The thread sanitizer's shadow wants its addresses free of what the kernel places at random.
    fixed = ["setarch", "-R"] if which == "tsan" else []
    tests = SANITIZED_PYTHON_TESTS[which]

    return [
        *(
            Check(name, [*fixed, build / "bin" / name], counts=True, environment=environment)
            for name in SANITIZED_PROGRAMS[which]
        ),
        Check(
            "Python tests",
            [*fixed, sys.executable, "-m", "pytest", "-q", *tests],
            counts=True,
            environment=in_python,
        ),
    ]


@functools.cache
def has_gpu() -> bool:
    asked = "import sys, torch; sys.exit(not torch.cuda.is_available())"
    return subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


def gpu_checks(build: Path) -> list[Check]:
    torch = importlib.util.find_spec("torch")
    assert torch, f"{sys.executable} has no torch"
    assert torch.origin
    # A C++ program gets PyTorch's CUDA library only if asked to; it takes seconds to load.
    in_cpp = {"TORCHTRT_PYTHON": sys.executable}
    if has_gpu():
        in_cpp["LD_PRELOAD"] = str(Path(torch.origin).parent / "lib/libtorch_cuda.so")
    paths = [str(build / "package"), os.environ.get("PYTHONPATH", "")]
    in_python = {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    conformance: list[str | Path] = [build / "bin/torchtrt_conformance", "--device", "cuda"]
    units: list[str | Path] = [build / "bin/torchtrt_unit_tests", "tensorrt"]
    tests = [sys.executable, "-m", "pytest", "-q", "tests/gpu"]
    benchmark = [sys.executable, "benchmarks/gpu.py"]
    return [
        Check("engine conformance", conformance, counts=True, environment=in_cpp),
        Check("unit tests", units, counts=True),
        Check("Python tests", tests, counts=True, environment=in_python),
        Check("benchmark", benchmark, counts=True, environment=in_python),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=["test", "check", "long", "asan", "tsan", "gpu", "format"])
    parser.add_argument(
        "--build", type=Path, default=Path("build"), help="build folder (default: build)"
    )
    parser.add_argument("--sanitized", type=Path, default=Path("build-sanitized"))
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 2, help="parallel compilations"
    )
    arguments = parser.parse_args()
    build = ROOT / arguments.build

    checks = []
    if arguments.what == "format":
        checks = format_checks(fix=True)
    if arguments.what == "check":
        checks = [*format_checks(fix=False), *lint_checks()]
    if arguments.what != "format":
        ninja = [program("ninja"), "-C", build, f"-j{arguments.jobs}", "--quiet"]
        checks.append(Check("build", [*ninja, *SANITIZED_TARGETS.get(arguments.what, ())]))
    if arguments.what in ("test", "check"):
        checks += test_checks(build)
    if arguments.what == "long":
        checks += long_checks(build, ROOT / arguments.sanitized, arguments.jobs)

    if arguments.what == "gpu":
        checks += gpu_checks(build)
    if arguments.what in SANITIZED_PYTHON_TESTS:
        checks += sanitized_checks(arguments.what, build)

    rows, total = [], Counts()
    for check in checks:
        for one, counts, seconds in run_with_those_beside(check):
            rows.append(f"{one.name:22} {seconds:7.1f} s   {counts}")
            total = Counts(
                total.passed + counts.passed,
                total.failed + counts.failed,
                total.skipped + counts.skipped,
            )
        if check.name == "build" and counts.failed:
            print("the tests did not run: the build failed")
            break
    if arguments.what == "gpu" and not has_gpu():
        rows.append("no NVIDIA GPU is here: what needs one was not run, and is counted as skipped")
    summary = "\n".join([*rows, str(total)])
    print(f"\n{summary}")
    (build / "checks.txt").write_text(summary + "\n")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
