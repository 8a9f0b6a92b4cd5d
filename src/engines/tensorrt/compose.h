#pragma once

// Sizes that are numbers where the network knows them and computed by TensorRT where it does not,
// and the calls that take them: one code for static and for dynamic shapes.

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "engines/tensorrt/emit.h"

namespace torch_tensorrt::engines::tensorrt {

/// A number, or an i64 vector of one element.
using Size = std::variant<std::int64_t, Tensor>;
using Sizes = std::vector<Size>;

Size size_of(Writer& net, const Tensor& x, std::int64_t axis);
Sizes sizes_of(Writer& net, const Tensor& x);
/// The elements of host operand `i`.
Sizes host_sizes(const Site& site, std::size_t i);

Size plus(Writer& net, const Size& a, const Size& b);
Size minus(Writer& net, const Size& a, const Size& b);
Size times(Writer& net, const Size& a, const Size& b);
/// Rounds down; b > 0.
Size over(Writer& net, const Size& a, const Size& b);
Size least(Writer& net, const Size& a, const Size& b);
Size product(Writer& net, const Sizes& sizes);

bool all_known(const Sizes& sizes);
/// -1 where TensorRT computes the size.
Ints dims_of(const Sizes& sizes);
/// An i64 vector.
Tensor as_vector(Writer& net, const Sizes& sizes);

Tensor reshape(Writer& net, const Tensor& x, const Sizes& dims);
/// Along each axis the elements start, start+step, ..: `size` of them. `mode` (a SampleMode) says
/// what is beyond the bounds.
struct Cut {
  Sizes start, size, step;
  std::string_view mode;
  std::optional<Tensor> fill;
};
/// The whole of x, for the caller to change.
Cut whole(Writer& net, const Tensor& x);
Tensor slice(Writer& net, const Tensor& x, const Cut& cut);
/// Dimensions of 1 repeated.
Tensor broadcast(Writer& net, const Tensor& x, const Sizes& dims);

/// A constant of a 16-bit type is an f32 one and a cast.
Tensor floats(Writer& net, const std::vector<float>& values, const Ints& dims, DType dtype);
/// `rank` dimensions of 1, but `size` at `axis`.
Ints along(int rank, std::int64_t axis, std::int64_t size);

}  // namespace torch_tensorrt::engines::tensorrt
