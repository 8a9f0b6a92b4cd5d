"""Functions of one tensor, element by element."""

import torch
from ops.harness import Dyn, T, op_rows

X = Dyn((1, 3), (4, 3), (8, 3))
INTS = T(4, 5, dtype=torch.int64)
SPECIAL = torch.tensor([-2.5, -1.5, -0.5, 0.0, 0.5, 1.5, 2.5, 1e-8, 300.25, -7.0])


@op_rows(
    ("abs", torch.abs, X),
    ("abs_ints", torch.abs, INTS),
    ("neg", torch.neg, X),
    ("neg_ints", torch.neg, INTS),
    ("sign", torch.sign, SPECIAL),
    ("sign_ints", torch.sign, INTS),
    ("sgn", torch.sgn, X),
    ("signbit", torch.signbit, SPECIAL),
    ("signbit_ints", torch.signbit, INTS),
    ("positive", lambda x: torch.positive(x) * 2, X),
    ("square", torch.square, X),
    ("square_ints", torch.square, INTS),
    ("reciprocal", torch.reciprocal, T(4, 5, low=0.5, high=3)),
    ("reciprocal_ints", torch.reciprocal, T(4, 5, dtype=torch.int64, low=1, high=5)),
)
def test_sign_and_magnitude(case):
    case.check()


@op_rows(
    ("exp", torch.exp, X),
    ("exp_ints", torch.exp, INTS),
    ("exp2", torch.exp2, X),
    ("expm1", torch.expm1, X),
    ("expm1_small", torch.expm1, torch.tensor([1e-7, -1e-6, 1e-3, 0.0, 40.0, -40.0])),
    ("log", torch.log, T(4, 5, low=0.1, high=5)),
    ("log_of_zero", torch.log, torch.tensor([0.0, 1.0])),
    ("log2", torch.log2, T(4, 5, low=0.1, high=5)),
    ("log10", torch.log10, T(4, 5, low=0.1, high=5)),
    ("log1p", torch.log1p, T(4, 5, low=-0.9, high=5)),
    ("log1p_small", torch.log1p, torch.tensor([1e-7, -1e-6, 1e-3, 0.0, -1.0, 100.0])),
    ("sqrt", torch.sqrt, T(4, 5, low=0, high=5)),
    ("rsqrt", torch.rsqrt, T(4, 5, low=0.1, high=5)),
)
def test_exponential(case):
    case.check()


@op_rows(
    ("sin", torch.sin, T(4, 5, low=-7, high=7)),
    ("cos", torch.cos, T(4, 5, low=-7, high=7)),
    ("tan", torch.tan, X),
    ("asin", torch.asin, X),
    ("acos", torch.acos, X),
    ("atan", torch.atan, T(4, 5, low=-9, high=9)),
    ("sinh", torch.sinh, X),
    ("cosh", torch.cosh, X),
    ("asinh", torch.asinh, T(4, 5, low=-9, high=9)),
    ("acosh", torch.acosh, T(4, 5, low=1.1, high=9)),
    ("atanh", torch.atanh, T(4, 5, low=-0.9, high=0.9)),
    ("arctan", torch.arctan, X),
    ("sinc", torch.sinc, torch.tensor([0.0, 0.5, 1.0, -2.25])),
    ("deg2rad", torch.deg2rad, T(4, 5, low=-360, high=360)),
    ("rad2deg", torch.rad2deg, X),
)
def test_trigonometry(case):
    case.check()


@op_rows(
    ("ceil", torch.ceil, SPECIAL),
    ("floor", torch.floor, SPECIAL),
    ("floor_ints", lambda x: torch.floor(x) + 1, INTS),
    ("round", torch.round, SPECIAL),
    ("decimals", lambda x: torch.round(x, decimals=1), T(4, 5)),
    ("tens", lambda x: torch.round(x, decimals=-1), T(4, 5, low=-90, high=90)),
    ("trunc", torch.trunc, SPECIAL),
    ("fix", torch.fix, SPECIAL),
    ("frac", torch.frac, SPECIAL),
)
def test_rounding(case):
    case.check()


@op_rows(
    ("erf", torch.erf, T(4, 5, low=-3, high=3)),
    ("erfc", torch.erfc, T(4, 5, low=-2, high=2)),
    ("entr", torch.special.entr, torch.tensor([0.0, 0.5, 2.0, -1.0])),
)
def test_special(case):
    case.check()


@op_rows(
    ("exp", torch.exp, X),
    ("rsqrt", torch.rsqrt, T(4, 5, low=0.1, high=5)),
    ("tanh", torch.tanh, X),
    dtypes=(torch.float16, torch.bfloat16),
)
def test_unary_half(case):
    case.check()
