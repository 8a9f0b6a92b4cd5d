"""Arithmetic of two tensors, or of a tensor and a number; type promotion; selection and copies."""

import torch
from ops.harness import Dyn, Row, T, op_rows

aten = torch.ops.aten

X = Dyn((1, 4, 3), (2, 4, 3), (5, 4, 3))
ROW = T(3)
COLUMN = T(4, 1)
INTS = T(4, 3, dtype=torch.int64)
SMALL = T(4, 3, dtype=torch.int32)
BOOLS = T(4, 3, dtype=torch.bool)
DIVISOR = T(4, 3, low=0.5, high=3)
INT_DIVISOR = T(4, 3, dtype=torch.int64, low=1, high=4)


@op_rows(
    ("rows", torch.add, X, ROW),
    ("columns", torch.add, X, COLUMN),
    ("rank_grows", torch.add, ROW, X),
    ("alpha", lambda a, b: torch.add(a, b, alpha=0.5), X, ROW),
    ("number", lambda x: x + 2.5, X),
    ("number_left", lambda x: 2 + x, X),
    ("ints_and_float", lambda x: x + 0.5, INTS),
    ("ints_and_floats", torch.add, INTS, T(3)),
    ("two_int_types", torch.add, INTS, SMALL),
    ("bools", torch.add, BOOLS, BOOLS),
    ("bool_and_int", torch.add, BOOLS, INTS),
    ("scalar_tensor", torch.add, SMALL, T(dtype=torch.int64)),
    ("sub", torch.sub, X, ROW),
    ("sub_alpha", lambda a, b: torch.sub(a, b, alpha=3), INTS, SMALL),
    ("rsub", lambda x: torch.rsub(x, 3, alpha=2), X),
    ("rsub_number", lambda x: 1.0 - x, X),
    ("mul", torch.mul, X, COLUMN),
    ("mul_bools", torch.mul, BOOLS, BOOLS),
    ("mul_bool_and_float", torch.mul, BOOLS, T(4, 3)),
    ("multiply", torch.multiply, X, ROW),
    ("self", lambda x: x + x * x, X),
)
def test_add_and_mul(case):
    case.check()


@op_rows(
    ("floats", torch.div, T(4, 3), DIVISOR),
    ("ints", torch.div, INTS, INT_DIVISOR),
    ("number", lambda x: x / 3, INTS),
    ("reciprocal", lambda x: 1 / x, DIVISOR),
    ("true_divide", torch.true_divide, INTS, INT_DIVISOR),
    (
        "floor",
        lambda a, b: torch.div(a, b, rounding_mode="floor"),
        T(4, 3, low=-9, high=9),
        DIVISOR,
    ),
    ("floor_ints", lambda a, b: torch.div(a, b, rounding_mode="floor"), INTS, INT_DIVISOR),
    (
        "trunc",
        lambda a, b: torch.div(a, b, rounding_mode="trunc"),
        T(4, 3, low=-9, high=9),
        DIVISOR,
    ),
    ("trunc_ints", lambda a, b: torch.div(a, b, rounding_mode="trunc"), INTS, INT_DIVISOR),
    ("floor_divide", torch.floor_divide, INTS, INT_DIVISOR),
    ("floor_divide_number", lambda x: x // 2, INTS),
    ("remainder", torch.remainder, T(4, 3, low=-9, high=9), DIVISOR),
    ("remainder_ints", torch.remainder, INTS, INT_DIVISOR),
    ("remainder_number", lambda x: x % 3, INTS),
    ("remainder_negative", lambda x: x % -3, INTS),
    ("remainder_of_number", lambda x: torch.remainder(7, x), INT_DIVISOR),
    ("fmod", torch.fmod, T(4, 3, low=-9, high=9), DIVISOR),
    ("fmod_ints", torch.fmod, INTS, INT_DIVISOR),
)
def test_divide(case):
    case.check()


@op_rows(
    ("square", lambda x: x**2, X),
    ("cube", lambda x: x**3, X),
    ("seventh", lambda x: x**7, X),
    ("zero", lambda x: x**0, X),
    ("inverse", lambda x: x**-1, DIVISOR),
    ("inverse_square", lambda x: x**-2, DIVISOR),
    ("root", lambda x: x**0.5, DIVISOR),
    ("inverse_root", lambda x: x**-0.5, DIVISOR),
    ("other", lambda x: x**1.7, DIVISOR),
    ("large", lambda x: x**11, X),
    ("ints", lambda x: x**2, INTS),
    ("ints_to_float", lambda x: x**1.5, INT_DIVISOR),
    ("tensors", torch.pow, DIVISOR, T(4, 3)),
    ("of_number", lambda x: 2.5**x, X),
    ("ldexp", torch.ldexp, T(4, 3), INTS),
)
def test_pow(case):
    case.check()


@op_rows(
    ("maximum", torch.maximum, X, ROW),
    ("minimum", torch.minimum, INTS, INTS),
    ("max_other", torch.max, X, COLUMN),
    ("min_other", torch.min, X, COLUMN),
    ("bools", torch.maximum, BOOLS, BOOLS),
    ("fmax", torch.fmax, torch.tensor([1.0, float("nan"), 3.0]), torch.tensor([2.0, 2.0, 2.0])),
    ("fmin", torch.fmin, torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, float("nan"), 2.0])),
    ("clamp", lambda x: torch.clamp(x, -0.5, 0.25), X),
    ("clamp_low", lambda x: torch.clamp(x, min=0.25), X),
    ("clamp_high", lambda x: torch.clamp(x, max=0.25), X),
    ("clamp_crossed", lambda x: torch.clamp(x, 0.5, -0.5), X),
    ("clamp_ints", lambda x: torch.clamp(x, -2, 3), INTS),
    ("clamp_ints_floats", lambda x: torch.clamp(x, -1.5, 2.5), INTS),
    ("clamp_tensors", torch.clamp, T(4, 3), T(3, low=-0.5, high=0), T(3, low=0, high=0.5)),
    ("clamp_min", lambda x: torch.clamp_min(x, 0.1), X),
    ("clamp_max", lambda x: torch.clamp_max(x, 0.1), X),
    ("clip", lambda x: torch.clip(x, -0.5, 0.25), X),
)
def test_extremes(case):
    case.check()


