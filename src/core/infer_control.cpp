#include "core/infer.h"

namespace torch_tensorrt::core {
namespace {

bool has_zero_point(DType t) { return t == DType::i8 || t == DType::u8; }

void check_quantized(const Operands& in, std::string_view what, DType t) {
  const bool ok = has_zero_point(t) || t == DType::f8 || t == DType::i4 || t == DType::f4;
  in.require(ok, "C1", what, " is ", t, ", expected i8, u8, i4, f8 or f4");
}

void check_per_axis(const Operands& in, int i, std::int64_t axis, std::string_view code,
                    std::string_view why) {
  if (axis == -1) {
    in.require_rank(i, 0, code);
    return;
  }
  in.require_axis(axis, in[0].rank(), code);
  in.require_rank(i, 1, code);
  in.require_dim(i, 0, in.dim(0, axis), code, why);
}

void check_scale(const Operands& in, std::int64_t axis, DType quantized) {
  in.require_float(1, "C2");
  check_per_axis(in, 1, axis, "C3", "one scale per entry of axis");
  if (!in.has(2)) return;
  in.require(has_zero_point(quantized), "C4", "zero_point is given for ", quantized,
             ", expected i8 or u8");
  in.require_dtype(2, DType::i32, "C4");
  check_per_axis(in, 2, axis, "C4", "one zero point per entry of axis");
}

bool fits(const TensorType& got, const TensorType& expected) {
  return got.dtype == expected.dtype && got.rank() == expected.rank() &&
         std::equal(got.dims.begin(), got.dims.end(), expected.dims.begin(), may_equal);
}

/// The inputs of a sub-network from `first` on take the operands from `operand` on.
void check_body_inputs(const Operands& in, const Network& body, std::size_t first, int operand,
                       std::string_view what) {
  const auto given = static_cast<std::size_t>(in.count() - operand);
  in.require(body.inputs().size() == first + given, "C2", what, " has ", body.inputs().size(),
             " inputs, expected ", first + given);
  for (std::size_t i = 0; i < given; ++i) {
    const TensorType& type = body.type(body.inputs()[first + i]);
    const int at = operand + static_cast<int>(i);
    in.require(fits(in[at], type), "C3", in.name(at), " is ", in[at], ", expected ", type,
               " (input ", first + i, " of ", what, ")");
  }
}

void require_scalar_bool(const Operands& in, const TensorType& type, std::string_view code,
                         std::string_view what) {
  in.require(type.dtype == DType::b && type.rank() == 0, code, what, " is ", type,
             ", expected a bool scalar");
}

bool always_true(const Content* content) {
  return content != nullptr && content->size() == 1 && content->front().is_static() &&
         content->front().min != 0;
}

/// What either of two branches may give.
Extent either(const Extent& a, const Extent& b) {
  if (a == b) return a;
  return Extent::range(std::min(a.min, b.min), std::max(a.opt, b.opt), std::max(a.max, b.max));
}

}  // namespace

// C1 x floating, to i8, u8, i4, f8 or f4 · C2 scale floating · C3 scale: scalar (axis -1) or one
// per entry of axis · C4 zero_point: i32 as scale, for i8 and u8
Results infer(const Quantize& layer, const Operands& in) {
  in.require_float(0, "C1");
  check_quantized(in, "to", layer.to);
  check_scale(in, layer.axis, layer.to);
  return one(layer.to, in.dims(0));
}

// C1 x i8, u8, i4, f8 or f4, to floating · C2 to C4 as for quantize
Results infer(const Dequantize& layer, const Operands& in) {
  check_quantized(in, "x", in[0].dtype);
  in.require(is_float(layer.to), "C1", "to is ", layer.to, ", expected a floating type");
  check_scale(in, layer.axis, in[0].dtype);
  return one(layer.to, in.dims(0));
}

// C1 body given, trip_count a host scalar, condition a bool scalar · C2 body inputs: i (i64
// scalar), carried, captured C3 each operand fits its body input · C4 body outputs: condition (bool
// scalar), carried of their types, scans
Results infer(const Loop& layer, const Operands& in) {
  in.require(layer.body != nullptr, "C1", "body is missing");
  const Network& body = *layer.body;
  const Extent trips = in.host_scalar(0, "C1");
  require_scalar_bool(in, in[1], "C1", "condition");
  in.require(0 <= layer.carried && layer.carried <= in.count() - 2, "C2", "carried is ",
             layer.carried, ", expected 0..", in.count() - 2);
  check_body_inputs(in, body, 1, 2, "body");
  const TensorType& counter = body.type(body.inputs()[0]);
  in.require(counter == TensorType{DType::i64, {}}, "C2", "body's first input is ", counter,
             ", expected i64[]");
  const auto carried = static_cast<std::size_t>(layer.carried);
  in.require(body.outputs().size() >= 1 + carried, "C4", "body has ", body.outputs().size(),
             " outputs, expected at least ", 1 + carried);
  require_scalar_bool(in, body.type(body.outputs()[0]), "C4", "body's first output");
  Results results;
  for (std::size_t i = 1; i < body.outputs().size(); ++i) {
    TensorType type = body.type(body.outputs()[i]);
    if (i <= carried) {  // zero trips give the operand, others the body's output: the body's input
                         // fits both
      const TensorType& expected = body.type(body.inputs()[i]);
      in.require(fits(type, expected), "C4", "body's output ", i, " is ", type, ", expected ",
                 expected);
      type = expected;
    } else {
      const bool full = always_true(in.content(1)) && always_true(body.content(body.outputs()[0]));
      const Extent length = full ? as_dim(trips) : as_dim(Extent::range(0, trips.opt, trips.max));
      type.dims.insert(type.dims.begin(), length);
    }
    results.push_back({std::move(type)});
  }
  return results;
}

// C1 both branches given, condition a bool scalar · C2 each branch has one input per captured value
// · C3 of its type C4 equal output counts, at least one · C5 equal dtypes and ranks
Results infer(const If& layer, const Operands& in) {
  in.require(layer.then_branch != nullptr && layer.else_branch != nullptr, "C1",
             "a branch is missing");
  require_scalar_bool(in, in[0], "C1", "condition");
  const Network &then_branch = *layer.then_branch, &else_branch = *layer.else_branch;
  check_body_inputs(in, then_branch, 0, 1, "then");
  check_body_inputs(in, else_branch, 0, 1, "else");
  in.require(!then_branch.outputs().empty() &&
                 then_branch.outputs().size() == else_branch.outputs().size(),
             "C4", "then has ", then_branch.outputs().size(), " outputs and else ",
             else_branch.outputs().size(), ", expected equal counts of at least 1");
  Results results;
  for (std::size_t i = 0; i < then_branch.outputs().size(); ++i) {
    TensorType type = then_branch.type(then_branch.outputs()[i]);
    const TensorType& other = else_branch.type(else_branch.outputs()[i]);
    in.require(type.dtype == other.dtype && type.rank() == other.rank(), "C5", "output ", i, " is ",
               type, " in then and ", other, " in else, expected equal dtypes and ranks");
    for (std::size_t axis = 0; axis < type.dims.size(); ++axis) {
      type.dims[axis] = either(type.dims[axis], other.dims[axis]);
    }
    results.push_back({std::move(type)});
  }
  return results;
}

// C1 condition: host bool scalar
Results infer(const Assert& /*layer*/, const Operands& in) {
  require_scalar_bool(in, in[1], "C1", "condition");
  Result result{in[0]};
  if (in.content(0) != nullptr) result.content = *in.content(0);
  return {std::move(result)};
}

}  // namespace torch_tensorrt::core
