"""Attention: masks, ranks, grouped heads, PyTorch's fused layers."""

import torch
from ops.harness import Dyn, T, op_rows
from torch import nn
from torch.nn import functional as F

aten = torch.ops.aten
attention = F.scaled_dot_product_attention
Q = T(2, 4, 5, 8)
K = T(2, 4, 6, 8)
CAUSAL = torch.ones(5, 5, dtype=torch.bool).tril()
PADDED = torch.tensor([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]], dtype=torch.bool)


@op_rows(
    ("plain", attention, Q, K, K),
    (
        "dynamic",
        attention,
        Dyn((1, 4, 2, 8), (2, 4, 5, 8), (3, 4, 9, 8)),
        Dyn((1, 4, 2, 8), (2, 4, 6, 8), (3, 4, 9, 8)),
        Dyn((1, 4, 2, 8), (2, 4, 6, 8), (3, 4, 9, 8)),
    ),
    ("causal", lambda q: attention(q, q, q, is_causal=True), Q),
    ("causal_longer", lambda q, k: attention(q, k, k, is_causal=True), Q, K),
    ("scale", lambda q, k: attention(q, k, k, scale=0.1), Q, K),
    ("bool_mask", attention, Q, K, K, PADDED[:, None, None, :]),
    ("bool_mask_2d", lambda q, m: attention(q, q, q, m), Q, CAUSAL),
    ("float_mask", attention, Q, K, K, T(2, 1, 5, 6)),
    ("float_mask_3d", attention, Q, K, K, T(4, 5, 6)),
    ("nothing_attends", lambda q, m: attention(q, q, q, m), Q, CAUSAL & (torch.arange(5) > 1)),
    ("other_value_depth", attention, Q, K, T(2, 4, 6, 3)),
    ("grouped", lambda q, k: attention(q, k, k, enable_gqa=True), Q, T(2, 2, 6, 8)),
    ("rank_3", attention, T(4, 5, 8), T(4, 6, 8), T(4, 6, 8)),
    ("rank_3_mask", attention, T(4, 5, 8), T(4, 6, 8), T(4, 6, 8), T(4, 5, 6, dtype=torch.bool)),
    ("rank_2", attention, T(5, 8), T(6, 8), T(6, 8)),
    ("rank_5", attention, T(2, 3, 4, 5, 8), T(2, 3, 4, 6, 8), T(2, 3, 4, 6, 8)),
    ("rank_5_mask", attention, T(2, 3, 4, 5, 8), T(2, 3, 4, 6, 8), T(2, 3, 4, 6, 8), T(3, 1, 5, 6)),
)
def test_attention(case):
    case.check()


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


class SelfAttentionWeights(SelfAttention):
    def forward(self, x):
        return self.attention(x, x, x)


class CrossAttention(SelfAttention):
    def forward(self, x, memory):
        return self.attention(x, memory, memory)


def encoder_layer(**options):
    return nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, **options)


X = T(2, 5, 8)


@op_rows(
    ("multi_head", SelfAttention(), X),
    ("multi_head_weights", SelfAttentionWeights(), X),
    ("multi_head_cross", CrossAttention(), X, T(2, 7, 8)),
    ("encoder_layer", encoder_layer(), X),
    ("encoder_layer_gelu", encoder_layer(activation="gelu"), X),
    ("encoder_layer_norm_first", encoder_layer(norm_first=True), X),
    ("encoder_layer_dynamic", encoder_layer(), Dyn((1, 2, 8), (2, 5, 8), (4, 9, 8))),
    ("encoder", nn.TransformerEncoder(encoder_layer(), 2, enable_nested_tensor=False), X),
    dtypes=(torch.float32,),
)
def test_multi_head(case):
    case.check()


def fast_path(kind, mask):
    """The fused operator as traces have it; `mask` is True where nothing attends."""
    layer = encoder_layer().eval().requires_grad_(False)
    attention, weights = layer.self_attn, (layer.linear1, layer.linear2)

    class FastPath(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            return torch._transformer_encoder_layer_fwd(
                x, 8, 2, attention.in_proj_weight, attention.in_proj_bias,
                attention.out_proj.weight, attention.out_proj.bias, False, False, 1e-5,
                layer.norm1.weight, layer.norm1.bias, layer.norm2.weight, layer.norm2.bias,
                weights[0].weight, weights[0].bias, weights[1].weight, weights[1].bias,
                mask, kind,
            )  # fmt: skip

    module = FastPath()
    return lambda x: module(x)


@op_rows(
    ("no_mask", fast_path(None, None), X),
    ("lengths", fast_path(0, ~CAUSAL), X),
    ("padding", fast_path(1, ~PADDED[:, :5]), X),
    ("merged", fast_path(2, (~CAUSAL)[None, None].expand(2, 2, 5, 5)), X),
)
def test_fused_layers(case):
    case.check()


@op_rows(
    ("math", lambda q, k: aten._scaled_dot_product_attention_math(q, k, k)[0], Q, K),
    (
        "for_cpu",
        lambda q, k, m: aten._scaled_dot_product_flash_attention_for_cpu(q, k, k, attn_mask=m)[0],
        Q,
        K,
        T(2, 1, 5, 6),
    ),
)
def test_attention_decomposed(case):
    case.check()


@op_rows(
    ("plain", attention, Q, K, K),
    ("mask", attention, Q, K, K, PADDED[:, None, None, :]),
    dtypes=(torch.float16, torch.bfloat16),
)
def test_attention_half(case):
    case.check()
