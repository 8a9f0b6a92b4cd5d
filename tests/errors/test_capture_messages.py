"""Whole sentences on the way into the compiler: what programs, users' passes and inputs hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch_tensorrt
from torch import fx
from torch._higher_order_ops.scan import scan
from torch_tensorrt._program.export import to_exported_program
from torch_tensorrt._settings import CompilationSettings
from torch_tensorrt.dynamo.lowering import _aten_lowering_pass, _remove_lowering_pass

X = torch.linspace(-1, 1, 12).reshape(4, 3)
ROWS = torch_tensorrt.Input(
    min_shape=(1, 3), opt_shape=(4, 3), max_shape=(8, 3), dtype=torch.float32
)
# Apart from its sentence: other errors, which no test provokes, have some of these words.
SHOWN = "tensor of shape (4, 3)"
SCRIPT = torch.jit.script(torch.nn.ReLU().eval())
RELU = torch.nn.ReLU().eval()


class Rounded(torch.nn.Module):
    """Rounds to even, as Python does."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.relu() * round(x.shape[0] / 3)


def compiled(model: torch.nn.Module, x: Any = ROWS) -> None:
    """The model, compiled."""
    torch_tensorrt.compile(model.eval(), inputs=[x], min_block_size=1)


def passed(change: Callable[[fx.Graph, fx.Node], Any]) -> None:
    """A relu compiled with a pass that changes its node; the pass returns what `change` does."""

    def lowering(module: fx.GraphModule, settings: Any) -> Any:
        (node,) = module.graph.find_nodes(op="call_function", target=torch.ops.aten.relu.default)
        return change(module.graph, node) or module

    _aten_lowering_pass(lowering)
    try:
        compiled(RELU)
    finally:
        _remove_lowering_pass(index=-1)


def as_method(graph: fx.Graph, node: fx.Node) -> None:
    """x.relu() in the place of the operator."""
    with graph.inserting_before(node):
        method = graph.call_method("relu", node.args)
    method.meta = dict(node.meta)
    node.replace_all_uses_with(method)
    graph.erase_node(node)


def without_arguments(graph: fx.Graph, node: fx.Node) -> None:
    """relu()."""
    node.args = ()


def with_three_arguments(graph: fx.Graph, node: fx.Node) -> None:
    """relu(x, 1, 2)."""
    node.args = (*node.args, 1, 2)


def with_an_unknown_argument(graph: fx.Graph, node: fx.Node) -> None:
    """relu(x, slope=1)."""
    node.kwargs = {"slope": 1}


class Unknown(torch._ops.HigherOrderOperator):
    """An operator of higher order that is none of ours."""

    def __init__(self) -> None:
        super().__init__("unknown_to_the_compiler")

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return super().__call__(x)


UNKNOWN = Unknown()


def as_unknown(graph: fx.Graph, node: fx.Node) -> None:
    """unknown_to_the_compiler(x)."""
    node.target = UNKNOWN


