"""Programs of ten networks, word for word. After a wanted change: `TORCHTRT_GOLDEN=write`."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torch_tensorrt
from torch import Tensor, nn
from trt.programs import caught, text_of

GOLDEN = Path(__file__).parent / "golden"
IMAGE = torch_tensorrt.Input(min_shape=(1, 3, 8, 8), opt_shape=(2, 3, 8, 8), max_shape=(4, 3, 8, 8))
ROWS = torch_tensorrt.Input(min_shape=(1, 8), opt_shape=(4, 8), max_shape=(16, 8))
STEPS = torch_tensorrt.Input((2, 5, 8))


class Of(nn.Module):
    """A function as a module, with the layers that it may use."""

    def __init__(self, function: Callable[..., Tensor], **layers: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, x)


def attention(net: nn.Module, x: Tensor) -> Tensor:
    heads = net.linear(x).view(2, 5, 3, 2, 4).permute(2, 0, 3, 1, 4)
    return F.scaled_dot_product_attention(heads[0], heads[1], heads[2], is_causal=True)


def shapes(net: nn.Module, x: Tensor) -> Tensor:
    del net
    return x.reshape(x.shape[0] * 2, -1).expand(2, -1, -1).flip(2)


NETWORKS: dict[str, tuple[nn.Module, object]] = {
    "mlp": (nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 4), nn.Softmax(-1)), ROWS),
    "convolution": (
        nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)),
        IMAGE,
    ),
    "deconvolution": (nn.ConvTranspose2d(3, 2, 3, 2, 1, output_padding=1), IMAGE),
    "norms": (nn.Sequential(nn.LayerNorm(8), nn.RMSNorm(8)), ROWS),
    "attention": (Of(attention, linear=nn.Linear(8, 24)), STEPS),
    "lstm": (Of(lambda net, x: net.lstm(x)[0], lstm=nn.LSTM(8, 4, batch_first=True)), STEPS),
    "upsampling": (nn.Upsample(scale_factor=2, mode="bilinear"), IMAGE),
    "embedding": (nn.Embedding(10, 4), torch_tensorrt.Input((3, 5), dtype=torch.int64)),
    "reductions": (Of(lambda net, x: x.topk(2, -1)[0] + x.mean(-1, keepdim=True)), ROWS),
    "shapes": (Of(shapes), ROWS),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_program_is_the_known_one(name: str) -> None:
    torch.manual_seed(0)
    module, example = NETWORKS[name]
    with caught("11.1.0") as programs:
        torch_tensorrt.compile(
            module.eval(),
            inputs=[example],
            engine="tensorrt_rtx",
            target=["sm_89"],
            min_block_size=1,
            require_full_compilation=True,
        )
    _check, program = programs
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("TORCHTRT_GOLDEN") == "write":
        path.write_text(text_of(program))
    assert text_of(program) == path.read_text()
