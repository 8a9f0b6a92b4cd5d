"""One test a message: why an op stays in PyTorch, as its report says."""

from collections.abc import Callable

import pytest
import torch
import torch.ao.quantization.fx._decomposed  # registers torch.ops.quantized_decomposed
import torch_tensorrt
from model_optimizer import quantize_op

X = torch.rand(2, 3, 4, 4)


def reasons(function: Callable[..., torch.Tensor], *inputs: torch.Tensor) -> str:
    """The reasons of the report, where the traced function is compiled."""

    class Model(torch.nn.Module):
        def forward(self, *args: torch.Tensor) -> torch.Tensor:
            return function(*args)

    traced = torch.jit.trace(Model().eval(), inputs, check_trace=False)
    fast = torch_tensorrt.compile(traced, ir="ts", inputs=list(inputs), min_block_size=1)
    nodes = torch_tensorrt.report(fast).in_pytorch
    return "\n".join(f"{node['op']}: {node['reason']}" for node in nodes)


@pytest.mark.parametrize(
    ("function", "inputs", "op", "reason"),
    [
        (
            lambda x, y: torch.bitwise_and(x, y),
            (torch.ones(2, 3, dtype=torch.int32), torch.ones(2, 3, dtype=torch.int32)),
            "aten::bitwise_and",
            ", expected bool; engines have no bitwise integer arithmetic",
        ),
        (
            lambda x: torch.nn.functional.max_pool2d(x, 2, return_indices=True)[1],
            (X,),
            "aten::max_pool2d_with_indices",
            "result 1, the indices, is used; no engine layer gives indices",
        ),
        (
            lambda x: torch.nn.functional.interpolate(
                x, size=(3, 3), mode="bilinear", antialias=True
            ),
            (X,),
            "aten::_upsample_bilinear2d_aa",
            "antialiased resizing, which no engine computes as PyTorch does",
        ),
        (
            lambda x: torch.batch_norm(
                x, None, None, torch.zeros(3), torch.ones(3), True, 0.1, 1e-5, False
            ),
            (X,),
            "aten::batch_norm",
            "training is True, which updates the running statistics; put the model into eval mode",
        ),
        (
            lambda x: torch.instance_norm(
                x, None, None, torch.zeros(3), torch.ones(3), True, 0.1, 1e-5, False
            ),
            (X,),
            "aten::instance_norm",
            "use_input_stats is True with running statistics, which it updates; put the model",
        ),
        (
            lambda x, w, o: torch.nn.functional.embedding_bag(x, w, o, mode="max", padding_idx=1),
            (torch.tensor([0, 1, 2]), torch.rand(4, 3), torch.tensor([0, 2])),
            "aten::embedding_bag",
            "padding_idx with the mode max, expected sum or mean",
        ),
        (lambda x: torch.relu(x.double()), (X,), "aten::", "float64, which no engine computes in"),
        (
            lambda x: torch.fake_quantize_per_tensor_affine(x, 0.001, 0, -32768, 32767),
            (X,),
            "aten::fake_quantize_per_tensor_affine",
            "quant_min to quant_max is -32768 to 32767, expected a range within -128 to 127 or",
        ),
        (
            lambda x: torch.fake_quantize_per_tensor_affine(
                x, x.amax() / 7, torch.zeros(1, dtype=torch.int32), -8, 7
            ),
            (X,),
            "aten::fake_quantize_per_tensor_affine",
            "the scale is known only at run time and the integers are -8 to 7, expected -128 to",
        ),
        (
            lambda x: torch.ops.quantized_decomposed.quantize_per_tensor(
                x, 0.01, 0, -128, 127, torch.int32
            ),
            (X,),
            "quantized_decomposed::quantize_per_tensor",
            "quantizes to i32, expected int8 or uint8",
        ),
        (
            lambda x: quantize_op(x, torch.tensor(1.0), bits=4),
            (X,),
            "tensorrt::quantize_op",
            "num_bits is 4 with 0 exponent_bits, expected 8 with 0 (int8) or 4 (float8)",
        ),
        (
            lambda x: quantize_op(x, torch.tensor(1.0), unsigned=True),
            (X,),
            "tensorrt::quantize_op",
            "unsigned is true, expected signed integers",
        ),
        (
            lambda x: quantize_op(x, x.amax()),
            (X,),
            "tensorrt::quantize_op",
            "amax is known only at run time, expected a constant",
        ),
        (
            lambda x: quantize_op(x, torch.ones(1, 3, 1, 1)),
            (X,),
            "tensorrt::quantize_op",
            "amax has shape [1, 3, 1, 1], expected one number, or one for each entry of axis 0",
        ),
        (
            lambda x: torch.linalg.svdvals(x),
            (X,),
            "aten::linalg_svdvals",
            "no converter for aten::linalg_svdvals",
        ),
    ],
)
def test_an_op_stays_in_pytorch_and_says_why(
    function: Callable[..., torch.Tensor], inputs: tuple[torch.Tensor, ...], op: str, reason: str
) -> None:
    shown = reasons(function, *inputs)
    lines = [line for line in shown.splitlines() if line.startswith(op)]
    assert any(reason in line for line in lines), shown


def test_projections_of_an_lstm() -> None:
    lstm = torch.nn.LSTM(4, 5, proj_size=2).eval().requires_grad_(False)
    shown = reasons(lambda x: lstm(x)[0], torch.rand(3, 2, 4))
    assert "projections (proj_size) have no engine layer" in shown


class Two(torch.nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x + y


def test_too_few_inputs() -> None:
    with pytest.raises(ValueError, match=r"give one input per tensor argument"):
        torch_tensorrt.compile(torch.jit.script(Two()), ir="ts", inputs=[X])


def test_refit_cannot_be_verified_without_inputs() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU()).eval()
    x = torch.rand(2, 4)
    exported = torch.export.export(model, (x,))
    fast = torch_tensorrt.compile(model, inputs=[x], min_block_size=1, immutable_weights=False)
    with pytest.raises(ValueError, match="verify_output is set, expected arg_inputs or kwarg_inp"):
        torch_tensorrt.dynamo.refit_module_weights(fast, exported, verify_output=True)
