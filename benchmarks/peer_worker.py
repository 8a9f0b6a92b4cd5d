"""One peer and one model, in a process of its own, which runs blocks of calls when it is told to.

    peer_worker.py store MODEL FOLDER THREADS           weights, inputs, and what eager computes
    peer_worker.py PEER MODEL BATCH FOLDER THREADS      a line of JSON for each line of stdin

The commands are "compile", "block N" and "again"; an answer with a message is a failure.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import importlib.util
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import torch
from timing import Call, block

Inputs = tuple[torch.Tensor, ...]
Leaves = Callable[[Any], list[torch.Tensor]]


class Peer:
    """Compiles a module for the shapes of its inputs; the result computes what the module does."""

    requires: tuple[str, ...] = ()

    def __init__(self, threads: int, folder: Path) -> None:
        self.threads, self.folder = threads, folder

    def load(self) -> None:
        """Imports everything, so that what is measured later is the model's."""
        for name in self.requires:
            importlib.import_module(name)

    def compile(self, module: torch.nn.Module, inputs: Inputs) -> Call:
        raise NotImplementedError

    def leaves(self, result: Any) -> list[torch.Tensor]:
        from torch.utils import _pytree as pytree

        return [torch.as_tensor(leaf) for leaf in pytree.tree_leaves(result)]

    def facts(self) -> dict[str, Any]:
        """What else the page tells of the compiled module."""
        return {}


class Eager(Peer):
    """PyTorch as it is."""

    def compile(self, module: torch.nn.Module, inputs: Inputs) -> Call:
        return lambda: module(*inputs)


class TorchScript(Peer):
    """A frozen trace, optimized for inference."""

    def compile(self, module: torch.nn.Module, inputs: Inputs) -> Call:
        traced = torch.jit.trace(module, inputs, check_trace=False)
        fast = torch.jit.optimize_for_inference(torch.jit.freeze(traced))
        return lambda: fast(*inputs)


class Inductor(Peer):
    """torch.compile, weights frozen; compiling ends with the first call, which does the work."""

    def load(self) -> None:
        import torch._inductor.compile_fx
        import torch._inductor.config

        torch._inductor.config.freezing = True

    def compile(self, module: torch.nn.Module, inputs: Inputs) -> Call:
        torch.compiler.reset()
        fast = torch.compile(module)
        fast(*inputs)
        return lambda: fast(*inputs)


class OnnxRuntime(Peer):
    """ONNX Runtime on what torch.onnx.export gives."""

    requires = ("onnxruntime", "onnx", "onnxscript")

    def compile(self, module: torch.nn.Module, inputs: Inputs) -> Call:
        import onnxruntime

        program = torch.onnx.export(module, inputs, dynamo=True, verbose=False)
        path = self.folder / f"{os.getpid()}.onnx"
        program.save(path)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        names = [argument.name for argument in session.get_inputs()]
        feeds = {name: t.numpy() for name, t in zip(names, inputs, strict=True)}
        return lambda: session.run(None, feeds)


class OpenVINO(Peer):
    """OpenVINO's own conversion of the module."""

    requires = ("openvino", "openvino.frontend.pytorch")

    def load(self) -> None:
        super().load()
        import openvino

        openvino.Core().get_property("CPU", "FULL_DEVICE_NAME")

    def compile(self, module: torch.nn.Module, inputs: Inputs) -> Call:
        from openvino_native import openvino_call

        return openvino_call(module, list(inputs), self.threads)[0]

    def leaves(self, result: Any) -> list[torch.Tensor]:
        return [torch.from_numpy(array) for array in result.values()]


class Ours(Peer):
    """What this project makes of an exported program, default settings."""

    requires = ("torch_tensorrt", "torch.export")
    ir = "dynamo"
    fast: Any = None

    def load(self) -> None:
        super().load()
        import torch_tensorrt

        torch_tensorrt.runtime.available_engines()

    def compile(self, module: torch.nn.Module, inputs: Inputs) -> Call:
        import torch_tensorrt

        fast = self.fast = torch_tensorrt.compile(
            module,
            ir=self.ir,
            inputs=inputs,
            engine="openvino",
            num_threads=self.threads,
            cache_built_engines=False,
        )
        return lambda: fast(*inputs)

    def facts(self) -> dict[str, Any]:
        import torch_tensorrt

        report = torch_tensorrt.report(self.fast)
        return {
            "engines": len(report.engines),
            "layers": sum(engine["layers"] for engine in report.engines),
            "in_pytorch": sorted({node["op"] for node in report.in_pytorch}),
        }


