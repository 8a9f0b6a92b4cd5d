#include "core/infer.h"

namespace torch_tensorrt::core {
namespace {

std::optional<Extent> reduce_content(ReduceOp op, const Content& x, DType dtype) {
  const auto fold = [&](BinaryOp step, Extent start) -> std::optional<Extent> {
    for (const Extent& e : x) {
      const std::optional<Extent> next = evaluate(step, start, e, dtype);
      if (!next) return std::nullopt;
      start = *next;
    }
    return start;
  };
  switch (op) {
    case ReduceOp::sum:
      return fold(BinaryOp::add, 0);
    case ReduceOp::prod:
      return fold(BinaryOp::mul, 1);
    case ReduceOp::max:
      return x.empty() ? std::nullopt : fold(BinaryOp::max, x.front());
    case ReduceOp::min:
      return x.empty() ? std::nullopt : fold(BinaryOp::min, x.front());
    case ReduceOp::any:
      return fold(BinaryOp::max, 0);
    case ReduceOp::all:
      return fold(BinaryOp::min, 1);
    case ReduceOp::mean:
      return std::nullopt;
  }
  return std::nullopt;
}

Results infer_softmax(std::int64_t axis, const Operands& in) {
  in.require_float(0, "C1");
  in.require_axis(axis, in[0].rank(), "C2");
  return one(in[0]);
}

}  // namespace

// C1 axes: not empty, in range, sorted, unique · C2 mean: floating; any, all: bool; the rest:
// numbers
Results infer(const Reduce& layer, const Operands& in) {
  in.require(!layer.axes.empty(), "C1", "axes are empty, expected at least one");
  in.require_axes(layer.axes, in[0].rank(), "C1");
  in.require(std::is_sorted(layer.axes.begin(), layer.axes.end()), "C1", "axes are [",
             join(layer.axes), "], expected sorted axes");
  if (layer.op == ReduceOp::any || layer.op == ReduceOp::all) {
    in.require_dtype(0, DType::b, "C2");
  } else if (layer.op == ReduceOp::mean) {
    in.require_float(0, "C2");
  } else {
    in.require_num(0, "C2");
  }
  Result result{TensorType{in[0].dtype, {}}};
  for (int axis = 0; axis < in[0].rank(); ++axis) {
    const bool reduced = std::binary_search(layer.axes.begin(), layer.axes.end(), axis);
    if (!reduced) result.type.dims.push_back(in.dim(0, axis));
    if (reduced && layer.keepdims) result.type.dims.emplace_back(1);
  }
  if (in.content(0) != nullptr && in[0].rank() == 1) {
    const std::optional<Extent> total = reduce_content(layer.op, *in.content(0), in[0].dtype);
    if (total) result.content = Content{*total};
  }
  return {std::move(result)};
}

// C1 floating · C2 axis in range (rank >= 1)
Results infer(const Softmax& layer, const Operands& in) { return infer_softmax(layer.axis, in); }

// C1 floating · C2 axis in range (rank >= 1)
Results infer(const LogSoftmax& layer, const Operands& in) { return infer_softmax(layer.axis, in); }

// C1 numbers · C2 axis in range (rank >= 1) · C3 k: host scalar, 0 < k <= dimension
Results infer(const TopK& layer, const Operands& in) {
  in.require_num(0, "C1");
  in.require_axis(layer.axis, in[0].rank(), "C2");
  const Extent k = in.host_scalar(1, "C3");
  const Extent dim = in.dim(0, layer.axis);
  in.require(k.dynamic || k.min > 0, "C3", "k is ", k, ", expected at least 1");
  in.require(k.dynamic || k.min <= dim.max, "C3", "k is ", k, ", expected at most ", dim, " (axis ",
             layer.axis, " of ", in[0], ")");
  TensorType values = in[0];
  Extent taken = as_dim(k);
  taken.max = std::min(taken.max, dim.max);
  taken.opt = std::min(taken.opt, taken.max);
  taken.min = std::min(taken.min, taken.max);
  values.dims[static_cast<std::size_t>(layer.axis)] = taken;
  TensorType indices{DType::i64, values.dims};
  return {{std::move(values)}, {std::move(indices)}};
}

// C1 numbers · C2 axis in range
Results infer(const CumSum& layer, const Operands& in) {
  in.require_num(0, "C1");
  in.require_axis(layer.axis, in[0].rank(), "C2");
  return one(in[0]);
}

}  // namespace torch_tensorrt::core
