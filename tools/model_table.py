"""Compiles all models of tests/zoo through the Dynamo frontend and writes docs/models.md.

model_table.py               runs the checks that the results lack, and writes the page
model_table.py --again       runs all checks again
model_table.py bert gpt2     runs these models' checks again
model_table.py --page        writes the page from the results alone

Every model runs in a process of its own, so a crash or a hang is one row. Results live in
build/model_table.json; --checks takes some checks only, --limit seconds a model.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "build" / "model_table.json"
PAGE = ROOT / "docs" / "models.md"
SAVED = ("exported_program", "torchscript", "aot_inductor")
CHECKS = ("static", "dynamic", "torch_compile", "compile_time", *SAVED)
TOLERANCE = 1e-4

Row = dict[str, Any]

sys.path.insert(0, str(ROOT / "tests"))


# One model, in a process of its own.


class Session:
    """One model with what its checks share; a method a check, named like it."""

    def __init__(self, name: str, folder: Path) -> None:
        from zoo.models import MODELS

        self.folder, self.model = folder, MODELS[name]
        self.module = self.model.module()
        self.fast: Any = None  # for all shapes

    def static(self) -> Row:
        """Compiled for one shape."""
        inputs = self.model.tensors("usual")
        fast, row = self._compiled(inputs)
        return {**row, "error": self._error(fast, "usual")}

    def dynamic(self) -> Row:
        """Compiled once for all batches."""
        self.fast, row = self._compiled(self.model.ranges())
        return {**row, "error": max(self._errors(self.fast))}

    def torch_compile(self) -> Row:
        """Every graph that Dynamo captures is in the backend's reports, or stayed in PyTorch."""
        import torch
        from torch._dynamo.utils import counters
        from torch_tensorrt.dynamo._backend import compiled_graphs

        fast = torch.compile(self.module, backend="tensorrt")
        start = time.perf_counter()
        error = self._error(fast, "usual")
        seconds = time.perf_counter() - start
        error = max(error, *self._errors(fast))
        reports = compiled_graphs()
        graphs = counters["stats"]["unique_graphs"]
        stayed = sum((stays(report) for report in reports), Counter())
        if graphs > len(reports):
            stayed["graphs: no report"] = graphs - len(reports)
        return {
            "compile_s": seconds,
            "error": error,
            "graphs": graphs,
            "in_engine": sum(report.data["engine_ops"] for report in reports),
            "in_pytorch": dict(stayed),
        }

    def exported_program(self) -> Row:
        """As a file of torch.export."""
        return self._saved("exported_program", "pt2")

    def torchscript(self) -> Row:
        """As a file of TorchScript."""
        return self._saved("torchscript", "ts")

    def aot_inductor(self) -> Row:
        """As a package of compiled code."""
        return self._saved("aot_inductor", "pt2")

    def compile_time(self) -> Row:
        """Compiling what was captured, here and from TorchScript, in turns; medians of three."""
        import torch
        import torch_tensorrt

        inputs = self.model.tensors("usual")
        program = torch_tensorrt.dynamo.trace(self.module, inputs=inputs)
        script = torch.jit.trace(self.module, tuple(inputs), check_trace=False, strict=False)
        options = {"inputs": inputs, "cache_built_engines": False, "min_block_size": 5}
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(3):
            start = time.perf_counter()
            torch_tensorrt.dynamo.compile(program, **options)
            middle = time.perf_counter()
            torch_tensorrt.ts.compile(script, **options)
            times[0].append(middle - start)
            times[1].append(time.perf_counter() - middle)
        dynamo, torchscript = map(statistics.median, times)
        return {"error": 0.0, "dynamo_s": dynamo, "torchscript_s": torchscript}

    def _compiled(self, inputs: Any) -> tuple[Any, Row]:
        import torch_tensorrt

        start = time.perf_counter()
        program = torch_tensorrt.dynamo.trace(self.module, inputs=inputs)
        captured = time.perf_counter()
        fast = torch_tensorrt.dynamo.compile(program, inputs=inputs, cache_built_engines=False)
        done = time.perf_counter()
        report = torch_tensorrt.report(fast)
        return fast, {
            "capture_s": captured - start,
            "compile_s": done - captured,
            "engines": len(report.engines),
            "in_engine": report.data["engine_ops"],
            "in_pytorch": dict(stays(report)),
        }

    def _error(self, fast: Any, point: str) -> float:
        inputs = self.model.tensors(point)
        return relative_error(fast(*inputs), self.module(*inputs))

    def _errors(self, fast: Any) -> Iterator[float]:
        from zoo.models import POINTS

        return (self._error(fast, point) for point in POINTS)

    def _saved(self, kind: str, suffix: str) -> Row:
        """Saved beside what it computes; `load_all` compares that in another process."""
        import torch
        import torch_tensorrt

        if self.fast is None:
            self.fast, _ = self._compiled(self.model.ranges())
        inputs = self.model.tensors("between")
        result = self.fast(*inputs)
        torch.save((list(inputs), leaves(result)), self.folder / "expected.pt")
        (self.folder / "modules").write_text(type(result).__module__)
        start = time.perf_counter()
        torch_tensorrt.save(self.fast, self.folder / f"{kind}.{suffix}", output_format=kind)
        return {"save_s": time.perf_counter() - start}


