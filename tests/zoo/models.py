"""60 architectures: 30 of torchvision, 20 of timm, 10 of transformers; small, random weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch_tensorrt
from torch import nn
from torch.utils import _pytree as pytree


@dataclass(frozen=True)
class Sizes:
    """A dynamic dimension: its limits, the size that engines are tuned for, and one between."""

    low: int
    usual: int
    between: int
    high: int


BATCH = Sizes(1, 2, 3, 8)
LENGTH = Sizes(2, 12, 17, 32)

POINTS = ("low", "between", "high")


@dataclass(frozen=True)
class Argument:
    """One tensor: float32, token ids below a number, or a padding mask of 0 and 1."""

    shape: tuple[int | Sizes, ...]
    ids: int = 0
    is_mask: bool = False

    def sizes(self, point: str) -> tuple[int, ...]:
        return tuple(getattr(s, point) if isinstance(s, Sizes) else s for s in self.shape)

    def tensor(self, point: str, generator: torch.Generator) -> torch.Tensor:
        sizes = self.sizes(point)
        if self.is_mask:
            batch, length = sizes
            return (torch.arange(length) < length - torch.arange(batch).unsqueeze(1) % 2).long()
        if self.ids:
            return torch.randint(1, self.ids, sizes, generator=generator)
        return torch.rand(sizes, generator=generator) * 2 - 1

    def range(self) -> torch_tensorrt.Input:
        return torch_tensorrt.Input(
            min_shape=self.sizes("low"),
            opt_shape=self.sizes("usual"),
            max_shape=self.sizes("high"),
            dtype=torch.int64 if self.ids or self.is_mask else torch.float32,
        )


@dataclass(frozen=True)
class Model:
    """A network and its arguments, which may be tuples of tensors."""

    zoo: str
    build: Callable[[], nn.Module]
    arguments: tuple[Any, ...]

    def module(self) -> nn.Module:
        torch.manual_seed(0)
        module = self.build().eval()
        _enliven(module, self.tensors("high"))
        return module

    def tensors(self, point: str, seed: int = 0) -> tuple[Any, ...]:
        """Arguments at a point of all ranges: low, usual, between or high."""
        generator = torch.Generator().manual_seed(seed)
        return self._each(lambda argument: argument.tensor(point, generator))

    def ranges(self) -> tuple[Any, ...]:
        return self._each(Argument.range)

    def _each(self, function: Callable[[Argument], Any]) -> tuple[Any, ...]:
        mapped: tuple[Any, ...] = pytree.tree_map(function, self.arguments)
        return mapped


@torch.no_grad()
def _enliven(module: nn.Module, inputs: tuple[Any, ...]) -> None:
    """Makes an untrained network sensitive to all of its parts, and to rounding as little as a
    trained one.

    Noise on constant parameters opens branches that start at zero. Batch norms take the statistics
    of `inputs`. They let most of what follows pass a ReLU: where each of many layers cuts one half
    away, differences grow from layer to layer.
    """
    for parameter in module.parameters():
        if parameter.is_floating_point() and parameter.min() == parameter.max():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    norms = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = None  # statistics of this batch alone
        norm.reset_running_stats()
        norm.train()
        norm.bias.add_(1)
    if norms:
        module(*inputs)
    for norm in norms:  # a channel that hardly varies would magnify rounding
        assert norm.running_var is not None
        norm.running_var.clamp_(min=0.1 * norm.running_var.mean().item())
    module.eval()


def images(size: int = 64) -> tuple[Argument]:
    return (Argument((BATCH, 3, size, size)),)


def video(frames: int, size: int) -> tuple[Argument]:
    return (Argument((BATCH, 3, frames, size, size)),)


def torchvision(name: str, arguments: tuple[Any, ...] | None = None, **options: Any) -> Model:
    def build() -> nn.Module:
        import torchvision

        module: nn.Module = torchvision.models.get_model(name, weights=None, **options)
        return module

    return Model("torchvision", build, arguments or images())


def segmentation(name: str) -> Model:
    return torchvision(name, weights_backbone=None)


def mvit() -> Model:
    """MViT v2 with one block of each kind: pooling, none, and more heads."""

    def build() -> nn.Module:
        from torchvision.models.video.mvit import MSBlockConfig, MViT

        def block(heads: int, inputs: int, outputs: int, stride: int, pooled: int) -> MSBlockConfig:
            kernel, steps = [3, 3, 3], [1, stride, stride]
            return MSBlockConfig(heads, inputs, outputs, kernel, kernel, steps, [1, pooled, pooled])

        blocks = [block(1, 32, 32, 1, 4), block(2, 32, 64, 2, 2), block(2, 64, 64, 1, 2)]
        return MViT(
            spatial_size=(64, 64),
            temporal_size=4,
            block_setting=blocks,
            residual_pool=True,
            residual_with_cls_embed=False,
            rel_pos_embed=True,
            proj_after_attn=True,
        )

    return Model("torchvision", build, video(4, 64))


def maxvit() -> Model:
    """MaxViT with one layer a block."""

    def build() -> nn.Module:
        from torchvision.models.maxvit import MaxVit

        return MaxVit(
            input_size=(128, 128),
            stem_channels=64,
            partition_size=4,
            block_channels=[64, 128, 256, 512],
            block_layers=[1, 1, 1, 1],
            head_dim=32,
            stochastic_depth_prob=0.2,
        )

    return Model("torchvision", build, images(128))


def s3d() -> Model:
    """S3D with a last window for small videos."""

    def build() -> nn.Module:
        import torchvision

        module: nn.Module = torchvision.models.get_model("s3d", weights=None)
        module.avgpool = nn.AvgPool3d((1, 2, 2), stride=1)
        return module

    return Model("torchvision", build, video(8, 64))


TORCHVISION = {
    "alexnet": torchvision("alexnet"),
    "vgg11_bn": torchvision("vgg11_bn"),
    "resnet18": torchvision("resnet18"),
    "resnext50_32x4d": torchvision("resnext50_32x4d"),
    "wide_resnet50_2": torchvision("wide_resnet50_2"),
    "densenet121": torchvision("densenet121"),
    "inception_v3": torchvision("inception_v3", images(128), init_weights=True),
    "googlenet": torchvision("googlenet", init_weights=True),
    "mobilenet_v2": torchvision("mobilenet_v2"),
    "mobilenet_v3_small": torchvision("mobilenet_v3_small"),
    "mnasnet0_5": torchvision("mnasnet0_5"),
    "shufflenet_v2_x0_5": torchvision("shufflenet_v2_x0_5"),
    "squeezenet1_1": torchvision("squeezenet1_1"),
    "efficientnet_b0": torchvision("efficientnet_b0"),
    "efficientnet_v2_s": torchvision("efficientnet_v2_s"),
    "regnet_x_400mf": torchvision("regnet_x_400mf"),
    "regnet_y_400mf": torchvision("regnet_y_400mf"),
    "convnext_tiny": torchvision("convnext_tiny"),
    "vit_b_32": torchvision("vit_b_32", image_size=64),
    "swin_t": torchvision("swin_t"),
    "swin_v2_t": torchvision("swin_v2_t"),
    "maxvit": maxvit(),
    "fcn_resnet50": segmentation("fcn_resnet50"),
    "deeplabv3_mobilenet_v3_large": segmentation("deeplabv3_mobilenet_v3_large"),
    "lraspp_mobilenet_v3_large": segmentation("lraspp_mobilenet_v3_large"),
    "r3d_18": torchvision("r3d_18", video(4, 32)),
    "mc3_18": torchvision("mc3_18", video(4, 32)),
    "r2plus1d_18": torchvision("r2plus1d_18", video(4, 32)),
    "s3d": s3d(),
    "mvit_v2": mvit(),
}


def timm(name: str, size: int = 64, **options: Any) -> Model:
    def build() -> nn.Module:
        import timm

        module: nn.Module = timm.create_model(name, pretrained=False, **options)
        return module

    return Model("timm", build, images(size))


TIMM = {
    "beit_base_patch16_224": timm(
        "beit_base_patch16_224", img_size=64, embed_dim=96, depth=3, num_heads=4
    ),
    "cait_xxs24_224": timm("cait_xxs24_224", img_size=64, depth=4),
    "coat_lite_tiny": timm("coat_lite_tiny", img_size=64),
    "convmixer_768_32": timm("convmixer_768_32"),
    "crossvit_9_240": timm("crossvit_9_240", 240),
    "deit3_small_patch16_224": timm("deit3_small_patch16_224", img_size=64, depth=4),
    "edgenext_xx_small": timm("edgenext_xx_small"),
    "efficientformer_l1": timm("efficientformer_l1", 224),
    "eva02_tiny_patch14_224": timm("eva02_tiny_patch14_224", 56, img_size=56, depth=4),
    "ghostnet_050": timm("ghostnet_050"),
    "hrnet_w18_small": timm("hrnet_w18_small"),
    "levit_128s": timm("levit_128s", img_size=64),
    "mixer_s32_224": timm("mixer_s32_224", img_size=64),
    "mobilevit_xxs": timm("mobilevit_xxs"),
    "nfnet_l0": timm("nfnet_l0"),
    "pvt_v2_b0": timm("pvt_v2_b0"),
    "repvgg_a0": timm("repvgg_a0"),
    "rexnet_100": timm("rexnet_100"),
    "volo_d1_224": timm("volo_d1_224", img_size=64),
    "xcit_nano_12_p16_224": timm("xcit_nano_12_p16_224", img_size=64),
}

VOCABULARY = 200
IDS = Argument((BATCH, LENGTH), ids=VOCABULARY)
MASK = Argument((BATCH, LENGTH), is_mask=True)
TOKENS: dict[str, Any] = {"vocab_size": VOCABULARY, "bos_token_id": 0, "eos_token_id": 0}
LAYERS: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
DECODER: dict[str, Any] = {"n_layer": 2, "n_embd": 64, "n_head": 4, "n_positions": 128}


def transformers(kind: str, arguments: tuple[Any, ...], **options: Any) -> Model:
    """A class of transformers with the configuration class that goes with it."""

    def build() -> nn.Module:
        import transformers

        network = getattr(transformers, kind)
        config = network.config_class(**options)
        module: nn.Module = network(config)
        return module

    return Model("transformers", build, arguments)


def wrapped(wrapper: Callable[[nn.Module], nn.Module], model: Model) -> Model:
    return replace(model, build=lambda: wrapper(model.build()))


class WithCache(nn.Module):
    """A step of a decoder: tokens and the keys and values before them, to logits and all keys."""

    def __init__(self, decoder: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, ids: torch.Tensor, past: Any) -> tuple[torch.Tensor, Any]:
        from transformers import DynamicCache

        result = self.decoder(input_ids=ids, past_key_values=DynamicCache(past), use_cache=True)
        cache = tuple((layer.keys, layer.values) for layer in result.past_key_values.layers)
        return result.logits, cache


class EncoderDecoder(nn.Module):
    """The first argument goes to the encoder, token ids to the decoder."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, source: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.network(source, decoder_input_ids=ids, use_cache=False).logits
        return logits


