// Integer arithmetic of layers on host-known numbers.

#include <limits>

#include "core/infer.h"

namespace torch_tensorrt::core {
namespace {

struct Checked {
  std::int64_t value = 0;  ///< saturated where the result does not fit
  bool exact = true;
};

Checked power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0)
    return {base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0, base != 0};
  Checked out{1};
  for (; exponent > 0 && out.exact && out.value != 0; --exponent) {
    if (base == 1) break;
    if (base == -1) return {exponent % 2 == 0 ? 1 : -1};
    out.exact = !__builtin_mul_overflow(out.value, base, &out.value);
  }
  return out.exact ? out : Checked{std::numeric_limits<std::int64_t>::max(), false};
}

Checked divide(BinaryOp op, std::int64_t a, std::int64_t b) {
  if (b == 0) return {0, false};
  if (b == -1) {
    const bool division = op == BinaryOp::div || op == BinaryOp::floor_div;
    return division ? Checked{saturating_mul(a, -1), a != std::numeric_limits<std::int64_t>::min()}
                    : Checked{0};
  }
  const std::int64_t quotient = a / b;
  const std::int64_t rest = a % b;
  const bool floors_lower = rest != 0 && (rest < 0) != (b < 0);
  switch (op) {
    case BinaryOp::div:
      return {quotient};
    case BinaryOp::floor_div:
      return {floors_lower ? quotient - 1 : quotient};
    case BinaryOp::fmod:
      return {rest};
    default:
      return {floors_lower ? rest + b : rest};
  }
}

Checked calculate(BinaryOp op, std::int64_t a, std::int64_t b) {
  std::int64_t exact = 0;
  switch (op) {
    case BinaryOp::add:
      return {saturating_add(a, b), !__builtin_add_overflow(a, b, &exact)};
    case BinaryOp::sub:
      return __builtin_sub_overflow(a, b, &exact)
                 ? Checked{a < 0 ? std::numeric_limits<std::int64_t>::min()
                                 : std::numeric_limits<std::int64_t>::max(),
                           false}
                 : Checked{exact};
    case BinaryOp::mul:
      return {saturating_mul(a, b), !__builtin_mul_overflow(a, b, &exact)};
    case BinaryOp::max:
      return {std::max(a, b)};
    case BinaryOp::min:
      return {std::min(a, b)};
    case BinaryOp::pow:
      return power(a, b);
    default:
      return divide(op, a, b);
  }
}

}  // namespace

std::optional<Extent> evaluate(BinaryOp op, const Extent& a, const Extent& b, DType dtype) {
  bool exact = true;
  const Extent out = pointwise(
      [&](std::int64_t x, std::int64_t y) {
        Checked result = calculate(op, x, y);
        if (dtype == DType::i32 && result.value != static_cast<std::int32_t>(result.value)) {
          result.value = result.value < 0 ? std::numeric_limits<std::int32_t>::min()
                                          : std::numeric_limits<std::int32_t>::max();
          result.exact = false;
        }
        exact = exact && result.exact;
        return result.value;
      },
      a, b);
  if (!exact && out.is_static()) return std::nullopt;
  return out;
}

}  // namespace torch_tensorrt::core
