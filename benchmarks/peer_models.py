"""The models that every peer runs: usual sizes, at batch 1 and 8."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from e2e.models import MiniLM, Recurrent, UNet, crepe
from torch import nn
from zoo.models import BATCH, Argument, Model, images, timm, torchvision, transformers, wrapped

POINT_OF_BATCH = {1: "low", 8: "high"}
PIXELS = images(224)


class One(nn.Module):
    """The tensor of a model's result that its users read."""

    def __init__(self, network: nn.Module, of: str, **options: Any) -> None:
        super().__init__()
        self.network, self.of, self.options = network, of, options

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.network(*inputs, **self.options)[self.of]
        return result


def hidden(kind: str, arguments: tuple[Argument, ...], **options: Any) -> Model:
    """A class of transformers in its own default size, to its last hidden state."""
    return wrapped(partial(One, of="last_hidden_state"), transformers(kind, arguments, **options))


def own(build: Callable[[], nn.Module], *arguments: Argument) -> Model:
    return Model("e2e", build, arguments)


def ids(length: int, vocabulary: int) -> Argument:
    return Argument((BATCH, length), ids=vocabulary)


MODELS = {
    **{
        name: torchvision(name, PIXELS)
        for name in (
            "resnet50",
            "mobilenet_v3_large",
            "efficientnet_b0",
            "convnext_tiny",
            "vit_b_16",
            "swin_t",
            "densenet121",
            "regnet_y_400mf",
        )
    },
    "deeplabv3_mobilenet_v3_large": wrapped(
        partial(One, of="out"),
        torchvision("deeplabv3_mobilenet_v3_large", PIXELS, weights_backbone=None),
    ),
    "deit_small": timm("deit_small_patch16_224", 224),
    "mixer_s32": timm("mixer_s32_224", 224),
    "mobilevit_xxs": timm("mobilevit_xxs", 256),
    "minilm": own(MiniLM, ids(32, 30522), Argument((BATCH, 32), is_mask=True)),
    "distilbert": hidden("DistilBertModel", (ids(32, 30522),)),
    "gpt2": wrapped(
        partial(One, of="logits"),
        transformers("GPT2LMHeadModel", (ids(64, 50257),), use_cache=False),
    ),
    "clip_vision": hidden("CLIPVisionModel", PIXELS),
    "t5_encoder": hidden("T5EncoderModel", (ids(64, 32128),)),
    "whisper_tiny_encoder": wrapped(
        partial(One, of="last_hidden_state"),
        wrapped(
            lambda whisper: whisper.encoder,
            transformers(
                "WhisperModel",
                (Argument((BATCH, 80, 3000)),),
                d_model=384,
                encoder_layers=4,
                decoder_layers=1,
                encoder_attention_heads=6,
                decoder_attention_heads=6,
                encoder_ffn_dim=1536,
                decoder_ffn_dim=1536,
            ),
        ),
    ),
    "lstm": own(partial(Recurrent, nn.LSTM), Argument((BATCH, 64, 16))),
    "unet": own(UNet, *PIXELS),
    "crepe": own(crepe, Argument((BATCH, 1024))),
}
