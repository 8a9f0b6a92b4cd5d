#include <limits>

#include "compiler/conversion/converters/compose.h"
#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

/// A parameter of the normalization in x's dtype.
std::optional<Value> parameter(OpContext& op, std::string_view name, Value x) {
  const std::optional<Value> given = op.optional(name);
  return given ? std::optional(op.net().cast(*given, x.dtype())) : std::nullopt;
}

/// `present`, or the number for every element of `model`.
Value or_number(std::optional<Value> present, Value model, double number) {
  auto& net = model.builder();
  return present ? *present : expanded(net.scalar(number, model.dtype()), net.sizes(model));
}

/// One number per channel of x, in x's rank.
Value per_channel(Value factor, Value x) {
  auto& net = x.builder();
  Sizes shape(static_cast<std::size_t>(x.rank()), Size(1));
  shape[1] = net.size(factor, 0);
  return net.reshape(factor, shape);
}

// ---- batch norm ----

/// With the statistics of training, which are constants.
Value with_running_statistics(OpContext& op, Value x, std::string_view eps) {
  const std::optional<Value> mean = parameter(op, "running_mean", x);
  const std::optional<Value> variance = parameter(op, "running_var", x);
  if (!mean || !variance) throw op.refuse("running_mean or running_var is None, expected tensors");
  const Value gamma = or_number(parameter(op, "weight", x), *mean, 1);
  const Value beta = or_number(parameter(op, "bias", x), *mean, 0);
  return op.net().one(core::BatchNorm{op.number(eps)}, {x, gamma, beta, *mean, *variance});
}

/// With the statistics of this batch; also gives mean and 1 / deviation per channel.
struct BatchStatistics {
  Value y, mean, inverse_deviation;
};
BatchStatistics with_batch_statistics(OpContext& op, Value x) {
  auto& net = op.net();
  core::Ints axes = all_axes(x);
  axes.erase(axes.begin() + 1);
  const Moments m = moments(x, axes, 0);
  const Value inverse = unary(UnaryOp::recip, unary(UnaryOp::sqrt, m.variance + op.number("eps")));
  Value y = (x - m.mean) * inverse;
  if (const auto weight = parameter(op, "weight", x)) y = y * per_channel(*weight, x);
  if (const auto bias = parameter(op, "bias", x)) y = y + per_channel(*bias, x);
  return {y, net.squeeze(m.mean, axes), net.squeeze(inverse, axes)};
}

/// Batch statistics are fine where no running ones have to be updated: weight standardization uses
/// them so.
void refuse_update(OpContext& op) {
  if (!op.is_none("running_mean") || !op.is_none("running_var")) {
    throw op.refuse(
        "training is True, which updates the running statistics; put the model into eval mode");
  }
}

Value batch_norm(OpContext& op) {
  const Value x = op.value("input");
  if (!op.flag("training")) return with_running_statistics(op, x, "eps");
  refuse_update(op);
  return with_batch_statistics(op, x).y;
}

/// The results after the first are statistics for the backward pass; in inference they are empty.
template <int kResults>
std::vector<Bound> inference_results(OpContext& op, std::string_view eps) {
  for (std::size_t i = 1; i < kResults; ++i) {
    if (is_used(op.node(), i))
      throw op.refuse("its result ", i, " is used, which is empty in inference");
  }
  std::vector<Bound> results(kResults, unused());
  results[0] = with_running_statistics(op, op.value("input"), eps);
  return results;
}

std::vector<Bound> batch_norm_no_training(OpContext& op) { return inference_results<3>(op, "eps"); }

std::vector<Bound> batch_norm_no_stats(OpContext& op) {
  const auto [y, mean, inverse] = with_batch_statistics(op, op.value("input"));
  return {y, mean, inverse};
}

std::vector<Bound> native_batch_norm(OpContext& op) {
  if (!op.flag("training")) return batch_norm_no_training(op);
  refuse_update(op);
  return batch_norm_no_stats(op);
}

std::vector<Bound> cudnn_batch_norm(OpContext& op) {
  if (op.flag("training")) throw op.refuse("training is True; put the model into eval mode");
  return inference_results<4>(op, "epsilon");
}

Value instance_norm(OpContext& op) {
  const Value x = op.value("input");
  if (!op.flag("use_input_stats")) return with_running_statistics(op, x, "eps");
  if (!op.is_none("running_mean")) {
    throw op.refuse(
        "use_input_stats is True with running statistics, which it updates; put the model into "
        "eval mode");
  }
  const Value gamma = parameter(op, "weight", x).value_or(Value());
  const Value beta = parameter(op, "bias", x).value_or(Value());
  return op.net().one(core::InstanceNorm{op.number("eps")}, {x, gamma, beta});
}

// ---- layer, group and RMS norm ----

int normalized_axes(OpContext& op) { return static_cast<int>(op.sizes("normalized_shape").size()); }

Value layer_norm_of(OpContext& op) {
  return layer_norm(op.value("input"), normalized_axes(op), op.optional("weight"),
                    op.optional("bias"), op.number("eps"));
}

