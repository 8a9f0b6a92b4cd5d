#include "engines/tensorrt/compose.h"

#include <algorithm>
#include <cstring>

namespace torch_tensorrt::engines::tensorrt {

namespace {

bool is_known(const Size& size) { return std::holds_alternative<std::int64_t>(size); }

Tensor as_tensor(Writer& net, const Size& size) {
  return is_known(size) ? net.ints({std::get<std::int64_t>(size)}) : std::get<Tensor>(size);
}

/// `compute` on numbers, else the elementwise operation.
template <typename F>
Size combine(Writer& net, const Size& a, const Size& b, std::string_view operation, F compute) {
  if (is_known(a) && is_known(b)) return compute(std::get<0>(a), std::get<0>(b));
  return net.elementwise(operation, as_tensor(net, a), as_tensor(net, b));
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

/// One slot of a slice: numbers where all are known.
void put(Writer& net, const Sizes& sizes, Ints& numbers, std::optional<Tensor>& tensor) {
  if (all_known(sizes))
    numbers = dims_of(sizes);
  else
    tensor = as_vector(net, sizes);
}

}  // namespace

Size size_of(Writer& net, const Tensor& x, std::int64_t axis) {
  const std::int64_t known = x.dims.at(static_cast<std::size_t>(axis));
  if (known >= 0) return known;
  return net.dim(x, axis);
}

Sizes sizes_of(Writer& net, const Tensor& x) {
  Sizes sizes;
  for (int axis = 0; axis < x.rank(); ++axis) sizes.push_back(size_of(net, x, axis));
  return sizes;
}

Sizes host_sizes(const Site& site, std::size_t i) {
  const core::Content* content = site.network().content(site.node().inputs.at(i));
  const std::int64_t count = site.type(i).dims.at(0).opt;
  Sizes sizes;
  for (std::int64_t k = 0; k < count; ++k) {
    const core::Extent* known = content ? &content->at(static_cast<std::size_t>(k)) : nullptr;
    if (known && known->is_static())
      sizes.emplace_back(known->opt);
    else
      sizes.emplace_back(site.net().element(site.in(i), k));
  }
  return sizes;
}

Size plus(Writer& net, const Size& a, const Size& b) {
  return combine(net, a, b, "SUM", std::plus<std::int64_t>());
}
Size minus(Writer& net, const Size& a, const Size& b) {
  return combine(net, a, b, "SUB", std::minus<std::int64_t>());
}
Size times(Writer& net, const Size& a, const Size& b) {
  return combine(net, a, b, "PROD", std::multiplies<std::int64_t>());
}
Size over(Writer& net, const Size& a, const Size& b) {
  return combine(net, a, b, "FLOOR_DIV", floor_div);
}
Size least(Writer& net, const Size& a, const Size& b) {
  return combine(net, a, b, "MIN", [](std::int64_t p, std::int64_t q) { return std::min(p, q); });
}
Size product(Writer& net, const Sizes& sizes) {
  Size result = std::int64_t{1};
  for (const Size& size : sizes) result = times(net, result, size);
  return result;
}

bool all_known(const Sizes& sizes) { return std::ranges::all_of(sizes, is_known); }

Ints dims_of(const Sizes& sizes) {
  Ints dims;
  for (const Size& size : sizes) dims.push_back(is_known(size) ? std::get<std::int64_t>(size) : -1);
  return dims;
}

Tensor as_vector(Writer& net, const Sizes& sizes) {
  if (all_known(sizes)) return net.ints(dims_of(sizes));
  Tensors parts;
  Ints numbers;
  const auto flush = [&] {
    if (!numbers.empty()) parts.push_back(net.ints(numbers));
    numbers.clear();
  };
  for (const Size& size : sizes) {
    if (is_known(size)) {
      numbers.push_back(std::get<std::int64_t>(size));
      continue;
    }
    flush();
    parts.push_back(std::get<Tensor>(size));
  }
  flush();
  return net.concat(parts, 0);
}

Tensor reshape(Writer& net, const Tensor& x, const Sizes& dims) {
  const Ints numbers = dims_of(dims);
  // One unknown size follows from the others, unless they are those of a tensor without elements.
  const bool inferable = std::ranges::count(numbers, -1) <= 1 && !std::ranges::count(numbers, 0);
  if (all_known(dims) || inferable) return net.reshape(x, numbers);
  return net.reshape(x, as_vector(net, dims), numbers);
}

Cut whole(Writer& net, const Tensor& x) {
  const auto rank = static_cast<std::size_t>(x.rank());
  return {Sizes(rank, std::int64_t{0}), sizes_of(net, x), Sizes(rank, std::int64_t{1}), {}, {}};
}

Tensor slice(Writer& net, const Tensor& x, const Cut& cut) {
  if (x.rank() == 0) return x;
  Writer::SliceShape shape;
  put(net, cut.start, shape.start, shape.start_tensor);
  put(net, cut.size, shape.size, shape.size_tensor);
  put(net, cut.step, shape.step, shape.step_tensor);
  shape.mode = cut.mode;
  shape.fill = cut.fill;
  return net.slice(x, shape, dims_of(cut.size));
}

Tensor broadcast(Writer& net, const Tensor& x, const Sizes& dims) {
  if (all_known(dims)) return net.broadcast(x, dims_of(dims), std::nullopt);
  return net.broadcast(x, dims_of(dims), as_vector(net, dims));
}

Tensor floats(Writer& net, const std::vector<float>& values, const Ints& dims, DType dtype) {
  std::vector<std::byte> bytes(values.size() * sizeof(float));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return net.cast(net.constant({DType::f32, dims, core::Blob::of(std::move(bytes))}), dtype);
}

Ints along(int rank, std::int64_t axis, std::int64_t size) {
  Ints dims(static_cast<std::size_t>(rank), 1);
  dims.at(static_cast<std::size_t>(axis)) = size;
  return dims;
}

}  // namespace torch_tensorrt::engines::tensorrt
