"""Activations and softmax."""

import torch
from ops.harness import Dyn, Row, T, op_rows
from torch import nn
from torch.nn import functional as F

aten = torch.ops.aten

X = Dyn((1, 4, 3), (2, 4, 3), (5, 4, 3), low=-4, high=4)
FAR = T(4, 6, low=-30, high=30)


@op_rows(
    ("relu", nn.ReLU(), X),
    ("relu_ints", torch.relu, T(3, 4, dtype=torch.int64)),
    ("relu6", nn.ReLU6(), T(4, 6, low=-9, high=9)),
    ("sigmoid", nn.Sigmoid(), X),
    ("sigmoid_ints", torch.sigmoid, T(3, 4, dtype=torch.int64)),
    ("tanh", nn.Tanh(), X),
    ("silu", nn.SiLU(), X),
    ("mish", nn.Mish(), X),
    ("selu", nn.SELU(), X),
    ("gelu", nn.GELU(), X),
    ("gelu_tanh", nn.GELU(approximate="tanh"), X),
    ("hardswish", nn.Hardswish(), X),
    ("hardsigmoid", nn.Hardsigmoid(), X),
    ("hardtanh", nn.Hardtanh(-0.5, 2.0), X),
    ("hardtanh_ints", lambda x: F.hardtanh(x, -2, 3), T(3, 4, dtype=torch.int64)),
    ("leaky_relu", nn.LeakyReLU(0.2), X),
    ("elu", nn.ELU(0.7), X),
    ("celu", nn.CELU(0.7), X),
    ("celu_one", nn.CELU(), X),
    ("softplus", nn.Softplus(), FAR),
    ("softplus_beta", nn.Softplus(beta=2.5), FAR),
    ("softplus_threshold", nn.Softplus(beta=0.5, threshold=2), FAR),
    ("log_sigmoid", nn.LogSigmoid(), X),
    ("softsign", nn.Softsign(), X),
    ("tanhshrink", nn.Tanhshrink(), X),
    ("softshrink", nn.Softshrink(0.7), X),
    ("hardshrink", nn.Hardshrink(0.7), X),
    ("threshold", nn.Threshold(0.5, -3.0), X),
    ("logit", lambda x: torch.logit(x, 0.1), T(3, 4, low=0, high=1)),
    ("logit_plain", torch.logit, T(3, 4, low=0.1, high=0.9)),
    ("rrelu", nn.RReLU(), X),
)
def test_activation(case):
    case.check()


@op_rows(
    ("glu", nn.GLU(), T(3, 4, 6)),
    ("glu_axis", nn.GLU(1), X),
    ("glu_dynamic", lambda x: F.glu(torch.cat([x, x + 1]), 0), Dyn((2, 3), (4, 3), (8, 3))),
    ("prelu_shared", nn.PReLU(), X),
    ("prelu", nn.PReLU(4), X),
    ("prelu_2d", nn.PReLU(5), T(3, 5)),
    ("prelu_image", nn.PReLU(4), T(2, 4, 5, 3)),
)
def test_gated(case):
    case.check()


@op_rows(
    ("last", lambda x: torch.softmax(x, -1), X),
    ("first", lambda x: torch.softmax(x, 0), X),
    ("vector", nn.Softmax(0), T(7)),
    ("scalar", lambda x: torch.softmax(x * 2, 0), T()),
    ("of_ints", lambda x: torch.softmax(x, 0, dtype=torch.float32), T(4, 3, dtype=torch.int64)),
    ("softmin", nn.Softmin(1), X),
    ("log", nn.LogSoftmax(1), X),
    ("log_far", nn.LogSoftmax(1), T(3, 5, low=-90, high=90)),
    (
        "masked",
        lambda x, m: torch.softmax(x.masked_fill(m, float("-inf")), -1),
        T(4, 9),
        T(4, 9, dtype=torch.bool),
    ),
    Row(
        "to_float",
        lambda x: torch.softmax(x, -1, dtype=torch.float32),
        T(3, 4, dtype=torch.bfloat16),
    ),
)
def test_softmax(case):
    case.check()


@op_rows(
    ("softmax", lambda x: aten._softmax(x, -1, False), X),
    ("log_softmax", lambda x: aten._log_softmax(x, 1, False), X),
    (
        "safe_softmax",
        lambda x: aten._safe_softmax(x, -1),
        torch.tensor([[0.5, float("-inf"), 2.0], [float("-inf")] * 3]),
    ),
    ("prelu", lambda x, w: aten._prelu_kernel(x, w), X, T(4, 1)),
    ("rrelu", lambda x: aten.rrelu_with_noise_functional(x, x)[0], X),
)
def test_activation_decomposed(case):
    case.check()


@op_rows(
    ("gelu", nn.GELU(), X),
    ("silu", nn.SiLU(), X),
    ("softmax", nn.Softmax(-1), X),
    ("softplus", nn.Softplus(), X),
    dtypes=(torch.float16, torch.bfloat16),
)
def test_activation_half(case):
    case.check()
