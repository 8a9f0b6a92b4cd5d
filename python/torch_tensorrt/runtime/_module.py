"""An engine as a torch.nn.Module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from torch_tensorrt import _C


def execute_engine(inputs: list[torch.Tensor], engine: Any) -> list[torch.Tensor]:
    """What `torch.ops.tensorrt.execute_engine` gives, by a shorter way where nothing is traced."""
    traced = torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None
    if traced or any(type(tensor) is not torch.Tensor for tensor in inputs):
        outputs: list[torch.Tensor] = torch.ops.tensorrt.execute_engine(inputs, engine)
        return outputs
    return _C.execute_engine(inputs, engine)


class TorchTensorRTModule(torch.nn.Module):
    """Runs one engine.

    Args:
        serialized_engine: the engine's bytes, or a `torch.classes.tensorrt.Engine`.
        input_binding_names: not needed, the engine carries the names of its inputs.
        output_binding_names: not needed either.
        name: for messages; the engine's own where it is left out.
        settings: what it was compiled with; kept for the reader.

    Raises:
        RuntimeError: the bytes are damaged, or no engine here can run them.

    >>> import torch, torch_tensorrt
    >>> engine = torch_tensorrt.convert_method_to_trt_engine(
    ...     torch.nn.Linear(4, 2).eval(), inputs=[torch.ones(3, 4)]
    ... )
    >>> torch_tensorrt.runtime.TorchTensorRTModule(engine)(torch.ones(3, 4)).shape
    torch.Size([3, 2])
    """

    def __init__(
        self,
        serialized_engine: Any = None,
        input_binding_names: list[str] | None = None,
        output_binding_names: list[str] | None = None,
        *,
        name: str = "",
        settings: Any = None,
    ) -> None:
        super().__init__()
        del input_binding_names, output_binding_names
        self.engine: Any = None
        if isinstance(serialized_engine, bytes | bytearray):
            data = torch.frombuffer(bytearray(serialized_engine), dtype=torch.uint8)
            self.engine = torch.classes.tensorrt.Engine(data)
        elif serialized_engine is not None:
            self.engine = serialized_engine
        self.name = name or (self.engine.name() if self.engine is not None else "")
        self.settings = settings
        # Which of the engine's constants each weight of the model is, by the weight's name.
        self.weights: dict[str, list[int]] = {}

    def forward(self, *inputs: torch.Tensor) -> Any:
        """One tensor where the engine has one output, else a tuple."""
        outputs = execute_engine(list(inputs), self.engine)
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def refit(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Gives the engine new weights, by name; names that it does not use are ignored.

        Raises:
            ValueError: a shape differs from the old weight's.
        """
        pairs = [
            (v, tensors[n]) for n, values in self.weights.items() if n in tensors for v in values
        ]
        if pairs:
            values, weights = zip(*pairs, strict=True)
            self.engine = self.engine.with_weights(list(values), list(weights))

    def get_layer_info(self) -> str:
        """The engine's Network, a line a layer."""
        return str(self.engine.get_engine_layer_info())

    def dump_layer_info(self, path: str) -> None:
        """Writes `get_layer_info` to a file."""
        self.engine.dump_engine_layer_info_to_file(path)

    def get_extra_state(self) -> torch.Tensor:
        """The engine's bytes: part of the state_dict."""
        return self.engine.serialized_engine_tensor()

    def set_extra_state(self, state: Any) -> None:
        """Takes over an engine from a state_dict."""
        self.engine = torch.classes.tensorrt.Engine(state)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state["engine"] = self.engine.serialized_engine_tensor()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.engine = torch.classes.tensorrt.Engine(state["engine"])

    def __deepcopy__(self, memo: dict[int, Any]) -> TorchTensorRTModule:
        """Engines do not change: the copy shares this one."""
        copy = TorchTensorRTModule(self.engine, name=self.name, settings=self.settings)
        copy.weights = dict(self.weights)
        memo[id(self)] = copy
        return copy
