"""TRTModule: one engine as a torch.nn.Module."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from torch_tensorrt.runtime._module import TorchTensorRTModule, execute_engine

Profiler = Callable[[str, float], None]


class TRTModule(TorchTensorRTModule):
    """Runs one engine; what `TRTInterpreter.run` gives are its arguments.

    A state_dict, a pickle and a deepcopy hold the engine and the names.

    Args:
        engine: a `torch.classes.tensorrt.Engine`, or its bytes; none where a state_dict follows.
        input_names: names of forward's arguments in order; those that the engine does not read are
            ignored. Left out, the engine's own order.
        output_names: names of the results in order. Left out, the engine's own order.
        cuda_graph_batch_size: kept for the reader; an engine decides itself how it launches work.

    Raises:
        ValueError: the engine has an input, or lacks an output, that the names do not say.

    >>> import torch, torch_tensorrt
    >>> from torch_tensorrt.fx import InputTensorSpec, LowerPrecision, TRTInterpreter, TRTModule
    >>> model = torch.nn.Linear(4, 2).eval()
    >>> x = torch.ones(3, 4)
    >>> traced = torch_tensorrt.fx.trace(model, [x])
    >>> interpreter = TRTInterpreter(traced, InputTensorSpec.from_tensors([x]))
    >>> result = interpreter.run(lower_precision=LowerPrecision.FP32)
    >>> fast = TRTModule(result.engine, result.input_names, result.output_names)
    >>> torch.allclose(fast(x), model(x), rtol=1e-4, atol=1e-5)
    True
    """

    def __init__(
        self,
        engine: Any = None,
        input_names: Sequence[str] | None = None,
        output_names: Sequence[str] | None = None,
        cuda_graph_batch_size: int = -1,
    ) -> None:
        super().__init__(engine)
        self.cuda_graph_batch_size = cuda_graph_batch_size
        self._profiler: Profiler | None = None
        self._bind(input_names, output_names)

    def _bind(self, input_names: Sequence[str] | None, output_names: Sequence[str] | None) -> None:
        """Finds the engine's inputs and outputs among the names."""
        self.input_names, self.output_names = list(input_names or []), list(output_names or [])
        if self.engine is None:
            return
        inputs, outputs = self.engine.input_names(), self.engine.output_names()
        if input_names is None:
            self.input_names = inputs
        if output_names is None:
            self.output_names = outputs
        missing = [name for name in inputs if name not in self.input_names]
        if missing:
            raise ValueError(
                f"input_names is {self.input_names}, but the engine reads {', '.join(missing)} too"
            )
        unknown = [name for name in self.output_names if name not in outputs]
        if unknown:
            raise ValueError(
                f"output_names has {', '.join(unknown)}, expected among {', '.join(outputs)}"
            )
        self._input_order = [self.input_names.index(name) for name in inputs]
        self._output_order = [outputs.index(name) for name in self.output_names]

    def forward(self, *inputs: torch.Tensor) -> Any:
        """One tensor where there is one output, else a tuple.

        Raises:
            ValueError: another number of inputs than there are names, or a shape or dtype that the
                engine was not built for; the message shows both.
        """
        if self.engine is None:
            raise ValueError("the module has no engine, expected one, or load_state_dict first")
        if len(inputs) != len(self.input_names):
            raise ValueError(
                f"got {len(inputs)} inputs, expected {len(self.input_names)}: "
                f"{', '.join(self.input_names)}"
            )
        start = time.perf_counter()
        ordered = [inputs[index] for index in self._input_order]
        results = execute_engine(ordered, self.engine)
        if self._profiler is not None:
            self._profiler(self.name, (time.perf_counter() - start) * 1e3)
        outputs = [results[index] for index in self._output_order]
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def enable_profiling(self, profiler: Any = None) -> None:
        """Measures each call from now on, in wall-clock milliseconds of the whole engine.

        Args:
            profiler: called with the engine's name and the milliseconds, or an object with such a
                method `report_layer_time`; left out, a line is printed.
        """
        report = getattr(profiler, "report_layer_time", profiler)
        self._profiler = _print_time if report is None else report

    def disable_profiling(self) -> None:
        """Stops measuring."""
        self._profiler = None

    def get_extra_state(self) -> Any:
        """The engine's bytes and the names: part of the state_dict."""
        return {
            "engine": super().get_extra_state(),
            "input_names": self.input_names,
            "output_names": self.output_names,
            "cuda_graph_batch_size": self.cuda_graph_batch_size,
        }

    def set_extra_state(self, state: Any) -> None:
        """Takes over engine and names from a state_dict."""
        super().set_extra_state(state["engine"])
        self.name = self.engine.name()
        self.cuda_graph_batch_size = state["cuda_graph_batch_size"]
        self._bind(state["input_names"], state["output_names"])

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_profiler": None}

    def __deepcopy__(self, memo: dict[int, Any]) -> TRTModule:
        """Engines do not change: the copy shares this one."""
        copy = TRTModule.from_module(self)
        copy.cuda_graph_batch_size = self.cuda_graph_batch_size
        copy._bind(self.input_names, self.output_names)
        memo[id(self)] = copy
        return copy

    @classmethod
    def from_module(cls, module: TorchTensorRTModule) -> TRTModule:
        """The same engine, weights and settings as another module's."""
        copy = cls(module.engine)
        copy.name, copy.settings, copy.weights = module.name, module.settings, dict(module.weights)
        return copy


def _print_time(name: str, milliseconds: float) -> None:
    print(f"{name}: {milliseconds:.3f} ms")