class OursTorchScript(Ours):
    """The same through the TorchScript frontend, on a trace."""

    ir = "ts"

    def compile(self, module: torch.nn.Module, inputs: Inputs) -> Call:
        return super().compile(torch.jit.trace(module, inputs, check_trace=False), inputs)


PEERS: dict[str, type[Peer]] = {
    "eager": Eager,
    "torchscript": TorchScript,
    "inductor": Inductor,
    "onnxruntime": OnnxRuntime,
    "openvino": OpenVINO,
    "ours": Ours,
    "ours_ts": OursTorchScript,
}


def missing(peer: str) -> str:
    """The first package that a peer lacks, or nothing."""
    packages = (name.partition(".")[0] for name in PEERS[peer].requires)
    return next((name for name in packages if importlib.util.find_spec(name) is None), "")


def memory(field: str) -> float:
    """Megabytes of this process: VmRSS now, VmHWM at most."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"the kernel does not tell {field}")


def trim_memory() -> None:
    """Gives free memory back and starts the count of the most that is used anew."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


class Worker:
    """A method a command."""

    def __init__(self, peer: Peer, name: str, batch: int, folder: Path) -> None:
        from model_table import relative_error
        from peer_models import MODELS

        self.peer, self.folder, self.relative_error = peer, folder, relative_error
        stored = torch.load(folder / f"{batch}.pt", weights_only=True)
        self.inputs, self.expected = tuple(stored["inputs"]), stored["expected"]
        if (zoo := MODELS[name].zoo) != "e2e":
            importlib.import_module(zoo)
        peer.load()
        trim_memory()
        self.before = memory("VmRSS")
        self.module = MODELS[name].build().eval()
        self.module.load_state_dict(torch.load(folder / "weights.pt", mmap=True, weights_only=True))
        self.call: Call = lambda: None

    def compile(self) -> dict[str, Any]:
        trim_memory()
        start = time.perf_counter()
        self.call = self.peer.compile(self.module, self.inputs)
        compiled = time.perf_counter()
        result = self.call()
        first = time.perf_counter()
        got = self.peer.leaves(result)
        return {
            "compile_s": compiled - start,
            "first_call_s": first - compiled,
            "peak_mb": memory("VmHWM") - self.before,
            "error": self.relative_error(got, self.expected),
            **self.peer.facts(),
        }

    def block(self, count: str) -> dict[str, Any]:
        return {"ms": block(self.call, int(count))}

    def again(self) -> dict[str, Any]:
        """Seconds of compiling once more, with everything that Python loads lazily loaded."""
        start = time.perf_counter()
        self.peer.compile(self.module, self.inputs)
        return {"compile_again_s": time.perf_counter() - start}


def store(name: str, folder: Path) -> None:
    from peer_models import MODELS, POINT_OF_BATCH

    model = MODELS[name]
    module = model.module()
    torch.save(module.state_dict(), folder / "weights.pt")
    for batch, point in POINT_OF_BATCH.items():
        inputs = model.tensors(point)
        expected = Eager(0, folder).leaves(module(*inputs))
        torch.save({"inputs": list(inputs), "expected": expected}, folder / f"{batch}.pt")


def serve(peer: str, name: str, batch: str, folder: Path, threads: int) -> None:
    # What libraries print goes to the log; answers alone go to the parent.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    worker: Worker | None = None
    for line in sys.stdin:
        command, *arguments = line.split()
        try:
            worker = worker or Worker(PEERS[peer](threads, folder), name, int(batch), folder)
            answer = getattr(worker, command)(*arguments)
        except Exception as error:  # what a peer raises is its result
            answer = {"message": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")


def main() -> None:
    warnings.filterwarnings("ignore")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    what, name, *middle, folder, threads = sys.argv[1:]
    torch.set_grad_enabled(False)
    torch.set_num_threads(int(threads))
    if what == "store":
        store(name, Path(folder))
    else:
        serve(what, name, *middle, Path(folder), int(threads))


if __name__ == "__main__":
    main()
