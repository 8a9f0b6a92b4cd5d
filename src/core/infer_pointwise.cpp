#include <cmath>
#include <limits>

#include "core/infer.h"

namespace torch_tensorrt::core {
namespace {

/// Elementwise host values with broadcasting of single elements; nullopt where one is unknown.
template <typename F>
std::optional<Content> zip(const Content* a, const Content* b, F f) {
  if (a == nullptr || b == nullptr) return std::nullopt;
  const std::size_t size = a->size() == 1 ? b->size() : a->size();
  if (b->size() != size && b->size() != 1) return std::nullopt;
  Content out;
  for (std::size_t i = 0; i < size; ++i) {
    const std::optional<Extent> element =
        f(a->at(a->size() == 1 ? 0 : i), b->at(b->size() == 1 ? 0 : i));
    if (!element) return std::nullopt;
    out.push_back(*element);
  }
  return out;
}

template <typename F>
std::optional<Content> map(const Content* a, F f) {
  if (a == nullptr) return std::nullopt;
  Content out;
  for (const Extent& e : *a) out.push_back(pointwise(f, e));
  return out;
}

bool compare(CompareOp op, std::int64_t a, std::int64_t b) {
  switch (op) {
    case CompareOp::eq:
      return a == b;
    case CompareOp::ne:
      return a != b;
    case CompareOp::lt:
      return a < b;
    case CompareOp::le:
      return a <= b;
    case CompareOp::gt:
      return a > b;
    case CompareOp::ge:
      return a >= b;
  }
  return false;
}

bool logical(LogicalOp op, bool a, bool b) {
  switch (op) {
    case LogicalOp::logical_and:
      return a && b;
    case LogicalOp::logical_or:
      return a || b;
    case LogicalOp::logical_xor:
      return a != b;
  }
  return false;
}

std::optional<Content> unary_content(UnaryOp op, const Content* x) {
  switch (op) {
    case UnaryOp::neg:
      return map(x, [](std::int64_t v) { return saturating_mul(v, -1); });
    case UnaryOp::abs:
      return map(x, [](std::int64_t v) { return v < 0 ? saturating_mul(v, -1) : v; });
    case UnaryOp::logical_not:
      return map(x, [](std::int64_t v) { return std::int64_t{v == 0}; });
    default:
      return std::nullopt;
  }
}

std::optional<Content> cast_content(DType to, const Content* x) {
  if (to == DType::b) return map(x, [](std::int64_t v) { return std::int64_t{v != 0}; });
  if (to == DType::i64) return map(x, [](std::int64_t v) { return v; });
  if (to != DType::i32) return std::nullopt;
  return zip(x, x, [](const Extent& v, const Extent&) {
    return evaluate(BinaryOp::add, v, 0, DType::i32);
  });
}

bool is_castable(DType t) { return is_num(t) || t == DType::b; }

}  // namespace

// C1 abs, neg, sign: numbers · C2 logical_not: bool · C3 the rest: floating
Results infer(const Unary& layer, const Operands& in) {
  TensorType type = in[0];
  switch (layer.op) {
    case UnaryOp::abs:
    case UnaryOp::neg:
    case UnaryOp::sign:
      in.require_num(0, "C1");
      break;
    case UnaryOp::logical_not:
      in.require_dtype(0, DType::b, "C2");
      break;
    case UnaryOp::isnan:
    case UnaryOp::isinf:
      in.require_float(0, "C3");
      type.dtype = DType::b;
      break;
    default:
      in.require_float(0, "C3");
  }
  return {{std::move(type), unary_content(layer.op, in.content(0))}};
}

// C1 relu: numbers; the rest: floating · C2 alpha and beta are not NaN
Results infer(const Activation& layer, const Operands& in) {
  if (layer.op == ActivationOp::relu) {
    in.require_num(0, "C1");
  } else {
    in.require_float(0, "C1");
  }
  in.require(!std::isnan(layer.alpha) && !std::isnan(layer.beta), "C2", "alpha is ", layer.alpha,
             " and beta ", layer.beta, ", expected numbers");
  return one(in[0]);
}

// C1 floating, slope of x's dtype · C2 slope has x's rank and broadcasts into x
Results infer(const PRelu& /*layer*/, const Operands& in) {
  in.require_float(0, "C1");
  in.require_dtype(1, in[0].dtype, "C1");
  const Dims dims = in.broadcast_dims(in.dims(0), in.dims(1), "C2");
  for (std::size_t i = 0; i < dims.size(); ++i) {
    in.require(may_equal(dims[i], in.dims(0)[i]), "C2", "slope is ", in[1],
               ", which does not broadcast into x, ", in[0]);
  }
  return one(in[0]);
}

// C1 a and b: numbers of one dtype · C2 equal ranks, dimensions equal or 1
Results infer(const Binary& layer, const Operands& in) {
  in.require_num(0, "C1");
  in.require_dtype(1, in[0].dtype, "C1");
  Result result{TensorType{in[0].dtype, in.broadcast_dims(in.dims(0), in.dims(1), "C2")}};
  result.content = zip(in.content(0), in.content(1), [&](const Extent& a, const Extent& b) {
    return evaluate(layer.op, a, b, in[0].dtype);
  });
  return {std::move(result)};
}

// C1 a and b of one dtype, numbers (eq and ne: bool too) · C2 equal ranks, dimensions equal or 1
Results infer(const Compare& layer, const Operands& in) {
  const bool equality = layer.op == CompareOp::eq || layer.op == CompareOp::ne;
  if (!equality || in[0].dtype != DType::b) in.require_num(0, "C1");
  in.require_dtype(1, in[0].dtype, "C1");
  Result result{TensorType{DType::b, in.broadcast_dims(in.dims(0), in.dims(1), "C2")}};
  result.content = zip(in.content(0), in.content(1), [&](const Extent& a, const Extent& b) {
    return std::optional(pointwise(
        [&](std::int64_t x, std::int64_t y) { return std::int64_t{compare(layer.op, x, y)}; }, a,
        b));
  });
  return {std::move(result)};
}

// C1 a and b: bool · C2 equal ranks, dimensions equal or 1
Results infer(const Logical& layer, const Operands& in) {
  in.require_dtype(0, DType::b, "C1");
  in.require_dtype(1, DType::b, "C1");
  Result result{TensorType{DType::b, in.broadcast_dims(in.dims(0), in.dims(1), "C2")}};
  result.content = zip(in.content(0), in.content(1), [&](const Extent& a, const Extent& b) {
    return std::optional(
        pointwise([&](std::int64_t x,
                      std::int64_t y) { return std::int64_t{logical(layer.op, x != 0, y != 0)}; },
                  a, b));
  });
  return {std::move(result)};
}

// C1 condition: bool · C2 a and b of one dtype · C3 equal ranks, dimensions equal or 1
Results infer(const Select& /*layer*/, const Operands& in) {
  in.require_dtype(0, DType::b, "C1");
  in.require_dtype(2, in[1].dtype, "C2");
  const Dims values = in.broadcast_dims(in.dims(1), in.dims(2), "C3");
  Result result{TensorType{in[1].dtype, in.broadcast_dims(in.dims(0), values, "C3")}};
  // Pairs first, then the condition over them: a known condition takes its side whole.
  const Content *c = in.content(0), *a = in.content(1), *b = in.content(2);
  if (c == nullptr || a == nullptr || b == nullptr) return {std::move(result)};
  const std::size_t size = std::max({c->size(), a->size(), b->size()});
  Content out;
  for (std::size_t i = 0; i < size; ++i) {
    const auto at = [&](const Content& x) {
      return x.size() == 1 ? x.front() : i < x.size() ? x[i] : Extent();
    };
    const Extent condition = at(*c);
    if (condition.is_static()) {
      out.push_back(condition.min != 0 ? at(*a) : at(*b));
    } else {
      out.push_back(
          pointwise([](std::int64_t k, std::int64_t x, std::int64_t y) { return k != 0 ? x : y; },
                    condition, at(*a), at(*b)));
    }
  }
  const bool consistent =
      result.type.dims.empty() || may_equal(result.type.dims[0], static_cast<std::int64_t>(size));
  if (consistent) result.content = std::move(out);
  return {std::move(result)};
}

// C1 from and to floats, integers and bool; quantized types go through quantize and dequantize
Results infer(const Cast& layer, const Operands& in) {
  in.require(is_castable(in[0].dtype) && is_castable(layer.to), "C1", "cast from ", in[0].dtype,
             " to ", layer.to, ", expected floats, integers or bool on both sides");
  return {{TensorType{layer.to, in.dims(0)}, cast_content(layer.to, in.content(0))}};
}

Results infer(const Identity& /*layer*/, const Operands& in) {
  Result result{in[0]};
  if (in.content(0) != nullptr) result.content = *in.content(0);
  return {std::move(result)};
}

}  // namespace torch_tensorrt::core
