#include "engines/conformance/row.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <memory>

#include "core/error.h"

namespace torch_tensorrt::engines::conformance {
namespace {

std::int64_t at_variant(const Extent& extent, std::size_t variant) {
  return variant == 0 ? extent.opt : variant == 1 ? extent.min : extent.max;
}

at::Tensor as(const at::Tensor& tensor, DType dtype) { return tensor.to(scalar_type(dtype)); }

DType dtype_of(const at::Tensor& tensor) {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16, DType::f64, DType::i64, DType::i32,
                            DType::i8, DType::u8, DType::b, DType::f8}) {
    if (scalar_type(dtype) == tensor.scalar_type()) return dtype;
  }
  throw core::internal_error("conformance: no Network dtype for ", tensor.scalar_type());
}

}  // namespace

at::ScalarType scalar_type(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return at::kFloat;
    case DType::f16:
      return at::kHalf;
    case DType::bf16:
      return at::kBFloat16;
    case DType::f64:
      return at::kDouble;
    case DType::i64:
      return at::kLong;
    case DType::i32:
      return at::kInt;
    case DType::i8:
      return at::kChar;
    case DType::u8:
      return at::kByte;
    case DType::b:
      return at::kBool;
    case DType::f8:
      return at::kFloat8_e4m3fn;
    default:
      throw core::internal_error("conformance: no ATen type for ", core::name(dtype));
  }
}

core::Tensor core_tensor(const at::Tensor& tensor) {
  const auto dense = std::make_shared<const at::Tensor>(tensor.contiguous());
  return {dtype_of(*dense), dense->sizes().vec(),
          core::Blob(dense, dense->const_data_ptr(), dense->nbytes())};
}

Fill normal(double mean, double deviation) {
  return [=](at::IntArrayRef dims, DType dtype, at::Generator& random) {
    return as(at::randn(dims, random, at::kFloat) * deviation + mean, dtype);
  };
}

Fill uniform(double low, double high) {
  return [=](at::IntArrayRef dims, DType dtype, at::Generator& random) {
    return as(at::rand(dims, random, at::kFloat) * (high - low) + low, dtype);
  };
}

Fill whole(std::int64_t low, std::int64_t high) {
  return [=](at::IntArrayRef dims, DType dtype, at::Generator& random) {
    return as(at::randint(low, high, dims, random, at::kLong), dtype);
  };
}

Fill nonzero(std::int64_t low, std::int64_t high) {
  return [=](at::IntArrayRef dims, DType dtype, at::Generator& random) {
    const at::Tensor numbers = at::randint(low, high, dims, random, at::kLong);
    return as(at::where(numbers == 0, high - 1, numbers), dtype);
  };
}

Fill distinct() {
  return [](at::IntArrayRef dims, DType dtype, at::Generator& random) {
    return as(at::randperm(c10::multiply_integers(dims), random, at::kLong).reshape(dims), dtype);
  };
}

Fill booleans(double probability) {
  return [=](at::IntArrayRef dims, DType dtype, at::Generator& random) {
    return as(at::rand(dims, random, at::kFloat) < probability, dtype);
  };
}

Fill listed(std::vector<double> numbers) {
  return [numbers = std::move(numbers)](at::IntArrayRef dims, DType dtype, at::Generator&) {
    const at::Tensor once = at::tensor(numbers, at::kDouble);
    const at::Tensor index = at::arange(c10::multiply_integers(dims)) % once.numel();
    return as(once.index_select(0, index).reshape(dims), dtype);
  };
}

Fill natural() {
  return [](at::IntArrayRef dims, DType dtype, at::Generator& random) {
    if (dtype == DType::b) return booleans()(dims, dtype, random);
    if (dtype == DType::u8) return whole(0, 10)(dims, dtype, random);
    return core::is_int(dtype) ? whole(-9, 10)(dims, dtype, random) : normal()(dims, dtype, random);
  };
}

Trial::Trial(DType dtype, bool dynamic, std::uint64_t seed, bool tells_ranges)
    : dtype_(dtype),
      dynamic_(dynamic),
      tells_ranges_(tells_ranges),
      seed_(seed),
      random_(at::detail::createCPUGenerator(seed)),
      network_(std::make_shared<core::Network>()),
      builder_(std::make_shared<core::NetworkBuilder>(*network_)) {}

Value Trial::input(core::Dims dims, Fill fill, std::optional<DType> dtype) {
  const core::TensorType type{dtype.value_or(dtype_), std::move(dims)};
  inputs_.push_back({type, std::move(fill), {}});
  return net().input(core::text("x", inputs_.size() - 1), type);
}

Value Trial::host_scalar(Extent value) { return host_input({}, {value}); }

Value Trial::host_vector(std::vector<Extent> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return host_input({count}, std::move(values));
}

Value Trial::host_input(core::Dims dims, std::vector<Extent> values) {
  const core::TensorType type{DType::i64, std::move(dims)};
  inputs_.push_back({type, {}, values});
  return net().input(core::text("x", inputs_.size() - 1), type, /*host=*/true,
                     tells_ranges_ ? values : core::Dims{});
}

at::Tensor Trial::data(Ints dims, Fill fill, std::optional<DType> dtype) {
  return fill(dims, dtype.value_or(dtype_), random_);
}

void Trial::output(Value value) {
  network_->mark_output(value.id(), core::text("y", network_->outputs().size()));
}

Tensors Trial::inputs(std::size_t variant) const {
  at::Generator random = at::detail::createCPUGenerator(seed_ * 31 + variant + 1);
  Tensors tensors;
  for (const InputData& input : inputs_) {
    Ints dims;
    for (const Extent& extent : input.type.dims) dims.push_back(at_variant(extent, variant));
    if (input.fill) {
      tensors.push_back(input.fill(dims, input.type.dtype, random).contiguous());
      continue;
    }
    Ints values;
    for (const Extent& extent : input.host_values) values.push_back(at_variant(extent, variant));
    tensors.push_back(at::tensor(values, at::kLong).reshape(dims));
  }
  return tensors;
}

Rows all_rows() {
  Rows rows;
  add_source_rows(rows);
  add_pointwise_rows(rows);
  add_reduction_rows(rows);
  add_linear_rows(rows);
  add_attention_rows(rows);
  add_recurrence_rows(rows);
  add_image_rows(rows);
  add_normalization_rows(rows);
  add_layout_rows(rows);
  add_indexing_rows(rows);
  add_quantization_rows(rows);
  add_control_rows(rows);
  return rows;
}

}  // namespace torch_tensorrt::engines::conformance