/// Mean and 1 / deviation over the last axes, kept dimensions.
std::vector<Bound> native_layer_norm(OpContext& op) {
  const Value x = op.value("input");
  core::Ints axes;
  for (int axis = x.rank() - normalized_axes(op); axis < x.rank(); ++axis) axes.push_back(axis);
  const Moments m = moments(x, axes, 0);
  const Value inverse = unary(UnaryOp::recip, unary(UnaryOp::sqrt, m.variance + op.number("eps")));
  return {layer_norm_of(op), op.as_result(m.mean, 1), op.as_result(inverse, 2)};
}

/// The layer wants a spatial axis.
Value group_norm_layer(OpContext& op, Value x, std::int64_t groups) {
  auto& net = op.net();
  const Value gamma = parameter(op, "weight", x).value_or(Value());
  const Value beta = parameter(op, "bias", x).value_or(Value());
  const core::GroupNorm layer{groups, op.number("eps")};
  if (x.rank() > 2) return net.one(layer, {x, gamma, beta});
  return net.squeeze(net.one(layer, {net.unsqueeze(x, {2}), gamma, beta}), {2});
}

Value group_norm(OpContext& op) {
  return group_norm_layer(op, op.value("input"), op.integer("num_groups"));
}

std::vector<Bound> native_group_norm(OpContext& op) {
  auto& net = op.net();
  const Value x = op.value("input");
  const std::int64_t groups = op.integer("group");
  const Value grouped = net.reshape(x, {net.size(x, 0), groups, -1});
  const Moments m = moments(grouped, {2}, 0);
  const Value inverse = unary(UnaryOp::recip, unary(UnaryOp::sqrt, m.variance + op.number("eps")));
  return {group_norm_layer(op, x, groups), net.squeeze(m.mean, {2}), net.squeeze(inverse, {2})};
}

/// The gap after 1 of float32, in which PyTorch computes smaller types too.
double rms_eps(OpContext& op) {
  return op.optional_number("eps").value_or(std::numeric_limits<float>::epsilon());
}

Value rms_norm(OpContext& op) {
  auto& net = op.net();
  const Value x = op.value("input");
  const double eps = rms_eps(op);
  const std::optional<Value> weight = parameter(op, "weight", x);
  const Value gamma = weight ? net.align_rank(*weight, x.rank()) : Value();
  return net.one(core::RmsNorm{x.rank() - normalized_axes(op), eps}, {x, gamma});
}

std::vector<Bound> fused_rms_norm(OpContext& op) {
  const Value x = op.value("input");
  core::Ints axes;
  for (int axis = x.rank() - normalized_axes(op); axis < x.rank(); ++axis) axes.push_back(axis);
  const Value mean = op.net().reduce(ReduceOp::mean, x * x, axes, true);
  const double eps = rms_eps(op);
  const Value inverse = unary(UnaryOp::recip, unary(UnaryOp::sqrt, mean + eps));
  return {rms_norm(op), op.as_result(inverse, 1)};
}

// ---- vector norms ----

/// The p-norm; None means 2.
Value norm_of(OpContext& op, std::string_view order) {
  const Value x = operand(op);
  const double p = op.optional_number(order).value_or(2);
  return vector_norm(x, p, axes_of(op, x), flag_if_any(op, "keepdim"));
}

Value linalg_vector_norm(OpContext& op) { return norm_of(op, "ord"); }
Value norm(OpContext& op) { return norm_of(op, "p"); }

Value frobenius_norm(OpContext& op) {
  const Value x = op.value("self");
  return vector_norm(x, 2, axes_of(op, x), op.flag("keepdim"));
}

/// A vector norm over one axis, or the 2-norm of everything; norms of matrices stay in PyTorch.
Value linalg_norm(OpContext& op) {
  const Value x = operand(op);
  const core::Ints axes = axes_of(op, x);
  if (!op.is_none("ord") && axes.size() > 1) {
    throw op.refuse("ord is ", op.number("ord"), " over ", axes.size(),
                    " axes, expected one axis or ord=None");
  }
  return norm_of(op, "ord");
}

Value matrix_norm(OpContext& op) {
  const std::string order = op.string("ord");
  if (order != "fro") throw op.refuse("ord is '", order, "', expected 'fro'");
  const Value x = operand(op);
  return vector_norm(x, 2, axes_of(op, x), flag_if_any(op, "keepdim"));
}

/// g * v / |v|, norms over every axis but `dim` (-1: over all).
Value weight_norm(OpContext& op) {
  const Value v = op.value("v");
  const std::int64_t dim = op.integer("dim");
  core::Ints axes = all_axes(v);
  if (dim != -1) axes.erase(axes.begin() + op.axis("dim", v.rank()));
  return v * (op.value("g") / vector_norm(v, 2, axes, true));
}

// ---- variance ----

/// unbiased=True and correction=None are a correction of 1.
double correction_of(OpContext& op) {
  if (has_argument(op, "unbiased")) return op.flag("unbiased") ? 1 : 0;
  return op.optional_number("correction").value_or(1);
}

