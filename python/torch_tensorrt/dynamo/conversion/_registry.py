"""Converters that users add: for ops that have none, or in the place of one that is built in."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from torch import fx
from torch._ops import OpOverload, OpOverloadPacket

from torch_tensorrt import _C
from torch_tensorrt._settings import CompilationSettings, current_settings
from torch_tensorrt.dynamo.conversion._call import Converter, call_converter, failure
from torch_tensorrt.dynamo.conversion._context import ConverterPriority
from torch_tensorrt.dynamo.conversion._nodes import fx_node, has_dynamic_input

F = TypeVar("F", bound=Converter)
Validator = Callable[[fx.Node, CompilationSettings], bool]


@dataclass(frozen=True, eq=False)
class ConverterSupport:
    """A converter, and what it is for.

    Attributes:
        target: the op.
        converter_implementation: the function.
        capability_validator: does it take a node? None: every node of the op.
        priority: before or after the converter that is built in.
        supports_dynamic_shapes: may sizes differ from call to call?
    """

    target: OpOverload
    converter_implementation: Converter
    capability_validator: Validator | None
    priority: ConverterPriority
    supports_dynamic_shapes: bool


Supports = list[ConverterSupport]


class ConverterRegistry:
    """The converters that users added, and the names of those that are built in.

    >>> import torch
    >>> torch.ops.aten.relu.default in DYNAMO_CONVERTERS
    True
    >>> DYNAMO_CONVERTERS.lookup(torch.ops.aten.relu.default)
    []
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: dict[ConverterSupport, tuple[int, ...]] = {}

    def add(self, support: ConverterSupport) -> None:
        """Uses a converter in every compilation from now on."""
        high = support.priority is ConverterPriority.HIGH
        numbers = []
        for overload in (support.target, *_number_overloads(support.target)):
            entry = _Entry(self, support, overload)
            numbers.append(_C.add_converter(op_name(overload), entry.convert, entry.takes, high))
        with self._lock:
            self._numbers[support] = tuple(numbers)

    def remove(self, converter: Converter | ConverterSupport) -> None:
        """Forgets a converter: one registration, or all of a function.

        Raises:
            ValueError: it is not registered.
        """
        with self._lock:
            gone = [s for s in self._numbers if converter in (s, s.converter_implementation)]
            numbers = [number for support in gone for number in self._numbers.pop(support)]
        if not gone:
            raise ValueError(f"{converter!r} is no registered converter")
        for number in numbers:
            _C.remove_converter(number)

    def list(self) -> Supports:
        """All that users added, in that order."""
        with self._lock:
            return [*self._numbers]

    def lookup(self, target: OpOverload | OpOverloadPacket) -> Supports:
        """The users' converters of an op in the order in which they are asked."""
        overload = one_overload(target)
        found = [s for s in reversed(self.list()) if s.target is overload]
        return sorted(found, key=lambda s: s.priority is not ConverterPriority.HIGH)

    def has_builtin(self, target: OpOverload | OpOverloadPacket) -> bool:
        """Does the op have a converter without any user's?"""
        return op_name(one_overload(target)) in set(_C.op_names())

    def __contains__(self, target: OpOverload | OpOverloadPacket) -> bool:
        return self.has_builtin(target) or bool(self.lookup(target))

    @contextlib.contextmanager
    def temporary(self) -> Iterator[None]:
        """Converters that are added inside are forgotten behind it."""
        before = set(self.list())
        try:
            yield
        finally:
            for support in self.list():
                if support not in before:
                    self.remove(support)


class _Entry:
    """One converter under one name; the compiler asks `takes` right before it calls `convert`."""

    def __init__(
        self, registry: ConverterRegistry, support: ConverterSupport, overload: OpOverload
    ) -> None:
        self.registry, self.support, self.overload = registry, support, overload
        self.asked = threading.local()

    def takes(self, node: _C.Node) -> bool:
        support = self.support
        if self.overload is not support.target and self.registry.lookup(self.overload):
            return False  # a converter for this very overload knows better
        self.asked.node = fx_node(node, support.target)
        if not support.supports_dynamic_shapes and has_dynamic_input(self.asked.node):
            return False
        if support.capability_validator is None:
            return True
        try:
            return bool(support.capability_validator(self.asked.node, current_settings()))
        except Exception as error:
            place = f"{op_name(self.overload)} at {node.location or 'an unknown place'}"
            error_text = f"[conversion] {place}: its capability_validator raised {failure(error)}"
            raise RuntimeError(error_text) from error

    def convert(
        self,
        builder: _C.NetworkBuilder,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        where: str,
        result_types: Sequence[Any],
    ) -> Any:
        function, node = self.support.converter_implementation, self.asked.node
        return call_converter(function, node, builder, (args, kwargs), where, result_types)


