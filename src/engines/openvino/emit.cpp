#include "engines/openvino/emit.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

namespace torch_tensorrt::engines::openvino {

using core::DType;
using core::Ints;

std::optional<Ints> numbers_of(const core::Content* content) {
  if (!content) return std::nullopt;
  Ints numbers;
  for (const core::Extent& element : *content) {
    if (!element.is_static()) return std::nullopt;
    numbers.push_back(element.opt);
  }
  return numbers;
}

std::optional<Ints> Site::numbers(std::size_t i) const {
  return numbers_of(network_.content(node_.inputs.at(i)));
}

std::ptrdiff_t Site::reads_of(std::size_t i) const {
  const core::ValueId value = node_.inputs.at(i);
  std::ptrdiff_t reads = std::ranges::count(network_.outputs(), value);
  for (const core::Node& node : network_.nodes()) reads += std::ranges::count(node.inputs, value);
  return reads;
}

ov::element::Type element_type(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return ov::element::f32;
    case DType::f16:
      return ov::element::f16;
    case DType::bf16:
      return ov::element::bf16;
    case DType::f64:
      return ov::element::f64;
    case DType::i64:
      return ov::element::i64;
    case DType::i32:
      return ov::element::i32;
    case DType::i8:
      return ov::element::i8;
    case DType::u8:
      return ov::element::u8;
    case DType::b:
      return ov::element::boolean;
    case DType::i4:
      return ov::element::i4;
    case DType::f8:
      return ov::element::f8e4m3;
    case DType::f4:
      return ov::element::f4e2m1;
  }
  return ov::element::dynamic;
}

ov::PartialShape partial_shape(const core::Dims& dims) {
  std::vector<ov::Dimension> shape;
  for (const core::Extent& dim : dims) {
    shape.push_back(dim.is_static() ? ov::Dimension(dim.opt) : ov::Dimension(dim.min, dim.max));
  }
  return shape;
}

Out share(const core::Tensor& tensor, const Ints& shape) {
  const ov::Shape dims(shape.begin(), shape.end());
  const auto type = element_type(tensor.dtype);
  if (tensor.bytes.empty()) return make<op::v0::Constant>(type, dims);
  return make<op::v0::Constant>(type, dims, static_cast<const void*>(tensor.bytes.data()),
                                std::const_pointer_cast<void>(tensor.bytes.owner()));
}

Out vector_of(const Ints& values) {
  return make<op::v0::Constant>(ov::element::i64, ov::Shape{values.size()}, values);
}
Out scalar_of(std::int64_t value) {
  return make<op::v0::Constant>(ov::element::i64, ov::Shape{}, value);
}

namespace {

/// One element. By its bits, for Constant's own conversion refuses infinities.
Out one_element(double value, const ov::element::Type& type, const ov::Shape& shape) {
  const auto narrow = static_cast<float>(value);
  if (type == ov::element::f32)
    return make<op::v0::Constant>(type, shape, static_cast<const void*>(&narrow));
  if (type == ov::element::f16) {
    const ov::float16 half(narrow);
    return make<op::v0::Constant>(type, shape, static_cast<const void*>(&half));
  }
  if (type == ov::element::bf16) {
    const ov::bfloat16 brain(narrow);
    return make<op::v0::Constant>(type, shape, static_cast<const void*>(&brain));
  }
  return make<op::v0::Constant>(type, shape, value);
}

}  // namespace

Out number(double value, const ov::element::Type& type) { return one_element(value, type, {}); }
Out number_like(double value, const Out& x) {
  const auto rank = static_cast<std::size_t>(x.get_partial_shape().rank().get_length());
  return one_element(value, x.get_element_type(), ov::Shape(rank, 1));
}

std::string one_line(const std::exception& error) {
  std::string line;
  for (const char c : std::string_view(error.what())) {
    if (c != '\n')
      line += c;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

Ints iota(int count, std::int64_t first) {
  Ints values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), first);
  return values;
}

Out reshape(const Out& x, const Ints& shape) {
  return make<op::v1::Reshape>(x, vector_of(shape), false);
}
Out reshape_copying(const Out& x, const Ints& shape) {
  return make<op::v1::Reshape>(x, vector_of(shape), true);
}
Out transpose(const Out& x, const Ints& perm) {
  return make<op::v1::Transpose>(x, vector_of(perm));
}
Out unsqueeze(const Out& x, const Ints& axes) {
  return make<op::v0::Unsqueeze>(x, vector_of(axes));
}
Out concat(const Outs& xs, std::int64_t axis) { return make<op::v0::Concat>(xs, axis); }

Out slice(const Out& x, std::int64_t axis, std::int64_t start, std::int64_t stop,
          std::int64_t step) {
  return make<op::v8::Slice>(x, vector_of({start}), vector_of({stop}), vector_of({step}),
                             vector_of({axis}));
}

Out dim(const Out& x, std::int64_t axis) {
  return make<op::v8::Gather>(make<op::v3::ShapeOf>(x), scalar_of(axis), scalar_of(0));
}
Out dim_vector(const Out& x, std::int64_t axis) {
  return make<op::v8::Gather>(make<op::v3::ShapeOf>(x), vector_of({axis}), scalar_of(0));
}

Out counting(const Out& count, const ov::element::Type& type) {
  // A Range whose stop lies below its start would give two elements at run time.
  const Out stop = make<op::v1::Maximum>(count, scalar_of(0));
  const Out range = make<op::v4::Range>(scalar_of(0), stop, scalar_of(1), ov::element::i64);
  return convert(range, type);
}

Out convert(const Out& x, const ov::element::Type& type) {
  return x.get_element_type() == type ? x : make<op::v0::Convert>(x, type);
}

Out folded(const Out& x) {
  ov::OutputVector results(1);
  const auto node = x.get_node_shared_ptr();
  return node->constant_fold(results, node->input_values()) ? results.front() : x;
}

Out along_axis(const Site& site, std::size_t operand, int rank, std::int64_t axis) {
  Ints shape(static_cast<std::size_t>(rank), 1);
  shape.at(static_cast<std::size_t>(axis)) = -1;
  if (const core::Tensor* tensor = site.constant(operand)) {
    shape.at(static_cast<std::size_t>(axis)) = tensor->dims.empty() ? 1 : tensor->dims.front();
    return share(*tensor, shape);
  }
  return reshape(site.in(operand), shape);
}

}  // namespace torch_tensorrt::engines::openvino
