"""From lowered graphs to modules with engines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from torch import fx

from torch_tensorrt import _C
from torch_tensorrt._program import Compiled, compile_graph_module
from torch_tensorrt._report import REPORT_ATTRIBUTE, Report
from torch_tensorrt.fx._capture import Captured, refused_entry
from torch_tensorrt.fx._lowering import CaptureError, Lowered
from torch_tensorrt.fx.trt_module import TRTModule
from torch_tensorrt.runtime._module import TorchTensorRTModule

Settings = dict[str, Any]


def compile_lowered(lowered: Lowered, settings: Settings) -> Compiled:
    """Compiles one lowered graph, on the device where its weights are."""
    return compile_graph_module(lowered.module, lowered.values, settings, lowered.ranges)


def build(captured: Captured, settings: Settings) -> fx.GraphModule:
    """A module in which every piece has its engines.

    Raises:
        NotImplementedError: `require_full_compilation`, and something cannot run in an engine.
    """
    if captured.refused and settings.get("require_full_compilation"):
        raise next(iter(captured.refused.values()))
    compiled = {
        name: compile_lowered(lowered, settings) for name, lowered in captured.pieces.items()
    }
    if captured.module is None:
        return _with_trt_modules(compiled[""].module())
    module = captured.module
    for name, piece in compiled.items():
        module.add_module(name, _with_trt_modules(piece.module()))
    report = merged([c.report for c in compiled.values()], captured.refused.values())
    setattr(module, REPORT_ATTRIBUTE, report.json)
    return module


def merged(reports: list[Report], refused: Iterable[CaptureError]) -> Report:
    """One report of several pieces, and of the nodes between them."""
    engines: list[dict[str, Any]] = []
    nodes: list[dict[str, Any]] = []
    for report in reports:
        for node in report.data["nodes"]:
            shifted = node["engine"] + len(engines) if node["engine"] >= 0 else -1
            nodes.append({**node, "engine": shifted})
        engines += report.engines
    nodes += [refused_entry(error) for error in refused]
    computing = [node for node in nodes if not node.get("host")]
    data = {
        "summary": "",
        "total_ops": len(computing),
        "engine_ops": sum(node["engine"] >= 0 for node in computing),
        "engines": engines,
        "nodes": nodes,
    }
    data["summary"] = _C.report_text(json.dumps(data)).partition("\n")[0]
    return Report(json.dumps(data))


def _with_trt_modules(module: fx.GraphModule) -> fx.GraphModule:
    for name, child in list(module.named_children()):
        if isinstance(child, TorchTensorRTModule):
            module.add_module(name, TRTModule.from_module(child))
    return module
