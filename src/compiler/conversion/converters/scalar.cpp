// Arithmetic on numbers: shape computations of TorchScript and FX graphs. Whole numbers are i64
// scalars that the host can compute, floats f32 scalars.

#include <algorithm>

#include "compiler/conversion/converters/compose.h"
#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

// ---- shapes ----

Value size_along(OpContext& op) {
  const Value x = op.value("self");
  return op.net().value(op.net().size(x, op.axis("dim", x.rank())));
}

std::vector<Bound> sizes(OpContext& op) {
  std::vector<Value> out;
  for (const Size& size : op.net().sizes(op.value("self"))) out.push_back(op.net().value(size));
  return {out};
}

Value shape_as_tensor(OpContext& op) { return op.net().shape_of(op.value("self")); }

Value rank(OpContext& op) { return op.net().scalar_i64(op.value("self").rank()); }

Value numel(OpContext& op) {
  const Value x = op.value("self");
  return op.net().value(count_along(x, all_axes(x)));
}

Value length_of_tensor(OpContext& op) { return op.net().value(op.net().size(op.value("t"), 0)); }

// ---- conversions ----

/// A one-element tensor or a number as a scalar of `dtype`.
Value scalar_of(Value x, DType dtype) {
  auto& net = x.builder();
  return net.cast(x.rank() == 0 ? x : net.reshape(x, {}), dtype);
}

template <DType kTo>
Value to_number(OpContext& op) {
  return scalar_of(op.value("a"), kTo);
}

/// Of the kind of number that it is.
Value number_of(Value x) {
  if (x.dtype() == DType::b) return scalar_of(x, DType::b);
  return scalar_of(x, core::is_float(x.dtype()) ? DType::f32 : DType::i64);
}

Value scalar_implicit(OpContext& op) { return number_of(op.value("a")); }
Value item(OpContext& op) { return number_of(op.value("self")); }
Value to_tensor(OpContext& op) { return operand(op, "a"); }
Value tensor_of_number(OpContext& op) { return operand(op, "t"); }

/// A vector of numbers.
Value tensor_of_list(OpContext& op) {
  auto& net = op.net();
  std::vector<Value> elements;
  for (const Value& element : op.values("data")) {
    if (element.rank() != 0) throw op.refuse("data has nested lists, expected a list of numbers");
    elements.push_back(net.unsqueeze(op.as_result(element), {0}));
  }
  if (elements.empty()) throw op.refuse("data is empty, expected at least one number");
  return net.concat(elements, 0);
}

// ---- arithmetic ----

struct Pair {
  Value a, b;
};

/// Both as i64, or as f32 where one is a float.
Pair numbers(OpContext& op) {
  const Value a = op.value("a"), b = op.value("b");
  const bool floating = core::is_float(a.dtype()) || core::is_float(b.dtype());
  const DType to = floating ? DType::f32 : DType::i64;
  return {scalar_of(a, to), scalar_of(b, to)};
}

template <BinaryOp kOp>
Value arithmetic(OpContext& op) {
  const auto [a, b] = numbers(op);
  return op.net().binary(kOp, a, b);
}

template <BinaryOp kOp>
Value floating_arithmetic(OpContext& op) {
  const auto [a, b] = numbers(op);
  return op.net().binary(kOp, scalar_of(a, DType::f32), scalar_of(b, DType::f32));
}

template <CompareOp kOp>
Value comparison(OpContext& op) {
  const auto [a, b] = numbers(op);
  return op.net().compare(kOp, a, b);
}

template <LogicalOp kOp>
Value connective(OpContext& op) {
  const auto [a, b] = Pair{op.value("a"), op.value("b")};
  return op.net().logical(kOp, a, b);
}

template <UnaryOp kOp>
Value magnitude(OpContext& op) {
  return op.net().unary(kOp, number_of(op.value("a")));
}

template <UnaryOp kOp>
Value floating_function(OpContext& op) {
  return op.net().unary(kOp, scalar_of(op.value("a"), DType::f32));
}