def op_name(overload: OpOverload) -> str:
    """The name in the compiler: "aten::add.Tensor", "mine::gate"."""
    schema = overload._schema
    return f"{schema.name}.{schema.overload_name}" if schema.overload_name else str(schema.name)


def one_overload(key: object) -> OpOverload:
    """The overload that a key stands for.

    Raises:
        TypeError: it is no operator.
        ValueError: it has several overloads.
    """
    if isinstance(key, OpOverload):
        return key
    if not isinstance(key, OpOverloadPacket):
        raise TypeError(
            f"the key of a converter is {key!r}, expected an operator such as "
            "torch.ops.aten.relu.default"
        )
    names = [name for name in key.overloads() if not name.endswith("out")]
    if len(names) != 1:
        raise ValueError(
            f"{key} has the overloads {', '.join(names)}, expected one of them: {key}.{names[0]}"
        )
    overload: OpOverload = getattr(key, names[0])
    return overload


def _number_overloads(target: OpOverload) -> list[OpOverload]:
    """Overloads that take a number where `target` takes a tensor: x + 2 is one of these."""
    wanted = target._schema.arguments
    packet = target.overloadpacket
    found = []
    for name in packet.overloads():
        candidate = getattr(packet, name)
        arguments = candidate._schema.arguments
        if [a.name for a in arguments] != [a.name for a in wanted]:
            continue
        kinds = [(str(a.type), str(b.type)) for a, b in zip(arguments, wanted, strict=True)]
        different = [kind for kind in kinds if kind[0] != kind[1]]
        if different and all(kind == ("number", "Tensor") for kind in different):
            found.append(candidate)
    return found


DYNAMO_CONVERTERS = ConverterRegistry()


def dynamo_tensorrt_converter(
    key: OpOverload | OpOverloadPacket,
    *,
    enabled: bool = True,
    capability_validator: Validator | None = None,
    priority: ConverterPriority = ConverterPriority.STANDARD,
    supports_dynamic_shapes: bool = False,
    requires_output_allocator: bool = False,
    requires_native_multidevice: bool = False,
) -> Callable[[F], F]:
    """Decorates a function that writes an op into a network; compilations use it from then on.

    The function is called as `converter(ctx, target, args, kwargs, name)` and returns a tensor of
    `ctx.net`, or a tuple of them for an op with several results. docs/converters.md has the rest.

    Args:
        key: the overload, such as torch.ops.aten.relu.default; one with a number in a tensor's
            place (x + 2) goes with it.
        enabled: False leaves the function as it is.
        capability_validator: called with the node (torch.fx) and the settings; False leaves the
            node to the next converter.
        priority: HIGH goes before the converter that is built in, the latest first.
        supports_dynamic_shapes: False leaves nodes whose sizes differ from call to call.
        requires_output_allocator: must be False; engines here allocate what they return.
        requires_native_multidevice: must be False; an engine runs on one device.

    Raises:
        TypeError: the key is no operator.
        ValueError: the key has several overloads; the message names them.
        NotImplementedError: an option that must be False.

    >>> import torch, torch_tensorrt
    >>> from torch_tensorrt.dynamo.conversion import ConverterPriority, trt
    >>> with DYNAMO_CONVERTERS.temporary():
    ...     @dynamo_tensorrt_converter(torch.ops.aten.relu.default, priority=ConverterPriority.HIGH)
    ...     def relu(ctx, target, args, kwargs, name):
    ...         return ctx.net.add_activation(args[0], trt.ActivationType.RELU).get_output(0)
    ...     program = torch_tensorrt.dynamo.trace(torch.nn.ReLU(), inputs=[torch.ones(2)])
    ...     fast = torch_tensorrt.dynamo.compile(program, min_block_size=1)
    >>> fast(torch.tensor([-1.0, 1.0]))
    tensor([0., 1.])
    """
    if requires_output_allocator:
        raise NotImplementedError(
            "requires_output_allocator is True, expected False: engines here allocate what they "
            "return, also where its size depends on the data"
        )
    if requires_native_multidevice:
        raise NotImplementedError(
            "requires_native_multidevice is True, expected False: an engine runs on one device"
        )
    target = one_overload(key)
    order = ConverterPriority(priority)

    def register(converter: F) -> F:
        if enabled:
            DYNAMO_CONVERTERS.add(
                ConverterSupport(
                    target, converter, capability_validator, order, supports_dynamic_shapes
                )
            )
        return converter

    return register
