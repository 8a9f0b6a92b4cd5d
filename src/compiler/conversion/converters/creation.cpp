#include <ATen/ops/linspace.h>
#include <ATen/ops/logspace.h>
#include <ATen/ops/tril_indices.h>
#include <ATen/ops/triu_indices.h>

#include <cmath>

#include "compiler/conversion/converters/compose.h"
#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

/// `shape` filled with a scalar of the result's dtype.
Value filled(OpContext& op, Value scalar, const Sizes& shape) {
  return expanded(op.as_result(scalar), shape);
}

Value number(OpContext& op, double value) { return op.net().scalar(value, op.result_dtype()); }

template <int kNumber>
Value constant_of_size(OpContext& op) {
  return filled(op, number(op, kNumber), op.sizes("size"));
}

template <int kNumber>
Value constant_like(OpContext& op) {
  return filled(op, number(op, kNumber), op.net().sizes(op.value("self")));
}

Value full(OpContext& op) { return filled(op, op.value("fill_value"), op.sizes("size")); }

Value full_like(OpContext& op) {
  return filled(op, op.value("fill_value"), op.net().sizes(op.value("self")));
}

Value fill(OpContext& op) {
  return filled(op, op.value("value"), op.net().sizes(op.value("self")));
}

Value scalar_tensor(OpContext& op) { return op.as_result(op.value("s")); }

// ---- sequences ----

/// 0, 1, ... count - 1 as i64.
Value counting(core::NetworkBuilder& net, const Size& count) {
  return net.range(net.scalar_i64(0), net.scalar_i64(1), net.value(count));
}

/// start + i * step for i < count in the result's dtype; the layer has no 16-bit types.
Value sequence(OpContext& op, Value start, Value step, const Size& count) {
  auto& net = op.net();
  const DType to = op.result_dtype();
  const DType within = to == DType::i64 || to == DType::i32 ? to
                       : core::is_float(to)                 ? DType::f32
                                                            : DType::i64;
  const Value y = net.range(net.cast(start, within), net.cast(step, within), net.value(count));
  return net.cast(y, to);
}

// Arguments that some overloads lack.

std::optional<c10::Scalar> known_or(OpContext& op, std::string_view name, std::int64_t otherwise) {
  return has_argument(op, name) ? known_scalar(op, name) : c10::Scalar(otherwise);
}

Size size_or(OpContext& op, std::string_view name, std::int64_t otherwise) {
  return has_argument(op, name) ? op.size(name) : Size(otherwise);
}

Value value_or(OpContext& op, std::string_view name, std::int64_t otherwise) {
  return has_argument(op, name) ? op.value(name) : op.net().scalar_i64(otherwise);
}

/// ceil((end - start) / step) elements; whole numbers may be computed by the host.
Size arange_count(OpContext& op) {
  auto& net = op.net();
  const auto start = known_or(op, "start", 0);
  const auto end = known_scalar(op, "end");
  const auto step = known_or(op, "step", 1);
  if (start && end && step) {
    const double span = end->toDouble() - start->toDouble();
    return static_cast<std::int64_t>(std::ceil(span / step->toDouble()));
  }
  const Size from = size_or(op, "start", 0), to = op.size("end"), by = size_or(op, "step", 1);
  const Size span = is_number(from, 0) ? to : net.sub(to, from);
  return is_number(by, 1) ? span : net.sub(0, net.floor_div(net.sub(0, span), by));
}

Value arange(OpContext& op) {
  const Size count = arange_count(op);
  return sequence(op, value_or(op, "start", 0), value_or(op, "step", 1), count);
}

/// As arange, with the end.
Value range_with_end(OpContext& op) {
  const double start = op.number("start"), end = op.number("end");
  const double step = has_argument(op, "step") ? op.number("step") : 1;
  const auto count = static_cast<std::int64_t>(std::floor((end - start) / step)) + 1;
  return sequence(op, op.value("start"), value_or(op, "step", 1), count);
}

at::TensorOptions result_options(OpContext& op) {
  return at::TensorOptions().dtype(to_torch(op.result_dtype()));
}

Value linspace(OpContext& op) {
  return op.constant(
      at::linspace(op.scalar("start"), op.scalar("end"), op.integer("steps"), result_options(op)));
}

Value logspace(OpContext& op) {
  return op.constant(at::logspace(op.scalar("start"), op.scalar("end"), op.integer("steps"),
                                  op.number("base"), result_options(op)));
}

// ---- matrices ----

/// column index - row index of a [rows, columns] matrix, i64.
Value diagonals(core::NetworkBuilder& net, const Size& rows, const Size& columns) {
  return counting(net, columns) - net.unsqueeze(counting(net, rows), {1});
}

Value eye(OpContext& op) {
  const Size rows = op.size("n");
  const Size columns = has_argument(op, "m") ? op.size("m") : rows;
  return op.as_result(compare(CompareOp::eq, diagonals(op.net(), rows, columns), 0));
}

