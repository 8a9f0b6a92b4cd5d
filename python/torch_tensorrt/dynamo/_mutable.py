"""A module that stays an ordinary PyTorch module and runs compiled."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch
from torch import fx
from torch.utils import _pytree as pytree

from torch_tensorrt import _C
from torch_tensorrt._Input import Input
from torch_tensorrt.dynamo._compiler import compile
from torch_tensorrt.dynamo._refit import refit_from, refit_module_weights
from torch_tensorrt.dynamo._tracer import trace

Shapes = Mapping[str, Any] | tuple[Any, ...] | list[Any]


class MutableTorchTensorRTModule:
    """Runs `pytorch_model` compiled, and follows what is done to it.

    The first call compiles. When a weight was written (`load_state_dict`, an optimizer's step, an
    assignment), the next call gives the engines the new weights; when arguments have other shapes
    than those compiled for, or an attribute that is not a tensor was set through this object, the
    next call compiles again. Each is a line in the log.

    Args:
        pytorch_model: an nn.Module in eval mode; it is shared, not copied.
        settings: see docs/settings.md.

    >>> import torch, torch_tensorrt
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.ReLU()).eval()
    >>> fast = torch_tensorrt.MutableTorchTensorRTModule(model, min_block_size=1)
    >>> x = torch.ones(1, 4)
    >>> with torch.no_grad():
    ...     before = fast(x)
    ...     _ = model[0].weight.mul_(2)
    ...     torch.allclose(fast(x), model(x), rtol=1e-4)
    True
    """

    _own = ("pytorch_model", "settings", "gm", "_shapes", "_ranges", "_versions", "_stale")

    def __init__(self, pytorch_model: torch.nn.Module, **settings: Any) -> None:
        self.pytorch_model = pytorch_model
        self.settings = settings
        self.gm: fx.GraphModule | None = None
        self._shapes: Any = None
        self._ranges: tuple[Any, Any] | None = None
        self._versions: list[tuple[int, int]] = []
        self._stale = False

    def set_expected_dynamic_shape_range(
        self, args_dynamic_shape: Shapes, kwargs_dynamic_shape: Mapping[str, Any]
    ) -> None:
        """Makes dimensions dynamic at the next compilation.

        Args:
            args_dynamic_shape: one entry an argument: an Input, or None for a fixed one.
            kwargs_dynamic_shape: the same by name.
        """
        self._ranges = (tuple(args_dynamic_shape), dict(kwargs_dynamic_shape))
        self._stale = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.gm is None or self._stale or not self._fits(args, kwargs):
            self._compile(args, kwargs)
        elif self._weights() != self._versions:
            self._refit(args, kwargs)
        assert self.gm is not None
        return self.gm(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The same as a call."""
        return self(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        """What the model has."""
        if name in MutableTorchTensorRTModule._own:
            raise AttributeError(name)
        return getattr(self.pytorch_model, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in MutableTorchTensorRTModule._own:
            object.__setattr__(self, name, value)
            return
        setattr(self.pytorch_model, name, value)
        self._stale = True

    @staticmethod
    def save(module: MutableTorchTensorRTModule, path: str | os.PathLike[str]) -> None:
        """Writes the model and what was compiled with torch.save."""
        torch.save(module, path)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> MutableTorchTensorRTModule:
        """Reads what `save` wrote. It is a pickle: load only files that you trust."""
        loaded = torch.load(path, weights_only=False)
        loaded._versions = loaded._weights()
        assert isinstance(loaded, MutableTorchTensorRTModule)
        return loaded

    def _weights(self) -> list[tuple[int, int]]:
        tensors = [*self.pytorch_model.parameters(), *self.pytorch_model.buffers()]
        return [(tensor.data_ptr(), tensor._version) for tensor in tensors]

    def _specs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        if self._ranges is None:
            return args, kwargs
        by_position, by_name = self._ranges
        positional = tuple(
            spec if isinstance(spec, Input) else value
            for value, spec in zip(args, (*by_position, *([None] * len(args))), strict=False)
        )
        named = {
            name: by_name[name] if isinstance(by_name.get(name), Input) else value
            for name, value in kwargs.items()
        }
        return positional, named

    def _fits(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        leaves, structure = pytree.tree_flatten((args, kwargs))
        known, expected = self._shapes
        return structure == expected and all(
            _fits(leaf, spec) for leaf, spec in zip(leaves, known, strict=True)
        )

    def _compile(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self.gm is not None:
            reason = "an attribute was set" if self._stale else "arguments have other shapes"
            _C.log(_C.LogLevel.Info, f"{reason}: the module is compiled again")
        specs = self._specs(args, kwargs)
        given = {"arg_inputs": specs[0], "kwarg_inputs": specs[1] or None}
        self.gm = compile(trace(self.pytorch_model, **given), **given, **self.settings)
        self._shapes = pytree.tree_flatten(pytree.tree_map(_shape, specs))
        self._versions, self._stale = self._weights(), False

    def _refit(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        assert self.gm is not None
        specs = self._specs(args, kwargs)
        given = {"arg_inputs": specs[0], "kwarg_inputs": specs[1] or None}
        _C.log(_C.LogLevel.Info, "weights changed: the engines get the new ones")
        if self.gm.meta.get("torchtrt_derived"):
            refit_module_weights(self.gm, trace(self.pytorch_model, **given), in_place=True)
        else:
            refit_from(self.gm, self.pytorch_model.state_dict())
        self._versions = self._weights()


def _shape(value: Any) -> Any:
    return Input.from_tensor(value) if isinstance(value, torch.Tensor) else value


def _fits(value: Any, spec: Any) -> bool:
    if not isinstance(spec, Input) or not isinstance(value, torch.Tensor):
        return value is spec or value == spec
    return len(value.shape) == len(spec.min_shape) and all(
        low <= size <= high
        for low, size, high in zip(spec.min_shape, value.shape, spec.max_shape, strict=True)
    )
