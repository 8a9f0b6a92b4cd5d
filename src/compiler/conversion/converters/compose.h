#pragma once

// Compositions and small tools that several converter families share.

#include <optional>
#include <string_view>
#include <vector>

#include "compiler/conversion/op_context.h"

namespace torch_tensorrt::compiler {

using core::ActivationOp;
using core::BinaryOp;
using core::CompareOp;
using core::LogicalOp;
using core::ReduceOp;
using core::UnaryOp;

/// The argument in the result's dtype: integers become f32 where the function is a floating one.
Value operand(OpContext& op, std::string_view name = "self");
/// Does this overload have the argument?
bool has_argument(OpContext& op, std::string_view name);
/// The flag, false where the overload has no such argument.
bool flag_if_any(OpContext& op, std::string_view name);
/// Axes of x named by `dim`, a number or a list; all where it is None, empty or missing.
core::Ints axes_of(OpContext& op, Value x);

/// A number argument where it is known now; nothing where the host computes it or it is None.
std::optional<c10::Scalar> known_scalar(OpContext& op, std::string_view name);
/// x where the number is 1, else x times it. The number must be known now.
Value scaled(OpContext& op, Value x, std::string_view factor);

/// A number of x's dtype and rank.
inline Value like(Value x, double number) {
  return x.builder().scalar(number, x.dtype(), x.rank());
}
inline Value compare(CompareOp op, Value x, double number) {
  return x.builder().compare(op, x, like(x, number));
}
inline Value select(Value condition, Value a, Value b) {
  return condition.builder().select(condition, a, b);
}
inline Value logical(LogicalOp op, Value a, Value b) { return a.builder().logical(op, a, b); }
inline Value unary(UnaryOp op, Value x) { return x.builder().unary(op, x); }
inline Value binary(BinaryOp op, Value a, Value b) { return a.builder().binary(op, a, b); }
inline Value activation(ActivationOp op, Value x, double alpha = 0, double beta = 0) {
  return x.builder().activation(op, x, alpha, beta);
}
inline Value as_bool(Value x) { return x.builder().cast(x, DType::b); }

/// The greatest finite number of a floating type.
double greatest_finite(DType dtype);

/// Rounded toward zero; integers are themselves.
Value truncated(Value x);
/// exp(x) - 1 and log(1 + x), exact near 0.
Value expm1(Value x);
Value log1p(Value x);
/// max(a, b), min(a, b); bool too.
Value greater_of(Value a, Value b);
Value lesser_of(Value a, Value b);
/// x limited to [low, high], of any number type.
Value clipped(Value x, double low, double high);

/// All axes of x.
core::Ints all_axes(Value x);
/// Product of the sizes along `axes`.
Size count_along(Value x, const core::Ints& axes);
/// A size as a number of `dtype`, rank 0.
Value size_as(core::NetworkBuilder& net, const Size& size, DType dtype);

/// (sum |x|^p)^(1/p) with PyTorch's meanings of 0, inf and -inf.
Value vector_norm(Value x, double p, const core::Ints& axes, bool keepdims);
/// Mean, and sum of squared deviations over (count - correction); both keep the dimensions.
struct Moments {
  Value mean, variance;
};
Moments moments(Value x, const core::Ints& axes, double correction);
/// A reduced axis that was kept goes.
Value without_axes(Value x, const core::Ints& axes, bool keepdims);
/// log(sum(exp(x))), kept dimensions.
Value log_sum_exp(Value x, const core::Ints& axes);

/// torch.matmul: any ranks from 1 on, batch dimensions broadcast.
Value matrix_product(OpContext& op, Value a, Value b);
/// x weight^T + bias.
Value linear_layer(Value x, Value weight, std::optional<Value> bias);

/// Layer norm over the last `axes` axes; weight and bias have `axes` dimensions.
Value layer_norm(Value x, int axes, std::optional<Value> weight, std::optional<Value> bias,
                 double eps);

}  // namespace torch_tensorrt::compiler
