// Fake quantization, as training leaves it in TorchScript, and the quantize and dequantize pairs of
// exported programs. Both become quantize and dequantize layers; weights become integers here.

#include <ATen/ATen.h>

#include "compiler/conversion/converters/compose.h"

namespace torch_tensorrt::compiler {
namespace {

struct Limits {
  std::int64_t low, high;
  bool operator==(const Limits&) const = default;
  bool hold(const Limits& other) const { return low <= other.low && other.high <= high; }
};
constexpr Limits kInt8{-128, 127};
constexpr Limits kUint8{0, 255};

DType integers_for(OpContext& op, const Limits& limits) {
  if (kInt8.hold(limits)) return DType::i8;
  if (kUint8.hold(limits)) return DType::u8;
  throw op.refuse("quant_min to quant_max is ", limits.low, " to ", limits.high,
                  ", expected a range within -128 to 127 or 0 to 255");
}

DType integers_of(OpContext& op, DType dtype) {
  if (dtype == DType::i8 || dtype == DType::u8) return dtype;
  throw op.refuse("quantizes to ", core::name(dtype), ", expected int8 or uint8");
}

/// One number for the tensor (rank 0), or one a channel (rank 1).
struct Numbers {
  std::optional<at::Tensor> known;
  Value value;
};

Numbers numbers(OpContext& op, std::string_view name, bool per_tensor, at::ScalarType type) {
  std::optional<at::Tensor> known = op.constant_tensor(name);
  if (const auto number = known_scalar(op, name)) known = at::scalar_tensor(*number);
  if (known) {
    known = known->to(at::kCPU, type).reshape(per_tensor ? core::Ints{} : core::Ints{-1});
    return {known, op.constant(*known)};
  }
  const Value value = op.net().cast(op.value(name), *to_core(type));
  return {std::nullopt, per_tensor && value.rank() > 0 ? op.net().reshape(value, {}) : value};
}

/// How integers stand for numbers: (integer - zero_point) * scale.
class Steps {
 public:
  Steps(OpContext& op, std::int64_t axis)
      : op_(op),
        axis_(axis),
        scale_(numbers(op, has_argument(op, "scales") ? "scales" : "scale", axis < 0, at::kFloat)) {
    const auto* name = has_argument(op, "zero_points") ? "zero_points" : "zero_point";
    if (op.is_none(name)) return;
    Numbers zero_point = numbers(op, name, axis < 0, at::kInt);
    if (!zero_point.known || at::any(*zero_point.known != 0).item<bool>()) zero_point_ = zero_point;
  }
  Steps(OpContext& op, std::int64_t axis, Numbers scale)
      : op_(op), axis_(axis), scale_(std::move(scale)) {}

  Value quantize(Value x, DType integers, const Limits& limits) {
    x = limited(x, integers == DType::u8 ? kUint8 : kInt8, limits);
    return with_steps(core::Quantize{integers, axis_}, x);
  }
  Value dequantize(Value x, DType real) { return with_steps(core::Dequantize{real, axis_}, x); }

  /// x as the integers would give it back. Weights become integers now.
  Value rounded(std::string_view name, DType integers, const Limits& limits) {
    const Value x = op_.value(name);
    const auto weights = op_.constant_tensor(name);
    return dequantize(weights && known() ? op_.constant(quantized(*weights, integers, limits))
                                         : quantize(x, integers, limits),
                      x.dtype());
  }

 private:
  bool known() const { return scale_.known && (!zero_point_ || zero_point_->known); }
  at::Tensor known_zero_point() const {
    return zero_point_ ? *zero_point_->known : at::zeros({}, at::kInt);
  }

  /// In a form that broadcasts against x of `rank` dimensions.
  at::Tensor aligned(const at::Tensor& numbers, std::int64_t rank) const {
    if (numbers.dim() == 0) return numbers;
    core::Ints shape(static_cast<std::size_t>(rank), 1);
    shape[static_cast<std::size_t>(axis_)] = -1;
    return numbers.reshape(shape);
  }

  at::Tensor quantized(const at::Tensor& weights, DType integers, const Limits& limits) const {
    // By the reciprocal, as PyTorch does it: a quotient may round to the other side.
    const at::Tensor per_number = aligned(scale_.known->reciprocal(), weights.dim());
    return (at::round(weights.to(at::kFloat) * per_number) +
            aligned(known_zero_point(), weights.dim()))
        .clamp(limits.low, limits.high)
        .to(integers == DType::u8 ? at::kByte : at::kChar);
  }

  template <typename L>
  Value with_steps(L layer, Value x) {
    if (zero_point_) return op_.net().one(std::move(layer), {x, scale_.value, zero_point_->value});
    return op_.net().one(std::move(layer), {x, scale_.value});
  }

  /// Layers have the limits of their integers. Narrower ones are those of the numbers before.
  Value limited(Value x, const Limits& whole, const Limits& limits) {
    if (limits == whole) return x;
    if (!known()) {
      throw op_.refuse("the scale is known only at run time and the integers are ", limits.low,
                       " to ", limits.high, ", expected ", whole.low, " to ", whole.high);
    }
    const auto real = [&](std::int64_t limit) {
      return (limit - known_zero_point()) * *scale_.known;
    };
    const at::Tensor low = real(limits.low), high = real(limits.high);
    if (axis_ < 0) return clipped(x, low.item<double>(), high.item<double>());
    const auto bound = [&](const at::Tensor& numbers) {
      return op_.net().cast(op_.constant(aligned(numbers, x.rank())), x.dtype());
    };
    return binary(BinaryOp::min, binary(BinaryOp::max, x, bound(low)), bound(high));
  }