/// Keeps what lies on one side of the diagonal.
template <CompareOp kKept>
Value triangle(OpContext& op) {
  auto& net = op.net();
  const Value x = op.value("self");
  if (x.rank() < 2) throw op.refuse("self has ", x.rank(), " dimensions, expected at least 2");
  const Value offset = net.value(op.size("diagonal"));
  const Value where = diagonals(net, net.size(x, x.rank() - 2), net.size(x, x.rank() - 1));
  return select(net.compare(kKept, where, offset), x, like(x, 0));
}

Value tril_indices(OpContext& op) {
  return op.constant(at::tril_indices(op.integer("row"), op.integer("col"), op.integer("offset"),
                                      result_options(op)));
}

Value triu_indices(OpContext& op) {
  return op.constant(at::triu_indices(op.integer("row"), op.integer("col"), op.integer("offset"),
                                      result_options(op)));
}

Value one_hot(OpContext& op) {
  auto& net = op.net();
  const Value x = op.value("self");
  const std::int64_t classes = op.integer("num_classes");
  if (classes < 1) {
    throw op.refuse("num_classes is ", classes,
                    ", expected it to be given: it must not depend on the data");
  }
  return net.one(core::OneHot{classes, x.rank()}, {x, net.scalar_i64(1), net.scalar_i64(0)});
}

Value random(OpContext& op) {
  throw op.refuse(
      "its results are random; they come from PyTorch's generator, so that a seed means the same");
}

void add_fill_ops(OpTable& table) {
  table
      .add<constant_of_size<0>>(
          "aten::zeros(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? "
          "device=None, bool? pin_memory=None) -> Tensor")
      .also("aten::new_zeros")
      .also("aten::empty.memory_format")
      .also("aten::empty_strided")
      .also("aten::empty_permuted")
      .also("aten::new_empty")
      .also("aten::new_empty_strided")
      .also("aten::_efficientzerotensor");
  table
      .add<constant_of_size<1>>(
          "aten::ones(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? "
          "device=None, bool? pin_memory=None) -> Tensor")
      .also("aten::new_ones");
  table
      .add<constant_like<0>>(
          "aten::zeros_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? "
          "device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor")
      .also("aten::empty_like");
  table.add<constant_like<1>>(
      "aten::ones_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? "
      "device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor");
  table
      .add<full>(
          "aten::full(SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? "
          "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor")
      .also("aten::new_full");
  table.add<full_like>(
      "aten::full_like(Tensor self, Scalar fill_value, *, ScalarType? dtype=None, Layout? "
      "layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) "
      "-> Tensor");
  table.add<fill>("aten::fill.Scalar(Tensor self, Scalar value) -> Tensor")
      .also("aten::fill.Tensor");
  table.add<scalar_tensor>(
      "aten::scalar_tensor(Scalar s, *, ScalarType? dtype=None, Layout? layout=None, Device? "
      "device=None, bool? pin_memory=None) -> Tensor");
}

}  // namespace

void add_creation_ops(OpTable& table) {
  add_fill_ops(table);
  table
      .add<arange>(
          "aten::arange.start_step(Scalar start, Scalar end, Scalar step=1, *, ScalarType? "
          "dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor")
      .also("aten::arange.start")
      .also("aten::arange");
  table
      .add<range_with_end>(
          "aten::range.step(Scalar start, Scalar end, Scalar step=1, *, ScalarType? dtype=None, "
          "Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor")
      .also("aten::range");
  table.add<linspace>(
      "aten::linspace(Scalar start, Scalar end, int steps, *, ScalarType? dtype=None, Layout? "
      "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor");
  table.add<logspace>(
      "aten::logspace(Scalar start, Scalar end, int steps, float base=10., *, ScalarType? "
      "dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor");

  table
      .add<eye>(
          "aten::eye.m(SymInt n, SymInt m, *, ScalarType? dtype=None, Layout? layout=None, Device? "
          "device=None, bool? pin_memory=None) -> Tensor")
      .also("aten::eye");
  table.add<triangle<CompareOp::le>>("aten::tril(Tensor self, SymInt diagonal=0) -> Tensor");
  table.add<triangle<CompareOp::ge>>("aten::triu(Tensor self, SymInt diagonal=0) -> Tensor");
  table.add<tril_indices>(
      "aten::tril_indices(int row, int col, int offset=0, *, ScalarType? dtype=4, Layout? "
      "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor");
  table.add<triu_indices>(
      "aten::triu_indices(int row, int col, int offset=0, *, ScalarType? dtype=4, Layout? "
      "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor");
  table.add<one_hot>("aten::one_hot(Tensor self, int num_classes=-1) -> Tensor");

  table
      .add<random>(
          "aten::rand(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? "
          "device=None, bool? pin_memory=None) -> Tensor")
      .also("aten::rand.generator")
      .also("aten::rand_like")
      .also("aten::randn")
      .also("aten::randn.generator")
      .also("aten::randn_like")
      .also("aten::randint")
      .also("aten::randint.low")
      .also("aten::randperm")
      .also("aten::bernoulli")
      .also("aten::bernoulli.p")
      .also("aten::multinomial");
}

}  // namespace torch_tensorrt::compiler