def load_all(folder: Path, path: Path) -> None:
    """Runs the saved files of a model with no more of this project than its runtime."""
    import torch
    import torch_tensorrt.runtime  # noqa: F401  (registers the engine class)
    from torch._inductor import aoti_load_package

    torch.set_grad_enabled(False)
    # PyTorch knows a library's own output classes once that is imported.
    importlib.import_module((folder / "modules").read_text())
    inputs, expected = torch.load(folder / "expected.pt", weights_only=False)
    load: dict[str, Callable[[str], Any]] = {
        "exported_program": lambda file: torch.export.load(file).module(),
        "torchscript": torch.jit.load,
        "aot_inductor": aoti_load_package,
    }
    with path.open("a") as out:
        for file in sorted(folder.glob("*.*")):
            if file.stem not in load:
                continue
            try:
                start = time.perf_counter()
                module = load[file.stem](str(file))
                seconds = time.perf_counter() - start
                error = relative_error(leaves(module(*inputs)), expected)
                row: Row = {"load_s": seconds, "error": error}
            except Exception as failure:
                row = {"message": f"{type(failure).__name__}: {failure}"}
            out.write(json.dumps({"check": file.stem, **row}) + "\n")
            out.flush()


def run_cpp(folder: Path) -> Row:
    """The TorchScript file in a C++ program that has no Python and no compiler."""
    program = ROOT / "build" / "bin" / "03_cpp_deploy"
    done = subprocess.run(
        [program, folder / "torchscript.ts", folder / "expected.pt"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    found = re.search(r"relative error (\S+):", done.stdout)
    if not found:
        return {"message": (done.stdout + done.stderr)[-400:]}
    return {"error": float(found[1])}


def leaves(value: Any) -> list[Any]:
    """The tensors of a result in order: files keep the order, not every container class."""
    from torch.utils import _pytree as pytree

    return [leaf for leaf in pytree.tree_leaves(value) if leaf is not None]


def stays(report: Any) -> Counter[str]:
    """Ops that stayed in PyTorch, each with its reason."""
    return Counter(f"{node['op']}: {node.get('reason', '?')}" for node in report.in_pytorch)


def relative_error(got: Any, expected: Any) -> float:
    """The largest difference, against the largest magnitude of the same tensor."""
    import torch
    from torch.utils import _pytree as pytree

    ours, structure = pytree.tree_flatten(got)
    theirs, wanted = pytree.tree_flatten(expected)
    if structure != wanted:
        raise AssertionError(f"the result is {structure}, expected {wanted}")
    errors = [0.0]
    for a, b in zip(ours, theirs, strict=True):
        if not isinstance(b, torch.Tensor):
            continue
        if (a.dtype, a.shape) != (b.dtype, b.shape):
            raise AssertionError(
                f"a result is {a.dtype} {tuple(a.shape)}, expected {b.dtype} {tuple(b.shape)}"
            )
        if not b.isfinite().all():
            raise AssertionError("the model itself gives values that are not finite")
        error = ((a - b).abs().max() / (b.abs().max() or 1)).item()
        errors.append(error if error == error else float("inf"))
    return max(errors)


def run_checks(name: str, checks: list[str], folder: Path, path: Path) -> None:
    """Appends a line of JSON to `path` after each check; files to be loaded go into `folder`."""
    warnings.filterwarnings("ignore")
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch

    torch.set_grad_enabled(False)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    session = Session(name, folder)
    with path.open("a") as out:
        for check in checks:
            try:
                row = getattr(session, check)()
            except Exception as error:  # what a check raises is its result
                row = {"message": f"{type(error).__name__}: {error}"}
            out.write(json.dumps({"check": check, **row}) + "\n")
            out.flush()


# All models.


def run_model(name: str, checks: list[str], limit: float) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "files"
        folder.mkdir()
        rows = run_process(["--one", name, "--checks", *checks], folder, checks, limit)
        saved = [c for c in checks if c in SAVED and "message" not in rows[c]]
        for check, row in run_process(["--load"], folder, saved, limit).items() if saved else ():
            rows[check] = {**rows[check], **row}
        if "torchscript" in saved:
            rows["cpp"] = run_cpp(folder)
    return rows


def run_process(
    arguments: list[str], folder: Path, checks: list[str], limit: float
) -> dict[str, Row]:
    """One process of this file; a row for each of its checks, whatever becomes of it."""
    with tempfile.TemporaryDirectory() as temporary:
        path, log = Path(temporary) / "rows", Path(temporary) / "log"
        path.touch()
        command = [sys.executable, __file__, *arguments, "--folder", str(folder), "--to", str(path)]
        environment = {**os.environ, "XDG_CACHE_HOME": temporary, "PYTHONUNBUFFERED": "1"}
        with log.open("w") as out:
            try:
                done = subprocess.run(
                    command, stdout=out, stderr=out, timeout=limit, check=False, env=environment
                )
                end = f"the process ended with code {done.returncode}"
            except subprocess.TimeoutExpired:
                end = f"no result after {limit:.0f} s"
        rows = {row.pop("check"): row for row in map(json.loads, path.read_text().splitlines())}
        last = log.read_text().strip().splitlines()[-3:]
    missing = [check for check in checks if check not in rows]
    if missing:
        rows[missing[0]] = {"message": " | ".join([end, *last])}
    for check in missing[1:]:
        rows[check] = {"message": f"not run: {missing[0]} ended the process"}
    return rows


def is_right(row: Row | None) -> bool:
    return row is not None and "message" not in row and row["error"] <= TOLERANCE


def is_whole(row: Row | None) -> bool:
    """Does no op stay in PyTorch?"""
    return row is not None and "message" not in row and not row["in_pytorch"]


def run_all(names: list[str], checks: list[str], again: bool, limit: float) -> None:
    results = read_results()
    for name in names:
        known = results.setdefault(name, {})
        wanted = [check for check in checks if again or check not in known]
        if not wanted:
            continue
        start = time.perf_counter()
        known.update(run_model(name, wanted, limit))
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(results, indent=1))
        shown = ", ".join(f"{check} {brief(known[check])}" for check in wanted)
        print(f"{name} ({time.perf_counter() - start:.0f} s): {shown}", flush=True)


def read_results() -> dict[str, dict[str, Row]]:
    results: dict[str, dict[str, Row]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return results


def brief(row: Row) -> str:
    if "message" in row:
        return f"FAILS {row['message'][:200]}"
    kept = f", {sum(row['in_pytorch'].values())} in PyTorch" if row.get("in_pytorch") else ""
    return f"{'right' if is_right(row) else 'WRONG'} {row['error']:.0e}{kept}"


# The page.

PROSE = """# Models

Sixty architectures with random weights and small inputs, compiled through the Dynamo frontend with
default settings: {engine}, PyTorch {torch}.

{counts}

Generated by `tools/model_table.py`: it runs what `build/model_table.json` lacks and writes this
page (`--again` runs everything again, which takes about an hour on two cores). The models are those
of `tests/zoo`: one in eight is compiled in every test run, all of them with `TORCHTRT_ZOO=all`.

- **fixed**, **1..8**: compiled for one shape, and once for all batches of 1 to 8 (texts also of 2
  to 32 tokens), which then runs at three sizes. The number is the largest difference from PyTorch
  relative to the largest value; up to {tolerance:.0e} is right.
- **compile()**: the same for `torch.compile(model, backend="tensorrt")`, at four sizes.
- **.pt2**, **.ts**, **AOT**, **C++**: the module for all batches, saved as exported program, as
  TorchScript and as AOT Inductor package, and loaded in another process that imports only
  `torch_tensorrt.runtime` and the classes that the model returns (the TorchScript file also in
  `examples/03_cpp_deploy`, with no Python): the difference from before, 0 where no bit is another.
- **ops**: in engines, and behind a + those that stayed in PyTorch, with the reason in the notes.
- **capture**, **compile**: seconds of torch.export and of compiling for dynamic batch.
- **of TorchScript's**: the time of compiling for a fixed shape, capture excluded, over that of
  compiling the model's trace through the TorchScript frontend.
"""
COLUMNS = {
    "static": "fixed",
    "dynamic": "1..8",
    "torch_compile": "compile()",
    "exported_program": ".pt2",
    "torchscript": ".ts",
    "aot_inductor": "AOT",
    "cpp": "C++",
}
LABELS = {
    "static": "fixed shapes",
    "dynamic": "dynamic batch",
    "torch_compile": "`torch.compile`",
    "exported_program": "saved as exported program and loaded",
    "torchscript": "saved as TorchScript and loaded",
    "aot_inductor": "saved as AOT Inductor package and loaded",
    "cpp": "saved as TorchScript and loaded in C++",
}


def page(results: dict[str, dict[str, Row]]) -> str:
    import torch
    import torch_tensorrt
    from zoo.models import MODELS

    known = {name: results.get(name, {}) for name in MODELS}
    engine = next(e for e in torch_tensorrt.runtime.available_engines() if e.available)
    text = PROSE.format(
        engine=f"{engine.name} {engine.version}",
        torch=torch.__version__.split("+")[0],
        counts=counts(known),
        tolerance=TOLERANCE,
    )
    notes: list[str] = []
    for zoo in dict.fromkeys(model.zoo for model in MODELS.values()):
        names = [name for name, model in MODELS.items() if model.zoo == zoo]
        text += f"\n## {zoo}\n\n" + table({name: known[name] for name in names}, notes)
    if notes:
        text += "\n## Notes\n\n" + "".join(f"{i}. {note}\n" for i, note in enumerate(notes, 1))
    return text


def counts(results: dict[str, dict[str, Row]]) -> str:
    rows = ["| right | of | |", "|--:|--:|---|"]
    for check, label in LABELS.items():
        tried = [row.get(check) for row in results.values()]
        rows.append(f"| {sum(map(is_right, tried))} | {len(tried)} | {label} |")
    for check in ("dynamic", "torch_compile"):
        whole = sum(is_whole(row.get(check)) for row in results.values())
        rows.append(f"| {whole} | {len(results)} | {LABELS[check]}: no op left in PyTorch |")
    return "\n".join(rows)


def table(results: dict[str, dict[str, Row]], notes: list[str]) -> str:
    heads = ["model", *COLUMNS.values(), "ops", "capture s", "compile s", "of TorchScript's"]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "--:|" * (len(heads) - 1)]
    for name, row in results.items():
        cells = [cell(name, check, row.get(check), notes) for check in COLUMNS]
        dynamic = row.get("dynamic") or {}
        cells.append(ops(name, dynamic, notes))
        cells += [
            f"{dynamic[key]:.1f}" if key in dynamic else "" for key in ("capture_s", "compile_s")
        ]
        cells.append(compile_ratio(name, row.get("compile_time") or {}, notes))
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines) + "\n"