CACHED = Argument((BATCH, 4, LENGTH, 16))

TRANSFORMERS = {
    "bert": transformers("BertModel", (IDS, MASK), vocab_size=VOCABULARY, **LAYERS),
    "roberta": transformers(
        "RobertaForSequenceClassification", (IDS, MASK), **TOKENS, **LAYERS, pad_token_id=0
    ),
    "gpt2": transformers("GPT2LMHeadModel", (IDS,), use_cache=False, **TOKENS, **DECODER),
    "gpt2_cache": wrapped(
        WithCache,
        transformers(
            "GPT2LMHeadModel",
            (Argument((BATCH, 1), ids=VOCABULARY), ((CACHED, CACHED), (CACHED, CACHED))),
            **TOKENS,
            **DECODER,
        ),
    ),
    "llama": transformers(
        "LlamaForCausalLM", (IDS, MASK), use_cache=False, num_key_value_heads=2, **TOKENS, **LAYERS
    ),
    "t5": wrapped(
        EncoderDecoder,
        transformers(
            "T5ForConditionalGeneration",
            (IDS, IDS),
            vocab_size=VOCABULARY,
            d_model=64,
            d_kv=16,
            d_ff=128,
            num_layers=2,
            num_heads=4,
            decoder_start_token_id=0,
        ),
    ),
    "clip": transformers(
        "CLIPModel",
        (IDS, *images(), MASK),
        text_config={**LAYERS, **TOKENS},
        vision_config={**LAYERS, "image_size": 64, "patch_size": 16},
        projection_dim=32,
    ),
    "whisper": wrapped(
        EncoderDecoder,
        transformers(
            "WhisperForConditionalGeneration",
            (Argument((BATCH, 80, 64)), IDS),
            d_model=64,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=128,
            decoder_ffn_dim=128,
            max_source_positions=32,
            max_target_positions=64,
            decoder_start_token_id=1,
            pad_token_id=0,
            **TOKENS,
        ),
    ),
    "vit": transformers(
        "ViTForImageClassification", images(), image_size=64, patch_size=16, **LAYERS
    ),
    "mamba": transformers(
        "MambaForCausalLM",
        (Argument((BATCH, 8), ids=VOCABULARY),),
        use_cache=False,
        hidden_size=32,
        state_size=8,
        num_hidden_layers=2,
        **TOKENS,
    ),
}

MODELS = {**TORCHVISION, **TIMM, **TRANSFORMERS}