@op_rows(
    ("lerp", lambda a, b: torch.lerp(a, b, 0.3), X, X),
    ("lerp_weights", torch.lerp, T(4, 3), T(4, 3), T(3)),
    ("addcmul", lambda a, b, c: torch.addcmul(a, b, c, value=0.5), X, X, ROW),
    ("addcdiv", lambda a, b, c: torch.addcdiv(a, b, c, value=2), T(4, 3), T(4, 3), DIVISOR),
    ("atan2", torch.atan2, T(40), T(40)),
    (
        "atan2_axes",
        torch.atan2,
        torch.tensor([0.0, 1.0, -1.0, 0.0, 0.0]),
        torch.tensor([0.0, 0.0, 0.0, 1.0, -1.0]),
    ),
    (
        "hypot",
        torch.hypot,
        torch.tensor([3.0, 0.0, 3e30, 0.0]),
        torch.tensor([4.0, 0.0, 4e30, 2.0]),
    ),
    ("xlogy", torch.xlogy, torch.tensor([0.0, 2.0, 0.0]), torch.tensor([0.0, 3.0, 1.0])),
    ("xlogy_number", lambda x: torch.xlogy(2.0, x), DIVISOR),
    ("xlog1py", torch.special.xlog1py, torch.tensor([0.0, 2.0]), torch.tensor([-1.0, 3.0])),
    ("logaddexp", torch.logaddexp, T(4, 3, low=-50, high=50), T(4, 3, low=-50, high=50)),
    (
        "logaddexp_equal",
        torch.logaddexp,
        torch.tensor([1.0, float("-inf")]),
        torch.tensor([1.0, float("-inf")]),
    ),
    ("logaddexp2", torch.logaddexp2, T(4, 3), T(4, 3)),
    ("copysign", torch.copysign, T(4, 3), T(4, 3)),
    ("heaviside", torch.heaviside, torch.tensor([-1.0, 0.0, 2.0]), torch.tensor([0.5, 0.5, 0.5])),
)
def test_compositions(case):
    case.check()


