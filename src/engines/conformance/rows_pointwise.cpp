#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "core/text.h"
#include "engines/conformance/row.h"

namespace torch_tensorrt::engines::conformance {
namespace {

using core::ActivationOp;
using core::BinaryOp;
using core::CompareOp;
using core::LogicalOp;
using core::UnaryOp;

using F1 = at::Tensor (*)(const at::Tensor&);
using F2 = at::Tensor (*)(const at::Tensor&, const at::Tensor&);

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

std::string op_name(auto op) {
  return std::string(core::enum_names<decltype(op)>[static_cast<std::size_t>(op)]);
}

void add_unary(Rows& rows, UnaryOp op, F1 f, Fill fill = normal(0, 2),
               const DTypes& dtypes = kFloats, const std::string& variant = "") {
  rows.push_back({"unary/" + op_name(op) + variant, dtypes, Tolerance::pointwise, [=](Trial& t) {
                    t.output(t.net().unary(op, t.input({t.dim(1, 3, 6), 8}, fill)));
                    t.expect([=](const Tensors& x) -> Tensors { return {f(x[0])}; });
                  }});
}

void add_unary_rows(Rows& rows) {
  add_unary(rows, UnaryOp::abs, at::abs, natural(), kNumbers);
  add_unary(rows, UnaryOp::neg, at::neg, natural(), kNumbers);
  add_unary(rows, UnaryOp::sign, at::sign, natural(), kNumbers);
  add_unary(rows, UnaryOp::exp, at::exp);
  add_unary(rows, UnaryOp::exp, at::exp, listed({kNaN, kInf, -kInf, 0, 1}), kF32, "_special");
  add_unary(rows, UnaryOp::log, at::log, uniform(0.01, 9));
  add_unary(rows, UnaryOp::sqrt, at::sqrt, uniform(0, 9));
  add_unary(rows, UnaryOp::recip, at::reciprocal, uniform(0.3, 3));
  add_unary(rows, UnaryOp::sin, at::sin);
  add_unary(rows, UnaryOp::cos, at::cos);
  add_unary(rows, UnaryOp::tan, at::tan, uniform(-1.2, 1.2));
  add_unary(rows, UnaryOp::asin, at::asin, uniform(-1, 1));
  add_unary(rows, UnaryOp::acos, at::acos, uniform(-1, 1));
  add_unary(rows, UnaryOp::atan, at::atan);
  add_unary(rows, UnaryOp::sinh, at::sinh, uniform(-2, 2));
  add_unary(rows, UnaryOp::cosh, at::cosh, uniform(-2, 2));
  add_unary(rows, UnaryOp::asinh, at::asinh);
  add_unary(rows, UnaryOp::acosh, at::acosh, uniform(1.1, 5));
  add_unary(rows, UnaryOp::atanh, at::atanh, uniform(-0.9, 0.9));
  add_unary(rows, UnaryOp::ceil, at::ceil);
  add_unary(rows, UnaryOp::floor, at::floor);
  const Fill ties = listed({-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49, 3.7});
  add_unary(rows, UnaryOp::round, [](const at::Tensor& x) { return at::round(x); }, ties);
  add_unary(rows, UnaryOp::erf, at::erf);
  add_unary(rows, UnaryOp::logical_not, at::logical_not, booleans(), kBool);
  const Fill special = listed({1, kNaN, -kInf, 0, kInf});
  add_unary(rows, UnaryOp::isnan, at::isnan, special);
  add_unary(rows, UnaryOp::isinf, at::isinf, special);
}

void add_activation(Rows& rows, ActivationOp op, double alpha, double beta, F1 f,
                    Fill fill = normal(0, 3), const DTypes& dtypes = kFloats,
                    const std::string& variant = "") {
  rows.push_back(
      {"activation/" + op_name(op) + variant, dtypes, Tolerance::pointwise, [=](Trial& t) {
         const Value x = t.input({t.dim(1, 3, 6), 8}, fill);
         t.output(t.net().activation(op, x, alpha, beta));
         t.expect([=](const Tensors& in) -> Tensors { return {f(in[0])}; });
       }});
}

using T = const at::Tensor&;

void add_activation_rows(Rows& rows) {
  add_activation(rows, ActivationOp::relu, 0, 0, at::relu, natural(), kNumbers);
  add_activation(rows, ActivationOp::relu, 0, 0, at::relu, listed({kNaN, -1, 2}), kF32, "_nan");
  add_activation(rows, ActivationOp::sigmoid, 0, 0, at::sigmoid);
  add_activation(rows, ActivationOp::tanh, 0, 0, at::tanh);
  add_activation(rows, ActivationOp::leaky_relu, 0.1, 0,
                 [](T x) { return at::leaky_relu(x, 0.1); });
  add_activation(rows, ActivationOp::elu, 1.5, 0, [](T x) { return at::elu(x, 1.5); });
  add_activation(rows, ActivationOp::selu, 0, 0, at::selu);
  add_activation(rows, ActivationOp::softsign, 0, 0, [](T x) { return x / (1 + x.abs()); });
  add_activation(rows, ActivationOp::softplus, 0, 1, [](T x) { return at::softplus(x); });
  add_activation(
      rows, ActivationOp::softplus, 0, 2.5, [](T x) { return at::softplus(x, 2.5); }, normal(0, 3),
      kFloats, "_beta");
  add_activation(rows, ActivationOp::clip, -1, 2, [](T x) { return at::clamp(x, -1, 2); });
  add_activation(
      rows, ActivationOp::clip, -1, 2, [](T x) { return at::clamp(x, -1, 2); },
      listed({kNaN, -kInf, kInf, 0}), kF32, "_special");
  add_activation(
      rows, ActivationOp::clip, 0, kInf, [](T x) { return at::clamp_min(x, 0); }, normal(0, 3),
      kF32, "_open");
  add_activation(rows, ActivationOp::hard_sigmoid, 1.0 / 6, 0.5,
                 [](T x) { return at::hardsigmoid(x); });
  add_activation(rows, ActivationOp::scaled_tanh, 1.7, 0.6,
                 [](T x) { return 1.7 * at::tanh(0.6 * x); });
  add_activation(rows, ActivationOp::thresholded_relu, 0.7, 0,
                 [](T x) { return at::where(x > 0.7, x, at::zeros_like(x)); });
  add_activation(rows, ActivationOp::gelu_erf, 0, 0, [](T x) { return at::gelu(x); });
  add_activation(rows, ActivationOp::gelu_tanh, 0, 0, [](T x) { return at::gelu(x, "tanh"); });
  add_activation(rows, ActivationOp::silu, 0, 0, at::silu);
  add_activation(rows, ActivationOp::mish, 0, 0, at::mish);
  add_activation(rows, ActivationOp::hard_swish, 0, 0, at::hardswish);
  rows.push_back({"prelu/channels", kFloats, Tolerance::pointwise, [](Trial& t) {
                    const at::Tensor slope = t.data({3}, uniform(0, 1));
                    const Value x = t.input({t.dim(1, 2, 4), 3, 5});
                    t.output(t.net().one(core::PRelu{}, {x, t.constant(slope.reshape({1, 3, 1}))}));
                    t.expect(
                        [=](const Tensors& in) -> Tensors { return {at::prelu(in[0], slope)}; });
                  }});
}

void add_binary(Rows& rows, BinaryOp op, const std::string& variant, const DTypes& dtypes, Fill fa,
                Fill fb, F2 f) {
  rows.push_back({"binary/" + op_name(op) + variant, dtypes, Tolerance::pointwise, [=](Trial& t) {
                    const Extent n = t.dim(1, 3, 6);
                    const Value a = t.input({n, 8}, fa);
                    const Value b = t.input({n, 8}, fb);
                    t.output(t.net().binary(op, a, b));
                    t.expect([=](const Tensors& x) -> Tensors { return {f(x[0], x[1])}; });
                  }});
}

void add_binary_rows(Rows& rows) {
  const Fill any = natural();
  const Fill divisor = nonzero(-4, 5);
  add_binary(rows, BinaryOp::add, "", kNumbers, any, any, [](T a, T b) { return a + b; });
  add_binary(rows, BinaryOp::sub, "", kNumbers, any, any, [](T a, T b) { return a - b; });
  add_binary(rows, BinaryOp::mul, "", kNumbers, any, any, [](T a, T b) { return a * b; });
  add_binary(rows, BinaryOp::div, "", kFloats, normal(), divisor, [](T a, T b) { return a / b; });
  add_binary(rows, BinaryOp::div, "_trunc", kInts, whole(-20, 21), divisor,
             [](T a, T b) { return at::div(a, b, "trunc"); });
  add_binary(rows, BinaryOp::floor_div, "", kNumbers, whole(-20, 21), divisor,
             [](T a, T b) { return at::div(a, b, "floor"); });
  add_binary(rows, BinaryOp::fmod, "", kNumbers, whole(-20, 21), divisor,
             [](T a, T b) { return at::fmod(a, b); });
  add_binary(rows, BinaryOp::remainder, "", kNumbers, whole(-20, 21), divisor,
             [](T a, T b) { return at::remainder(a, b); });
  add_binary(rows, BinaryOp::max, "", kNumbers, any, any, at::maximum);
  add_binary(rows, BinaryOp::min, "", kNumbers, any, any, at::minimum);
  add_binary(rows, BinaryOp::max, "_nan", kF32, listed({kNaN, 1, 2}), listed({1, kNaN, kNaN, 3}),
             at::maximum);
  add_binary(rows, BinaryOp::min, "_nan", kF32, listed({kNaN, 1, 2}), listed({1, kNaN, kNaN, 3}),
             at::minimum);
  add_binary(rows, BinaryOp::pow, "", kFloats, uniform(0.2, 3), uniform(-2, 2),
             [](T a, T b) { return at::pow(a, b); });
  add_binary(rows, BinaryOp::pow, "_int", kInts, whole(-4, 5), whole(0, 5),
             [](T a, T b) { return at::pow(a, b); });
  // 2^24 + 1 is the first whole number that f32 cannot hold.
  const Fill beyond_f32 = listed({16777217, -16777219, 33554433, 7});
  add_binary(rows, BinaryOp::div, "_large", kInts, beyond_f32, listed({1, -1, 3}),
             [](T a, T b) { return at::div(a, b, "trunc"); });
  add_binary(rows, BinaryOp::remainder, "_large", kInts, beyond_f32, listed({1000, 7, 5}),
             [](T a, T b) { return at::remainder(a, b); });
  add_binary(rows, BinaryOp::add, "_large", kInts, beyond_f32, listed({2, 5}),
             [](T a, T b) { return a + b; });
  rows.push_back({"binary/broadcast", kNumbers, Tolerance::pointwise, [](Trial& t) {
                    const Value a = t.input({t.dim(1, 2, 4), 1, 5});
                    const Value b = t.input({1, t.dim(1, 3, 6), 1});
                    t.output(a + b);
                    t.expect([](const Tensors& x) -> Tensors { return {x[0] + x[1]}; });
                  }});
  rows.push_back({"binary/scalars", kNumbers, Tolerance::pointwise, [](Trial& t) {
                    t.output(t.input({}) * t.input({}));
                    t.expect([](const Tensors& x) -> Tensors { return {x[0] * x[1]}; });
                  }});
  rows.push_back({"binary/empty", kF32, Tolerance::pointwise, [](Trial& t) {
                    const Extent n = t.dim(0, 2, 3);
                    t.output(t.input({n, 4}) + t.input({n, 4}));
                    t.expect([](const Tensors& x) -> Tensors { return {x[0] + x[1]}; });
                  }});
}

void add_compare(Rows& rows, CompareOp op, F2 f) {
  const auto add = [&](const std::string& variant, const DTypes& dtypes, Fill a, Fill b) {
    rows.push_back({"compare/" + op_name(op) + variant, dtypes, Tolerance::exact, [=](Trial& t) {
                      const Extent n = t.dim(1, 3, 6);
                      const Value x = t.input({n, 8}, a);
                      const Value y = t.input({n, 8}, b);
                      t.output(t.net().compare(op, x, y));
                      t.expect([=](const Tensors& in) -> Tensors { return {f(in[0], in[1])}; });
                    }});
  };
  add("", kNumbers, whole(-2, 3), whole(-2, 3));
  add("_nan", kF32, listed({kNaN, 1, 2, kInf}), listed({1, kNaN, 2, kNaN, kInf}));
  add("_large", kInts, listed({16777217, 16777216, 2000000001}),
      listed({16777216, 16777217, 2000000000}));
  if (op == CompareOp::eq || op == CompareOp::ne) add("_bool", kBool, booleans(), booleans());
}

void add_logical(Rows& rows, LogicalOp op, F2 f) {
  rows.push_back({"logical/" + op_name(op), kBool, Tolerance::exact, [=](Trial& t) {
                    const Extent n = t.dim(1, 3, 6);
                    const Value a = t.input({n, 8});
                    const Value b = t.input({n, 8});
                    t.output(t.net().logical(op, a, b));
                    t.expect([=](const Tensors& x) -> Tensors { return {f(x[0], x[1])}; });
                  }});
}

void add_select_rows(Rows& rows) {
  rows.push_back({"select/plain", kAll, Tolerance::exact, [](Trial& t) {
                    const Extent n = t.dim(1, 3, 6);
                    const Value condition = t.input({n, 8}, booleans(), DType::b);
                    const Value a = t.input({n, 8});
                    const Value b = t.input({n, 8});
                    t.output(t.net().select(condition, a, b));
                    t.expect(
                        [](const Tensors& x) -> Tensors { return {at::where(x[0], x[1], x[2])}; });
                  }});
  rows.push_back({"select/broadcast", kNumbers, Tolerance::exact, [](Trial& t) {
                    const Value condition = t.input({t.dim(1, 3, 6), 1, 4}, booleans(), DType::b);
                    const Value a = t.input({1, 5, 4});
                    const Value b = t.input({1, 1, 1});
                    t.output(t.net().select(condition, a, b));
                    t.expect(
                        [](const Tensors& x) -> Tensors { return {at::where(x[0], x[1], x[2])}; });
                  }});
}

void add_cast_rows(Rows& rows) {
  const DTypes from{DType::f32, DType::f16, DType::bf16, DType::i32,
                    DType::i64, DType::b,   DType::u8,   DType::i8};
  for (const DType to : from) {
    const bool to_unsigned = to == DType::u8;
    rows.push_back(
        {"cast/to_" + std::string(core::name(to)), from, Tolerance::pointwise, [=](Trial& t) {
           const Fill fill = to_unsigned || t.dtype() == DType::u8 ? uniform(0, 100)
                             : t.dtype() == DType::b               ? booleans()
                                                                   : uniform(-100, 100);
           const Value x = t.input({t.dim(1, 3, 6), 8}, fill);
           t.output(t.net().one(core::Cast{to}, {x}));
           t.expect([=](const Tensors& in) -> Tensors { return {in[0].to(scalar_type(to))}; });
         }});
  }
  rows.push_back({"cast/special_to_bool", kF32, Tolerance::exact, [](Trial& t) {
                    const Value x =
                        t.input({t.dim(1, 3, 6), 4}, listed({kNaN, 0, 0.3, kInf, -0.0}));
                    t.output(t.net().cast(x, DType::b));
                    t.expect([](const Tensors& in) -> Tensors { return {in[0].to(at::kBool)}; });
                  }});
}

}  // namespace

void add_pointwise_rows(Rows& rows) {
  add_unary_rows(rows);
  add_activation_rows(rows);
  add_binary_rows(rows);
  add_compare(rows, CompareOp::eq, [](T a, T b) { return a == b; });
  add_compare(rows, CompareOp::ne, [](T a, T b) { return a != b; });
  add_compare(rows, CompareOp::lt, [](T a, T b) { return a < b; });
  add_compare(rows, CompareOp::le, [](T a, T b) { return a <= b; });
  add_compare(rows, CompareOp::gt, [](T a, T b) { return a > b; });
  add_compare(rows, CompareOp::ge, [](T a, T b) { return a >= b; });
  add_logical(rows, LogicalOp::logical_and, [](T a, T b) { return at::logical_and(a, b); });
  add_logical(rows, LogicalOp::logical_or, [](T a, T b) { return at::logical_or(a, b); });
  add_logical(rows, LogicalOp::logical_xor, [](T a, T b) { return at::logical_xor(a, b); });
  add_select_rows(rows);
  add_cast_rows(rows);
  rows.push_back({"identity/plain", kAll, Tolerance::exact, [](Trial& t) {
                    const Value x = t.input({t.dim(1, 3, 6), 8});
                    t.outputs(
                        {t.net().one(core::Identity{}, {x}), t.net().one(core::Identity{}, {x})});
                    t.expect([](const Tensors& in) -> Tensors { return {in[0], in[0]}; });
                  }});
  rows.push_back({"identity/beyond_i32", kI64, Tolerance::exact, [](Trial& t) {
                    const Value x = t.input({t.dim(1, 3, 6), 4}, listed({1099511627776, -7}));
                    t.output(t.net().one(core::Identity{}, {x}));
                    t.expect([](const Tensors& in) { return in; });
                  }});
}

}  // namespace torch_tensorrt::engines::conformance
