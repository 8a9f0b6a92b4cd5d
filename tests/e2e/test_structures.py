"""Tuples, lists and dicts in and out; keyword arguments; methods other than forward."""

import torch
import torch_tensorrt
from e2e.checks import assert_close, assert_one_engine
from torch import nn

A, B = torch.rand(2, 3), torch.rand(2, 3)
SPEC = torch_tensorrt.Input((2, 3))


class Pair(nn.Module):
    def forward(self, pair: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return torch.relu(pair[0]) - pair[1]


class Many(nn.Module):
    def forward(self, xs: list[torch.Tensor], y: torch.Tensor) -> torch.Tensor:
        return torch.cat(xs, 1).sum(1) + y.mean(1)


class Named(nn.Module):
    def forward(self, xs: dict[str, torch.Tensor]) -> torch.Tensor:
        return xs["a"] * 2 + torch.tanh(xs["b"])


class Outputs(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor], torch.Tensor]:
        return torch.relu(x), [x + 1, x * 2], torch.sigmoid(x)


class NamedOutputs(nn.Module):
    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"low": torch.relu(-x), "high": torch.relu(x)}


class Defaults(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        return (x - y) * scale


class Methods(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x

    @torch.jit.export
    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x) * 3


def by_signature(module: nn.Module, *arguments: object) -> torch.jit.ScriptModule:
    fast = torch_tensorrt.ts.compile(
        torch.jit.script(module), input_signature=arguments, engine="openvino", min_block_size=1
    )
    assert_one_engine(fast, "openvino")
    return fast


def test_tuple_argument() -> None:
    assert_close(by_signature(Pair(), (SPEC, SPEC))((A, B)), Pair()((A, B)))


def test_list_argument() -> None:
    assert_close(by_signature(Many(), [SPEC, SPEC], SPEC)([A, B], A), Many()([A, B], A))


def test_dict_argument() -> None:
    xs = {"a": A, "b": B}
    assert_close(by_signature(Named(), {"a": SPEC, "b": SPEC})(xs), Named()(xs))


def test_nested_results() -> None:
    assert_close(by_signature(Outputs(), SPEC)(A), Outputs()(A))


def test_dict_results() -> None:
    assert_close(by_signature(NamedOutputs(), SPEC)(A), NamedOutputs()(A))


def test_arguments_by_name() -> None:
    fast = torch_tensorrt.compile(
        Defaults(),
        ir="ts",
        inputs=[SPEC],
        kwarg_inputs={"scale": SPEC, "y": SPEC},
        engine="openvino",
        min_block_size=1,
    )
    assert_close(fast(A, scale=B, y=A + 1), Defaults()(A, A + 1, B))


def test_scripted_function() -> None:
    def twice(x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x) * 2

    fast = torch_tensorrt.compile(
        torch.jit.script(twice), inputs=[SPEC], engine="openvino", min_block_size=1
    )
    assert_close(fast(A), twice(A))


def test_method_other_than_forward_becomes_an_engine() -> None:
    engine = torch_tensorrt.convert_method_to_trt_engine(
        torch.jit.script(Methods()), "encode", inputs=[SPEC], engine="openvino"
    )
    assert isinstance(engine, bytes)
    again = torch_tensorrt.ts.embed_engine_in_new_module(engine)
    assert_close(again(A), torch.tanh(A) * 3)


def test_a_model_with_no_inputs_given_by_name_is_traced_when_it_cannot_be_scripted() -> None:
    class Unscriptable(nn.Module):
        def forward(self, x: torch.Tensor, **_: torch.Tensor) -> torch.Tensor:
            return torch.relu(x) + 1

    fast = torch_tensorrt.compile(Unscriptable(), inputs=[A], engine="openvino", min_block_size=1)
    assert_close(fast(B), Unscriptable()(B))