@op_rows(
    ("and", torch.bitwise_and, BOOLS, BOOLS),
    ("or", lambda a, b: a | b, BOOLS, BOOLS),
    ("xor", lambda a, b: a ^ b, BOOLS, BOOLS),
    ("and_operator", lambda a, b: a & b, BOOLS, T(dtype=torch.bool)),
    ("not", torch.bitwise_not, BOOLS),
    ("not_ints", torch.bitwise_not, INTS),
    ("shift_left", lambda x: x << 3, INTS),
    ("shift_right", lambda x: x >> 1, INTS),
)
def test_bitwise(case):
    case.check()


@op_rows(
    ("tensors", torch.where, BOOLS, T(4, 3), T(4, 3)),
    ("broadcast", torch.where, T(4, 1, dtype=torch.bool), T(3), T(1, 3)),
    ("promoted", torch.where, BOOLS, INTS, T(4, 3)),
    ("number", lambda c, x: torch.where(c, x, 0.5), BOOLS, T(4, 3)),
    ("number_first", lambda c, x: torch.where(c, -1.0, x), BOOLS, T(4, 3)),
    ("numbers", lambda c: torch.where(c, 1.5, -0.5), BOOLS),
    ("masked_fill", lambda x, m: x.masked_fill(m, -2.0), T(2, 4, 3), BOOLS),
    ("masked_fill_inf", lambda x, m: x.masked_fill(m, float("-inf")), T(4, 3), BOOLS),
    ("masked_fill_tensor", lambda x, m, v: x.masked_fill(m, v), T(4, 3), BOOLS, T()),
    ("masked_fill_ints", lambda x, m: x.masked_fill(m, 7), INTS, BOOLS),
    ("masked_fill_in_place", lambda x, m: (x * 2).masked_fill_(m, 7), T(4, 3), BOOLS),
    (
        "nan_to_num",
        lambda x: torch.nan_to_num(x, 1.0, 2.0, -3.0),
        torch.tensor([0.5, float("nan"), float("inf"), float("-inf")]),
    ),
    (
        "nan_to_num_defaults",
        torch.nan_to_num,
        torch.tensor([0.5, float("nan"), float("inf"), float("-inf")]),
    ),
)
def test_selection(case):
    case.check()


@op_rows(
    ("float", lambda x: x.float() * 0.5, INTS),
    ("to_ints", lambda x: x.to(torch.int64), T(4, 3, low=-9, high=9)),
    ("to_bool", lambda x: x.bool(), INTS),
    Row("to_half_and_back", lambda x: x.half().float() * 2, X, tolerance=50),
    ("from_bool", lambda x: x.to(torch.float32), BOOLS),
    ("type_as", lambda a, b: a.type_as(b), INTS, T(3)),
    ("to_other", lambda a, b: a.to(b), INTS, T(3)),
    ("to_device", lambda x: x.to("cpu", torch.float32) + 1, SMALL),
    ("clone", lambda x: x.clone() + x.contiguous() * x.detach(), X),
    ("dropout", torch.nn.Dropout(0.5), X),
    ("dropout_2d", lambda x: torch.nn.functional.dropout2d(x, 0.5, False) + 1, T(2, 3, 4, 4)),
    ("copy", lambda x, y: (x * 1).copy_(y), T(4, 3), ROW),
)
def test_cast_and_copy(case):
    case.check()


@op_rows(
    ("to_copy", lambda x: aten._to_copy(x, dtype=torch.float32) * 2, INTS),
    ("alias", lambda x: aten.lift_fresh_copy(aten.alias(x)) + 1, X),
    ("copy", lambda x, y: aten.copy(x, y), X, ROW),
    ("native_dropout", lambda x: aten.native_dropout(x, 0.5, False), X),
    ("bitwise_and", lambda a, b: aten.bitwise_and(a, b), T(dtype=torch.bool), BOOLS),
)
def test_arithmetic_decomposed(case):
    case.check()


@op_rows(
    ("add", torch.add, X, ROW),
    ("number", lambda x: x * 0.3, X),
    ("div", torch.div, T(4, 3), DIVISOR),
    ("pow", lambda x: x**2.5, DIVISOR),
    ("clamp", lambda x: x.clamp(-0.5, 0.5), X),
    ("where", torch.where, BOOLS, T(4, 3), T(4, 3)),
    dtypes=(torch.float16, torch.bfloat16),
)
def test_arithmetic_half(case):
    case.check()
