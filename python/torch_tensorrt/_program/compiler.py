"""An FX graph of aten ops in, a graph module with engines out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import fx

from torch_tensorrt import _C
from torch_tensorrt._program.decode import Decoder, attribute
from torch_tensorrt._program.emit import emit
from torch_tensorrt._program.shapes import Ranges, examples, points, possible, ranges_of
from torch_tensorrt._report import REPORT_ATTRIBUTE, Report
from torch_tensorrt._settings import compiling


@dataclass
class Compiled:
    """A compiled graph in the compiler's form.

    Attributes:
        decoder: the Program, and how its values are called in the source.
        report: what became of every op.
        settings: what it was compiled with.
        ranges: of its symbolic sizes.
    """

    decoder: Decoder
    report: Report
    settings: dict[str, Any]
    ranges: Ranges

    def module(self) -> fx.GraphModule:
        """The compiled graph as a graph module, called as the source was."""
        module = emit(self.decoder, self.settings)
        module.meta["torchtrt_ranges"] = self.ranges
        direct = {name for name, _ in module.named_parameters()}
        direct |= {name for name, _ in module.named_buffers()}
        for part in module.modules():
            direct |= set(getattr(part, "weights", ()))
        module.meta["torchtrt_derived"] = self.decoder.derived(direct)
        setattr(module, REPORT_ATTRIBUTE, self.report.json)
        return module


def compile_graph_module(
    module: fx.GraphModule,
    values: list[Any],
    settings: dict[str, _C.SettingValue],
    ranges: Ranges | None = None,
) -> Compiled:
    """Compiles a graph of aten ops without writes but into its own attributes and inputs.

    Args:
        module: the graph; it is not changed.
        values: the fake value of each placeholder, None or another constant where it is fixed.
        settings: as `to_compiler_settings` gives them.
        ranges: of symbolic sizes, where the caller knows better than their shape environment.

    Raises:
        NotImplementedError: a node that no Program can hold, or `require_full_compilation` and an
            op cannot run in an engine.
    """
    tensors = [value for value in values if isinstance(value, torch.Tensor)]
    gpus = (t.device for t in (*tensors, *module.parameters(), *module.buffers()) if t.is_cuda)
    if (gpu := next(gpus, None)) is not None:
        settings = {"device_type": "gpu", "gpu_id": gpu.index or 0, **settings}
    decoder = Decoder(module, values)
    decoder.run()
    known = ranges_of(values, ranges or {})
    states = [attribute(module, path).to("meta") for path in decoder.states.values()]
    usual = examples(values, {symbol: size.opt for symbol, size in known.items()}) + states
    known = possible(
        known,
        lambda numbers: decoder.program.runs_at(usual, examples(values, numbers) + states),
    )
    rows, required = points(values, known)
    with compiling(settings):
        report = decoder.program.compile([row + states for row in rows], required, settings)
    return Compiled(decoder, Report(report), settings, known)