/// floor and ceil give whole numbers.
template <UnaryOp kOp>
Value rounded(OpContext& op) {
  const Value x = number_of(op.value("a"));
  if (!core::is_float(x.dtype())) return x;
  return op.net().cast(op.net().unary(kOp, x), DType::i64);
}

Value logical_not(OpContext& op) { return unary(UnaryOp::logical_not, as_bool(op.value("self"))); }

/// start + index * step.
Value loop_index(OpContext& op) { return op.value("start") + op.value("index") * op.value("step"); }

// ---- lists ----

Value length(OpContext& op) {
  return op.net().scalar_i64(static_cast<std::int64_t>(op.values("a").size()));
}

Value list_element(OpContext& op) {
  const std::vector<Value> list = op.values("list");
  const auto count = static_cast<std::int64_t>(list.size());
  const std::int64_t given = op.integer("idx");
  const std::int64_t index = given < 0 ? given + count : given;
  if (index < 0 || index >= count) {
    throw op.refuse("idx is ", given, ", expected ", -count, "..", count - 1);
  }
  return list[static_cast<std::size_t>(index)];
}

/// list[start:end:step].
std::vector<Bound> sliced_list(OpContext& op) {
  const std::vector<Value> list = op.values("l");
  const auto count = static_cast<std::int64_t>(list.size());
  const std::int64_t step = op.integer("step");
  if (step == 0) throw op.refuse("step is 0, expected another number");
  const auto bound = [&](std::string_view name, std::int64_t otherwise) {
    const auto given = op.optional_integer(name);
    if (!given) return otherwise;
    const std::int64_t index = *given < 0 ? *given + count : *given;
    return step > 0 ? std::clamp<std::int64_t>(index, 0, count)
                    : std::clamp<std::int64_t>(index, -1, count - 1);
  };
  std::vector<Value> out;
  const std::int64_t end = bound("end", step > 0 ? count : -1);
  for (std::int64_t i = bound("start", step > 0 ? 0 : count - 1); step > 0 ? i < end : i > end;
       i += step) {
    out.push_back(list[static_cast<std::size_t>(i)]);
  }
  return {out};
}

std::vector<Bound> joined_lists(OpContext& op) {
  std::vector<Value> out = op.values("a");
  const std::vector<Value> more = op.values("b");
  out.insert(out.end(), more.begin(), more.end());
  return {out};
}

std::vector<Bound> repeated_list(OpContext& op) {
  const std::vector<Value> once = op.values("l");
  std::vector<Value> out;
  for (std::int64_t i = 0; i < op.integer("n"); ++i)
    out.insert(out.end(), once.begin(), once.end());
  return {out};
}

std::vector<Bound> copied_list(OpContext& op) { return {op.values("l")}; }

template <BinaryOp kOp>
Value extreme_of_list(OpContext& op) {
  const std::vector<Value> list = op.values("self");
  if (list.empty()) throw op.refuse("the list is empty, expected at least one number");
  Value out = list.front();
  for (const Value& element : list) out = op.net().binary(kOp, out, element);
  return out;
}

/// Checks of what conversion knows already.
std::vector<Bound> nothing(OpContext& /*op*/) { return {}; }

