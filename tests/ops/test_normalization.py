"""Normalizations, norms and variances."""

import torch
from ops.harness import Dyn, T, op_rows
from torch import Tensor, nn
from torch.nn import functional as F

aten = torch.ops.aten

IMAGE = Dyn((1, 4, 5, 3), (2, 4, 5, 3), (4, 4, 5, 3))
X = Dyn((1, 4, 3), (2, 4, 3), (5, 4, 3))


class SumOfNorms(nn.Module):
    """A residual block's end; OpenVINO's own GroupNormalization crashes in it."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(4, 8, 1, stride=2), nn.Conv2d(4, 8, 3, stride=2, padding=1)
        self.norm_a, self.norm_b = nn.InstanceNorm2d(8), nn.GroupNorm(2, 8)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.norm_a(self.a(x)) + torch.relu(self.norm_b(self.b(x))))


@op_rows(
    ("image", nn.BatchNorm2d(4), IMAGE),
    ("rows", nn.BatchNorm1d(6), T(3, 6)),
    ("sequence", nn.BatchNorm1d(6), T(3, 6, 5)),
    ("volume", nn.BatchNorm3d(2), T(2, 2, 3, 4, 5)),
    ("not_affine", nn.BatchNorm2d(4, affine=False, eps=1e-3), IMAGE),
    (
        "no_weight",
        lambda x, m, v, b: F.batch_norm(x, m, v, None, b),
        IMAGE,
        T(4),
        T(4, low=0.5, high=2),
        T(4),
    ),
    ("batch_statistics", lambda x: F.batch_norm(x, None, None, training=True), T(3, 4, 5, 5)),
)
def test_batch_norm(case):
    case.check()


@op_rows(
    ("last", nn.LayerNorm(3), X),
    ("two_axes", nn.LayerNorm((4, 3)), X),
    ("not_affine", nn.LayerNorm(3, elementwise_affine=False), X),
    ("no_bias", nn.LayerNorm(3, bias=False, eps=1e-6), X),
    ("dynamic_length", nn.LayerNorm(3), Dyn((1, 1, 3), (2, 4, 3), (5, 9, 3))),
    ("native", lambda x: torch.native_layer_norm(x, (3,), None, None, 1e-5), X),
    ("rms", nn.RMSNorm(3), X),
    ("rms_eps", nn.RMSNorm((4, 3), eps=1e-3), X),
    ("rms_not_affine", nn.RMSNorm(3, elementwise_affine=False), X),
)
def test_layer_norm(case):
    case.check()


@op_rows(
    ("group", nn.GroupNorm(2, 4), IMAGE),
    ("group_static", nn.GroupNorm(2, 4), T(2, 4, 5, 3)),
    ("group_sequence", nn.GroupNorm(3, 6), T(2, 6, 7)),
    ("group_rows", nn.GroupNorm(2, 6), T(3, 6)),
    ("group_not_affine", nn.GroupNorm(4, 4, affine=False), IMAGE),
    (
        "native_group",
        lambda x: torch.native_group_norm(x, None, None, 2, 4, 15, 2, 1e-5),
        T(2, 4, 5, 3),
    ),
    ("instance", nn.InstanceNorm2d(4), IMAGE),
    ("instance_affine", nn.InstanceNorm1d(4, affine=True), T(2, 4, 9)),
    ("instance_tracked", nn.InstanceNorm2d(4, affine=True, track_running_stats=True), IMAGE),
    ("sum_of_two", SumOfNorms(), T(2, 4, 8, 8)),
    ("local_response", nn.LocalResponseNorm(3), IMAGE),
)
def test_group_norm(case):
    case.check()


@op_rows(
    ("two", lambda x: torch.linalg.vector_norm(x, 2, -1), X),
    ("one", lambda x: torch.linalg.vector_norm(x, 1, (0, 1)), X),
    ("three", lambda x: torch.linalg.vector_norm(x, 3, 1, keepdim=True), X),
    ("zero", lambda x: torch.linalg.vector_norm(x, 0, 1), torch.tensor([[0.0, 1.0], [2.0, 3.0]])),
    ("inf", lambda x: torch.linalg.vector_norm(x, float("inf"), 1), X),
    ("minus_inf", lambda x: torch.linalg.vector_norm(x, -float("inf"), 1), X),
    ("all", lambda x: torch.linalg.vector_norm(x), X),
    ("norm", lambda x: x.norm(), X),
    ("norm_axis", lambda x: x.norm(dim=1, keepdim=True), X),
    ("norm_p", lambda x: x.norm(1, -1), X),
    ("norm_dtype", lambda x: torch.norm(x, 2, 1, dtype=torch.float32), T(3, 4)),
    ("frobenius", lambda x: torch.norm(x, "fro", (1, 2)), X),
    ("linalg_norm", lambda x: torch.linalg.norm(x), X),
    ("linalg_norm_axis", lambda x: torch.linalg.norm(x, 1, 1), X),
    ("normalize", lambda x: F.normalize(x, dim=1), X),
    ("weight_norm", lambda v, g: torch._weight_norm(v, g, 0), T(4, 3), T(4, 1, low=0.5, high=1)),
)
def test_norm(case):
    case.check()


@op_rows(
    ("var", lambda x: x.var(), X),
    ("var_axis", lambda x: x.var(1), X),
    ("var_biased", lambda x: x.var((1, 2), unbiased=False), X),
    ("var_correction", lambda x: torch.var(x, 1, correction=2, keepdim=True), X),
    ("var_dynamic_axis", lambda x: x.var(0), Dyn((2, 3), (4, 3), (7, 3))),
    ("std", lambda x: x.std(1, keepdim=True), X),
    ("std_all", lambda x: x.std(unbiased=False), X),
    ("var_mean", lambda x: torch.var_mean(x, 1), X),
    ("std_mean", lambda x: torch.std_mean(x, (1, 2), unbiased=False), X),
    ("std_mean_all", lambda x: torch.std_mean(x), X),
)
def test_variance(case):
    case.check()


STATISTICS = (T(4), T(4), T(4), T(4, low=0.5, high=2))


@op_rows(
    (
        "batch_norm",
        lambda x, w, b, m, v: aten._native_batch_norm_legit_no_training(x, w, b, m, v, 0.1, 1e-5)[
            0
        ],
        IMAGE,
        *STATISTICS,
    ),
    (
        "native_batch_norm",
        lambda x, w, b, m, v: aten.native_batch_norm(x, w, b, m, v, False, 0.1, 1e-5)[0],
        IMAGE,
        *STATISTICS,
    ),
    (
        "batch_statistics",
        lambda x, w, b: aten._native_batch_norm_legit.no_stats(x, w, b, True, 0.1, 1e-5),
        T(3, 4, 5, 5),
        *STATISTICS[:2],
    ),
    ("rms_norm", lambda x, w: aten._fused_rms_norm(x, (3,), w, 1e-5), X, T(3)),
)
def test_normalization_decomposed(case):
    case.check()


@op_rows(
    ("batch", nn.BatchNorm2d(4), IMAGE),
    ("layer", nn.LayerNorm(3), X),
    ("group", nn.GroupNorm(2, 4), IMAGE),
    ("rms", nn.RMSNorm(3), X),
    dtypes=(torch.float16, torch.bfloat16),
)
def test_normalization_half(case):
    case.check()