class Summed(torch.nn.Module):
    """A scan over all rows."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return scan(lambda total, row: (total + row, total * row), x[0], x)[1]


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: compiled(Rounded()),
            NotImplementedError,
            "[capture] round at test_capture_messages.py:N: no operator for round of float, "
            "NoneType",
        ),
        (
            lambda: passed(as_method),
            NotImplementedError,
            "[capture] the graph calls the method relu, expected aten ops only",
        ),
        (
            lambda: passed(as_unknown),
            NotImplementedError,
            "[capture] unknown_to_the_compiler at activation.py:N: the higher-order operator "
            "unknown_to_the_compiler cannot be compiled; cut the model there, or use torch.cond or "
            "while_loop",
        ),
        (
            lambda: passed(without_arguments),
            ValueError,
            "[capture] aten::relu lacks its argument 'self'",
        ),
        (
            lambda: passed(with_three_arguments),
            ValueError,
            "[capture] aten::relu got 3 arguments, expected at most 1",
        ),
        (
            lambda: passed(with_an_unknown_argument),
            ValueError,
            "[capture] aten::relu has no argument 'slope': its schema is "
            "aten::relu(Tensor self) -> Tensor",
        ),
        (
            lambda: passed(lambda graph, node: 3),
            TypeError,
            "[lowering] the pass passed.<locals>.lowering returned an int, expected a "
            "torch.fx.GraphModule",
        ),
        (
            lambda: torch_tensorrt.compile(RELU, ir="onnx", inputs=[X]),
            ValueError,
            "ir is 'onnx', expected one of default, ts, torchscript, fx, dynamo, torch_compile",
        ),
        (
            lambda: torch_tensorrt.save(SCRIPT, "never.ts", output_format="onnx"),
            ValueError,
            "output_format is 'onnx', expected one of exported_program, torchscript, aot_inductor",
        ),
        (
            lambda: CompilationSettings(torch_executed_ops=["aten::relu", 1]),
            ValueError,
            "setting 'torch_executed_ops' is ['aten::relu', 1], expected a list of str",
        ),
        (
            lambda: torch_tensorrt.ts.compile(SCRIPT, [X], min_block_size=["a", 2]),
            ValueError,
            "setting 'min_block_size' is ['a', 2], expected an int",
        ),
        (
            lambda: torch_tensorrt.ts.compile(SCRIPT, [X], min_block_size=10**30),
            ValueError,
            f"setting 'min_block_size' is {10**30}, expected an int of 64 bits",
        ),
        (
            lambda: torch_tensorrt.ts.compile(SCRIPT, [X], min_blok_size=1.5),
            TypeError,
            "unknown setting 'min_blok_size'; did you mean 'min_block_size'?",
        ),
        (
            lambda: torch_tensorrt.dynamo.trace(RELU, [X, X]),
            ValueError,
            "[capture] inputs do not fit forward(input: torch.Tensor) -> torch.Tensor: too many "
            "positional arguments",
        ),
        (
            lambda: torch_tensorrt.compile(RELU, inputs="ab"),
            ValueError,
            "inputs is no list, expected a list with one element per argument",
        ),
        (
            lambda: torch_tensorrt.ts.compile(SCRIPT, "ab"),
            ValueError,
            "inputs is 'ab', expected a list with one element per argument",
        ),
        (
            lambda: torch_tensorrt.ts.compile(SCRIPT, X),
            ValueError,
            f"inputs is a {SHOWN}, expected a list with one element per argument",
        ),
        (
            lambda: torch_tensorrt.ts.convert_method_to_trt_engine(SCRIPT, inputs={1, 2}),
            ValueError,
            "inputs is {1, 2}, expected a list with one element per argument",
        ),
        (
            lambda: torch_tensorrt.ts.compile(SCRIPT, [{1: X}]),
            ValueError,
            "an input is a dict with the keys [1], expected str keys",
        ),
    ],
)
def test_the_whole_message(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as refused:
        call()
    assert re.sub(r"\.py:\d+", ".py:N", str(refused.value)) == message


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
@pytest.mark.parametrize(
    ("model", "x", "message"),
    [
        (
            Summed(),
            ROWS,
            "[capture] scan at test_capture_messages.py:N: got s0 steps of N nodes, expected a "
            "fixed number, at most 256 steps and 8192 nodes in all: they are compiled one by one; "
            "use while_loop",
        ),
        (
            Summed(),
            torch.rand(300, 3),
            "[capture] scan at test_capture_messages.py:N: got 300 steps of N nodes, expected a "
            "fixed number, at most 256 steps and 8192 nodes in all: they are compiled one by one; "
            "use while_loop",
        ),
    ],
)
def test_control_flow_that_is_not_compiled(model: torch.nn.Module, x: Any, message: str) -> None:
    with pytest.raises(NotImplementedError) as refused:
        compiled(model, x)
    shown = str(refused.value)
    for number, name in (
        (r"\.py:\d+", ".py:N"),
        (r"of \d+ nodes", "of N nodes"),
        (r" s\d+ ", " s0 "),
    ):
        shown = re.sub(number, name, shown)
    assert shown == message


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
def test_engines_in_branches_are_not_traced() -> None:
    class Branches(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cond(x.sum() > 0, lambda x: x.sin() + 1, lambda x: x.cos() * 2, (x,))

    fast = torch_tensorrt.compile(Branches(), inputs=[X], min_block_size=1)
    program = to_exported_program(fast)
    message = (
        "[runtime] a compiled program with engines in its branches or loops is traced, but can "
        "only be called; trace the model itself, and save as torchscript or exported_program"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        program.run_decompositions({})