void add_shape_numbers(OpTable& table) {
  table.add<size_along>("aten::size.int(Tensor self, int dim) -> int").also("aten::sym_size.int");
  table.add("aten::size(Tensor self) -> int[]", sizes).also("aten::sym_size");
  table.add<shape_as_tensor>("aten::_shape_as_tensor(Tensor self) -> Tensor");
  table.add<rank>("aten::dim(Tensor self) -> int");
  table.add<numel>("aten::numel(Tensor self) -> int").also("aten::sym_numel");
  table.add<length_of_tensor>("aten::len.Tensor(Tensor t) -> int");

  table.add<to_number<DType::i64>>("aten::Int.Tensor(Tensor a) -> int")
      .also("aten::Int.Scalar")
      .also("aten::Int.bool")
      .also("aten::Int.float")
      .also("aten::IntImplicit");
  table.add<to_number<DType::f32>>("aten::Float.Tensor(Tensor a) -> float")
      .also("aten::Float.Scalar")
      .also("aten::Float.bool")
      .also("aten::Float.int")
      .also("aten::FloatImplicit");
  table.add<to_number<DType::b>>("aten::Bool.Tensor(Tensor a) -> bool")
      .also("aten::Bool.int")
      .also("aten::Bool.float");
  table.add<scalar_implicit>("aten::ScalarImplicit(Tensor a) -> Scalar");
  table.add<item>("aten::item(Tensor self) -> Scalar").also("aten::_local_scalar_dense");
  table.add<to_tensor>("prim::NumToTensor.Scalar(Scalar a) -> Tensor")
      .also("prim::NumToTensor.bool");
  table
      .add<tensor_of_number>(
          "aten::tensor.int(int t, *, ScalarType? dtype=None, Device? device=None, bool "
          "requires_grad=False) -> Tensor")
      .also("aten::tensor.float")
      .also("aten::tensor.bool");
  table.add<tensor_of_list>(
      "aten::tensor(t[] data, *, ScalarType? dtype=None, Device? device=None, bool "
      "requires_grad=False) -> Tensor");
  table.add(
      "aten::_assert_tensor_metadata(Tensor a, SymInt[]? size=None, SymInt[]? stride=None, "
      "ScalarType? dtype=None, *, Device? device=None, Layout? layout=None) -> ()",
      nothing);
}

void add_number_arithmetic(OpTable& table) {
  table.add<arithmetic<BinaryOp::add>>("aten::add.int(int a, int b) -> int")
      .also("aten::add")
      .also("aten::add.float")
      .also("aten::add.int_float")
      .also("aten::add.float_int");
  table.add<arithmetic<BinaryOp::sub>>("aten::sub.int(int a, int b) -> int")
      .also("aten::sub")
      .also("aten::sub.float")
      .also("aten::sub.int_float")
      .also("aten::sub.float_int");
  table.add<arithmetic<BinaryOp::mul>>("aten::mul.int(int a, int b) -> int")
      .also("aten::mul")
      .also("aten::mul.float")
      .also("aten::mul.int_float")
      .also("aten::mul.float_int");
  table.add<floating_arithmetic<BinaryOp::div>>("aten::div.int(int a, int b) -> float")
      .also("aten::div")
      .also("aten::div.float");
  table.add<arithmetic<BinaryOp::floor_div>>("aten::floordiv.int(int a, int b) -> int")
      .also("aten::floordiv")
      .also("aten::floordiv.float")
      .also("aten::floordiv.int_float")
      .also("aten::floordiv.float_int");
  table.add<arithmetic<BinaryOp::div>>("aten::__round_to_zero_floordiv.int(int a, int b) -> int");
  table.add<arithmetic<BinaryOp::remainder>>("aten::remainder.int(int a, int b) -> int")
      .also("aten::remainder")
      .also("aten::remainder.float")
      .also("aten::remainder.int_float")
      .also("aten::remainder.float_int");
  table.add<floating_arithmetic<BinaryOp::fmod>>("aten::fmod.int(int a, int b) -> float")
      .also("aten::fmod")
      .also("aten::fmod.float");
  table.add<floating_arithmetic<BinaryOp::pow>>("aten::pow.int(int a, int b) -> float")
      .also("aten::pow.float")
      .also("aten::pow.int_float")
      .also("aten::pow.float_int")
      .also("aten::pow.Scalar_Scalar");
  table.add<arithmetic<BinaryOp::pow>>("aten::pow.int_to_int(int a, int b) -> int");
  table.add<arithmetic<BinaryOp::max>>("prim::max.int(int a, int b) -> int")
      .also("prim::max")
      .also("prim::max.float")
      .also("prim::max.int_float")
      .also("prim::max.float_int");
  table.add<arithmetic<BinaryOp::min>>("prim::min.int(int a, int b) -> int")
      .also("prim::min")
      .also("prim::min.float")
      .also("prim::min.int_float")
      .also("prim::min.float_int");
  table.add<magnitude<UnaryOp::neg>>("aten::neg.int(int a) -> int")
      .also("aten::neg.float")
      .also("aten::neg.Scalar");
  table.add<magnitude<UnaryOp::abs>>("prim::abs.int(int a) -> int")
      .also("prim::abs.float")
      .also("prim::abs.Scalar");
  table.add<rounded<UnaryOp::floor>>("aten::floor.int(int a) -> int")
      .also("aten::floor.float")
      .also("aten::floor.Scalar");
  table.add<rounded<UnaryOp::ceil>>("aten::ceil.int(int a) -> int")
      .also("aten::ceil.float")
      .also("aten::ceil.Scalar");
  table.add<floating_function<UnaryOp::sqrt>>("aten::sqrt.int(int a) -> float")
      .also("aten::sqrt.float")
      .also("aten::sqrt.Scalar");
  table.add<floating_function<UnaryOp::exp>>("aten::exp.int(int a) -> float")
      .also("aten::exp.float");
  table.add<floating_function<UnaryOp::log>>("aten::log.int(int a) -> float")
      .also("aten::log.float");
  table.add<loop_index>("aten::__derive_index(int index, int start, int step) -> int");
}

