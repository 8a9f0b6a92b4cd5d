"""Models of these tests, and what is asked of every compiled one."""

from __future__ import annotations

import operator
from typing import Any

import torch
import torch_tensorrt
from torch import nn
from torch.nn import functional as F
from torch_tensorrt import fx
from torch_tensorrt.fx import LowerPrecision

FP32 = LowerPrecision.FP32


class MLP(nn.Module):
    """[batch, 8] to [batch, 3]."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 3)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.softmax(self.layers(x), -1)


class Convolutions(nn.Module):
    """[batch, 3, height, width] of any size to [batch, 4]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8)
        self.again, self.head = nn.Conv2d(8, 8, 3, padding=1), nn.Linear(8, 4)
        self.norm.running_mean.uniform_(-1, 1)
        self.norm.running_var.uniform_(0.5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm(self.conv(x)))
        x = torch.relu(self.again(x) + x)
        return self.head(x.mean((2, 3)))


class Transformer(nn.Module):
    """Two blocks written out, with sizes read from the input: [batch, tokens] ids to logits."""

    WIDTH, HEADS, TOKENS = 16, 2, 6

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, self.WIDTH)
        self.position = nn.Parameter(torch.randn(self.TOKENS, self.WIDTH))
        self.blocks = nn.ModuleList(_Block(self.WIDTH, self.HEADS) for _ in range(2))
        self.norm = nn.LayerNorm(self.WIDTH)
        self.head = nn.Linear(self.WIDTH, 11)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.embedding(ids) + self.position
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.width = heads, width
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, tokens = x.shape[0], x.shape[1]
        qkv = self.qkv(self.first(x)).view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])
        x = x + self.dropout(self.out(mixed.transpose(1, 2).reshape(batch, tokens, self.width)))
        return x + self.mlp(self.second(x))


class Spectrum(nn.Module):
    """An op without a converter (fft) between two parts that have some, and a size as a result."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 8), nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, int]:
        batch = x.size(0)
        hidden = torch.relu(self.first(x)).view(batch, 2, 4)
        spectrum = torch.fft.rfft(hidden).abs()
        return (
            self.second(hidden.reshape(batch, -1)),
            spectrum.sum(dim=(1, 2)).view(batch, 1),
            batch,
        )


class Gate(nn.Module):
    """Control flow that depends on data: no trace can hold it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.sum() > 0:
            return x
        return -x


class Gated(nn.Module):
    """A `Gate` between two linear layers, and a second one in front of the result."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.gate, self.second, self.last = (
            nn.Linear(4, 4),
            Gate(),
            nn.Linear(4, 4),
            Gate(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.second(self.gate(self.first(x)))) - 0.1)


def seeded(kind: type[nn.Module], seed: int = 0) -> nn.Module:
    """A model in eval mode with the same weights every time."""
    torch.manual_seed(seed)
    return kind().eval()


def resnet18() -> nn.Module:
    """With weights and statistics under which activations stay near 1."""
    import torchvision

    torch.manual_seed(0)
    return torchvision.models.resnet18(weights=None).eval()


def compiled(module: nn.Module, inputs: list[Any], **settings: Any) -> Any:
    """fx.compile, without a smallest size and in float32 unless the settings say otherwise."""
    settings.setdefault("min_acc_module_size", 1)
    settings.setdefault("lower_precision", FP32)
    return fx.compile(module, inputs, **settings)


def targets(graph: torch.fx.Graph) -> list[str]:
    """What the nodes of a graph call."""
    return [
        str(node.target) if isinstance(node.target, str) else _named(node.target)
        for node in graph.nodes
        if node.op.startswith("call_")
    ]


def _named(target: Any) -> str:
    return str(target) if isinstance(target, torch._ops.OpOverload) else target.__name__


def replaced(traced: torch.fx.GraphModule) -> torch.fx.GraphModule:
    """A pass that changes results: sums become differences."""
    for node in traced.graph.nodes:
        if node.target is operator.add:
            node.target = operator.sub
    traced.recompile()
    return traced


def engines(module: nn.Module) -> int:
    """Number of engines that a module has."""
    return len(torch_tensorrt.report(module).engines)