  OpContext& op_;
  std::int64_t axis_;
  Numbers scale_;
  std::optional<Numbers> zero_point_;  // nothing: 0
};

Limits limits_of(OpContext& op) { return {op.integer("quant_min"), op.integer("quant_max")}; }

std::int64_t axis_of(OpContext& op, Value x) {
  return has_argument(op, "axis") ? op.axis("axis", x.rank()) : -1;
}

Value fake_quantize(OpContext& op) {
  const Limits limits = limits_of(op);
  const DType integers = integers_for(op, limits);
  return Steps(op, axis_of(op, op.value("self"))).rounded("self", integers, limits);
}

Value quantize(OpContext& op) {
  const Value x = op.value("input");
  const DType integers = integers_of(op, op.result_dtype());
  return Steps(op, axis_of(op, x)).quantize(x, integers, limits_of(op));
}

Value dequantize(OpContext& op) {
  const Value x = op.value("input");
  integers_of(op, x.dtype());
  return Steps(op, axis_of(op, x)).dequantize(x, op.result_dtype());
}

/// NVIDIA ModelOpt's op: `amax` is the magnitude of the greatest integer, or of the greatest f8.
Value model_optimizer_quantize(OpContext& op) {
  const Value x = op.value("input");
  const std::int64_t bits = op.integer("num_bits"), exponent_bits = op.integer("exponent_bits");
  const bool f8 = bits == 8 && exponent_bits == 4;
  if ((bits != 8 || exponent_bits != 0) && !f8) {
    throw op.refuse("num_bits is ", bits, " with ", exponent_bits,
                    " exponent_bits, expected 8 with 0 (int8) or 4 (float8)");
  }
  if (op.flag("unsigned")) throw op.refuse("unsigned is true, expected signed integers");
  const auto amax = op.constant_tensor("amax");
  if (!amax) throw op.refuse("amax is known only at run time, expected a constant");
  const std::int64_t axis = amax->numel() == 1 ? -1 : 0;
  if (axis == 0 && (f8 || amax->numel() != amax->size(0)))
    throw op.refuse("amax has shape ", amax->sizes(), ", expected one number",
                    f8 ? "" : ", or one for each entry of axis 0");
  const at::Tensor scale = amax->to(at::kCPU, at::kFloat)
                               .div(f8 ? 448 : kInt8.high)
                               .reshape(axis < 0 ? core::Ints{} : core::Ints{-1});
  Steps steps(op, axis, {scale, op.constant(scale)});
  if (f8) return steps.dequantize(steps.quantize(x, DType::f8, kInt8), x.dtype());
  return steps.rounded("input", DType::i8, {op.flag("narrow_range") ? -127 : -128, 127});
}

}  // namespace

void add_quantization_ops(OpTable& table) {
  table
      .add<fake_quantize>(
          "aten::fake_quantize_per_tensor_affine(Tensor self, float scale, int zero_point, int "
          "quant_min, int quant_max) -> Tensor")
      .also("aten::fake_quantize_per_tensor_affine.tensor_qparams");
  table.add<fake_quantize>(
      "aten::fake_quantize_per_channel_affine(Tensor self, Tensor scale, Tensor zero_point, int "
      "axis, int quant_min, int quant_max) -> Tensor");
  table
      .add<quantize>(
          "quantized_decomposed::quantize_per_tensor(Tensor input, float scale, int zero_point, "
          "int quant_min, int quant_max, ScalarType dtype) -> Tensor")
      .also("quantized_decomposed::quantize_per_tensor.tensor")
      .also("quantized_decomposed::quantize_per_tensor.tensor2");
  table.add<quantize>(
      "quantized_decomposed::quantize_per_channel(Tensor input, Tensor scales, Tensor zero_points, "
      "int axis, int quant_min, int quant_max, ScalarType dtype) -> Tensor");
  table
      .add<dequantize>(
          "quantized_decomposed::dequantize_per_tensor(Tensor input, float scale, int zero_point, "
          "int quant_min, int quant_max, ScalarType dtype, *, ScalarType? out_dtype=None) -> "
          "Tensor")
      .also("quantized_decomposed::dequantize_per_tensor.tensor")
      .also("quantized_decomposed::dequantize_per_tensor.tensor2");
  table.add<dequantize>(
      "quantized_decomposed::dequantize_per_channel(Tensor input, Tensor scales, Tensor? "
      "zero_points, int axis, int quant_min, int quant_max, ScalarType dtype, *, ScalarType? "
      "out_dtype=None) -> Tensor");
  table.add<model_optimizer_quantize>(
      "tensorrt::quantize_op(Tensor input, Tensor amax, int num_bits, int exponent_bits, bool "
      "unsigned, bool narrow_range) -> Tensor");
}

}  // namespace torch_tensorrt::compiler