struct Spread {
  Value spread, mean;
};
template <bool kDeviation>
Spread spread_of(OpContext& op) {
  const Value x = op.value("self");
  if (x.rank() == 0) throw op.refuse("self has no dimensions, expected at least 1");
  const core::Ints axes = axes_of(op, x);
  const Moments m = moments(x, axes, correction_of(op));
  const Value spread = kDeviation ? unary(UnaryOp::sqrt, m.variance) : m.variance;
  const bool keepdim = flag_if_any(op, "keepdim");
  return {without_axes(spread, axes, keepdim), without_axes(m.mean, axes, keepdim)};
}

template <bool kDeviation>
Value spread(OpContext& op) {
  return spread_of<kDeviation>(op).spread;
}

template <bool kDeviation>
std::vector<Bound> spread_and_mean(OpContext& op) {
  const Spread s = spread_of<kDeviation>(op);
  return {s.spread, s.mean};
}

}  // namespace

void add_normalization_ops(OpTable& table) {
  table.add<batch_norm>(
      "aten::batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
      "running_var, bool training, float momentum, float eps, bool cudnn_enabled) -> Tensor");
  table.add(
      "aten::_native_batch_norm_legit_no_training(Tensor input, Tensor? weight, Tensor? bias, "
      "Tensor running_mean, Tensor running_var, float momentum, float eps) -> (Tensor, Tensor, "
      "Tensor)",
      batch_norm_no_training);
  table.add(
      "aten::_native_batch_norm_legit.no_stats(Tensor input, Tensor? weight, Tensor? bias, bool "
      "training, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
      batch_norm_no_stats);
  table.add(
      "aten::native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, "
      "Tensor? running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
      native_batch_norm);
  table.add(
      "aten::cudnn_batch_norm(Tensor input, Tensor weight, Tensor? bias, Tensor? running_mean, "
      "Tensor? running_var, bool training, float exponential_average_factor, float epsilon) -> "
      "(Tensor, Tensor, Tensor, Tensor)",
      cudnn_batch_norm);
  table.add<instance_norm>(
      "aten::instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, "
      "Tensor? running_var, bool use_input_stats, float momentum, float eps, bool cudnn_enabled) "
      "-> Tensor");
  table.add<layer_norm_of>(
      "aten::layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, Tensor? "
      "bias=None, float eps=1.0000000000000001e-05, bool cudnn_enable=True) -> Tensor");
  table.add(
      "aten::native_layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight, Tensor? "
      "bias, float eps) -> (Tensor, Tensor, Tensor)",
      native_layer_norm);
  table.add<group_norm>(
      "aten::group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, "
      "float eps=1.0000000000000001e-05, bool cudnn_enabled=True) -> Tensor");
  table.add(
      "aten::native_group_norm(Tensor input, Tensor? weight, Tensor? bias, SymInt N, SymInt C, "
      "SymInt HxW, int group, float eps) -> (Tensor, Tensor, Tensor)",
      native_group_norm);
  table.add<rms_norm>(
      "aten::rms_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, float? "
      "eps=None) -> Tensor");
  table.add(
      "aten::_fused_rms_norm(Tensor input, int[] normalized_shape, Tensor? weight, float? eps) -> "
      "(Tensor, Tensor)",
      fused_rms_norm);

  table.add<linalg_vector_norm>(
      "aten::linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, "
      "*, ScalarType? dtype=None) -> Tensor");
  table
      .add<norm>(
          "aten::norm.ScalarOpt_dim_dtype(Tensor self, Scalar? p, int[1] dim, bool keepdim, *, "
          "ScalarType dtype) -> Tensor")
      .also("aten::norm.ScalarOpt_dim")
      .also("aten::norm.ScalarOpt_dtype")
      .also("aten::norm.Scalar");
  table.add<frobenius_norm>(
      "aten::frobenius_norm.dim(Tensor self, int[1] dim, bool keepdim=False) -> Tensor");
  table.add<linalg_norm>(
      "aten::linalg_norm(Tensor self, Scalar? ord=None, int[1]? dim=None, bool keepdim=False, *, "
      "ScalarType? dtype=None) -> Tensor");
  table.add<matrix_norm>(
      "aten::linalg_matrix_norm.str_ord(Tensor self, str ord=\"fro\", int[] dim=[-2, -1], bool "
      "keepdim=False, *, ScalarType? dtype=None) -> Tensor");
  table.add<weight_norm>("aten::_weight_norm(Tensor v, Tensor g, int dim=0) -> Tensor");

  table
      .add<spread<false>>(
          "aten::var.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool "
          "keepdim=False) -> Tensor")
      .also("aten::var.dim")
      .also("aten::var");
  table
      .add<spread<true>>(
          "aten::std.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool "
          "keepdim=False) -> Tensor")
      .also("aten::std.dim")
      .also("aten::std");
  table
      .add(
          "aten::var_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, "
          "bool keepdim=False) -> (Tensor, Tensor)",
          spread_and_mean<false>)
      .also("aten::var_mean.dim")
      .also("aten::var_mean");
  table
      .add(
          "aten::std_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, "
          "bool keepdim=False) -> (Tensor, Tensor)",
          spread_and_mean<true>)
      .also("aten::std_mean.dim")
      .also("aten::std_mean");
}

}  // namespace torch_tensorrt::compiler