def cell(name: str, check: str, row: Row | None, notes: list[str]) -> str:
    if row is None:
        return ""
    if "message" in row:
        return "**fails**" + noted(notes, f"{name}, {COLUMNS[check]}: {row['message']}")
    error = f"{row['error']:.0e}" if row["error"] else "0"
    shown = error if is_right(row) else f"**{error}**"
    if check == "torch_compile" and row["in_pytorch"]:
        shown += noted(notes, f"{name}, {COLUMNS[check]}: {listed(row)}")
    return shown


def compile_ratio(name: str, row: Row, notes: list[str]) -> str:
    if "message" in row:
        return "-" + noted(notes, f"{name}, the trace: {row['message']}")
    return f"{row['dynamo_s'] / row['torchscript_s']:.2f}" if row else ""


def ops(name: str, row: Row, notes: list[str]) -> str:
    if "in_engine" not in row:
        return ""
    stayed = sum(row["in_pytorch"].values())
    note = f" +{stayed}" + noted(notes, f"{name}: {listed(row)}") if stayed else ""
    return f"{row['in_engine']}{note}"


def listed(row: Row) -> str:
    """Ops by reason: most of them stay for the reason of one."""
    ops_of: dict[str, list[str]] = {}
    for kept, count in row["in_pytorch"].items():
        op, _, reason = kept.partition(": ")
        ops_of.setdefault(reason, []).append(f"{op} x{count}")
    return "; ".join(f"{', '.join(ops)} ({reason})" for reason, ops in ops_of.items())


def noted(notes: list[str], text: str) -> str:
    plain = " ".join(text.split()).replace("<", "&lt;")
    notes.append(plain if len(plain) < 400 else plain[:400] + " ...")
    return f" [{len(notes)}]"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("models", nargs="*")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--checks", nargs="+", choices=CHECKS, default=list(CHECKS))
    parser.add_argument("--limit", type=float, default=300)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--load", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--to", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        run_checks(options.one, options.checks, options.folder, options.to)
        return 0
    if options.load:
        load_all(options.folder, options.to)
        return 0
    if not options.page:
        from zoo.models import MODELS

        again = options.again or bool(options.models)
        run_all(options.models or list(MODELS), options.checks, again, options.limit)
    PAGE.write_text(page(read_results()))
    print(f"wrote {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