void add_number_comparisons(OpTable& table) {
  table.add<comparison<CompareOp::eq>>("aten::eq.int(int a, int b) -> bool")
      .also("aten::eq")
      .also("aten::eq.float")
      .also("aten::eq.int_float")
      .also("aten::eq.float_int")
      .also("aten::eq.bool");
  table.add<comparison<CompareOp::ne>>("aten::ne.int(int a, int b) -> bool")
      .also("aten::ne")
      .also("aten::ne.float")
      .also("aten::ne.int_float")
      .also("aten::ne.float_int")
      .also("aten::ne.bool");
  table.add<comparison<CompareOp::lt>>("aten::lt.int(int a, int b) -> bool")
      .also("aten::lt")
      .also("aten::lt.float")
      .also("aten::lt.int_float")
      .also("aten::lt.float_int");
  table.add<comparison<CompareOp::le>>("aten::le.int(int a, int b) -> bool")
      .also("aten::le")
      .also("aten::le.float")
      .also("aten::le.int_float")
      .also("aten::le.float_int");
  table.add<comparison<CompareOp::gt>>("aten::gt.int(int a, int b) -> bool")
      .also("aten::gt")
      .also("aten::gt.float")
      .also("aten::gt.int_float")
      .also("aten::gt.float_int");
  table.add<comparison<CompareOp::ge>>("aten::ge.int(int a, int b) -> bool")
      .also("aten::ge")
      .also("aten::ge.float")
      .also("aten::ge.int_float")
      .also("aten::ge.float_int");
  table.add<connective<LogicalOp::logical_and>>("aten::__and__.bool(bool a, bool b) -> bool");
  table.add<connective<LogicalOp::logical_or>>("aten::__or__.bool(bool a, bool b) -> bool");
  table.add<connective<LogicalOp::logical_xor>>("aten::__xor__.bool(bool a, bool b) -> bool");
  table.add<logical_not>("aten::__not__(bool self) -> bool");
}

void add_lists(OpTable& table) {
  table.add<length>("aten::len.t(t[] a) -> int");
  table.add<list_element>("aten::__getitem__.t(t[](a) list, int idx) -> t(*)");
  table.add("aten::slice.t(t[] l, int? start=None, int? end=None, int step=1) -> t[]", sliced_list);
  table.add("aten::add.t(t[] a, t[] b) -> t[]", joined_lists);
  table.add("aten::mul.left_t(t[] l, int n) -> t[]", repeated_list).also("aten::mul.right_");
  table.add("aten::list.t(t[] l) -> t[]", copied_list);
  table.add<extreme_of_list<BinaryOp::max>>("prim::max.self_int(int[] self) -> int")
      .also("prim::max.self_float");
  table.add<extreme_of_list<BinaryOp::min>>("prim::min.self_int(int[] self) -> int")
      .also("prim::min.self_float");
}

}  // namespace

void add_scalar_ops(OpTable& table) {
  add_shape_numbers(table);
  add_number_arithmetic(table);
  add_number_comparisons(table);
  add_lists(table);
}

}  // namespace torch_tensorrt::compiler
