#include "engines/openvino/layout.h"

#include <algorithm>
#include <map>
#include <utility>

#include "openvino/op/util/binary_elementwise_arithmetic.hpp"
#include "openvino/op/util/unary_elementwise_arithmetic.hpp"

namespace torch_tensorrt::engines::openvino {

namespace {

using NodePtr = std::shared_ptr<ov::Node>;

constexpr std::size_t kHeight = 2;
constexpr std::size_t kWidth = 3;
const core::Ints kSwap = {0, 1, 3, 2};

bool is_column(const Out& x) {
  const ov::PartialShape& shape = x.get_partial_shape();
  return shape.rank() == 4 && shape[kWidth] == 1 && shape[kHeight] != 1;
}

template <typename Numbers>
Numbers swapped(Numbers numbers) {
  std::swap(numbers.at(0), numbers.at(1));
  return numbers;
}

std::shared_ptr<op::v0::Constant> constant_of(const Out& x) {
  return ov::as_type_ptr<op::v0::Constant>(x.get_node_shared_ptr());
}

/// Rewrites what can be rewritten from the first column convolution on.
class Columns {
 public:
  void run(const ov::Model& model) {
    std::vector<std::pair<Out, Out>> replaced;
    for (const NodePtr& node : model.get_ordered_ops()) {
      const Out lying = rewritten(node);
      if (!lying.get_node()) continue;
      lying.get_node()->set_friendly_name(node->get_friendly_name());
      lying_.emplace(node->output(0), lying);
      replaced.emplace_back(node->output(0), lying);
    }
    for (auto& [upright, lying] : replaced) upright.replace(transpose(lying, kSwap));
  }

 private:
  /// The node's first result lying, or nothing where the node stays as it is.
  Out rewritten(const NodePtr& node) {
    if (const auto conv = ov::as_type_ptr<op::v1::Convolution>(node)) return convolution(*conv);
    if (node->get_input_size() == 0 || node->get_output_partial_shape(0).rank() != 4) return {};
    if (std::ranges::none_of(node->input_values(), [&](const Out& x) { return lies(x); }))
      return {};
    if (const auto pool = ov::as_type_ptr<op::v14::MaxPool>(node)) return max_pool(*pool);
    if (const auto pool = ov::as_type_ptr<op::v14::AvgPool>(node)) return avg_pool(*pool);
    if (ov::is_type<op::v12::Pad>(node)) return pad(*node);
    if (ov::is_type<op::v5::BatchNormInference>(node)) return batch_norm(*node);
    if (ov::is_type<op::util::UnaryElementwiseArithmetic>(node) ||
        ov::is_type<op::util::BinaryElementwiseArithmetic>(node)) {
      return elementwise(*node);
    }
    return {};
  }

  Out convolution(const op::v1::Convolution& conv) {
    const Out x = conv.input_value(0);
    const auto weight = constant_of(conv.input_value(1));
    if (!weight || !is_column(x) || weight->get_shape().at(kWidth) != 1) return {};
    if (conv.get_pads_begin()[1] != 0 || conv.get_pads_end()[1] != 0) return {};
    if (!lies(x) && weight->get_shape().at(kHeight) == 1) return {};
    return make<op::v1::Convolution>(lying(x), lying(conv.input_value(1)),
                                     swapped(conv.get_strides()), swapped(conv.get_pads_begin()),
                                     swapped(conv.get_pads_end()), swapped(conv.get_dilations()));
  }

  template <typename Pool>
  static bool goes_down_only(const Pool& pool) {
    return pool.get_kernel()[1] == 1 && pool.get_pads_begin()[1] == 0 &&
           pool.get_pads_end()[1] == 0;
  }

  Out max_pool(const op::v14::MaxPool& pool) {
    if (!goes_down_only(pool) || !pool.output(1).get_target_inputs().empty()) return {};
    return make<op::v14::MaxPool>(lying(pool.input_value(0)), swapped(pool.get_strides()),
                                  swapped(pool.get_dilations()), swapped(pool.get_pads_begin()),
                                  swapped(pool.get_pads_end()), swapped(pool.get_kernel()),
                                  pool.get_rounding_type());
  }

  Out avg_pool(const op::v14::AvgPool& pool) {
    if (!goes_down_only(pool)) return {};
    return make<op::v14::AvgPool>(lying(pool.input_value(0)), swapped(pool.get_strides()),
                                  swapped(pool.get_pads_begin()), swapped(pool.get_pads_end()),
                                  swapped(pool.get_kernel()), pool.get_exclude_pad(),
                                  pool.get_rounding_type());
  }

  Out pad(const ov::Node& node) {
    const auto begin = constant_of(node.input_value(1));
    const auto end = constant_of(node.input_value(2));
    if (!begin || !end || !lies(node.input_value(0))) return {};
    core::Ints amounts[] = {begin->cast_vector<std::int64_t>(), end->cast_vector<std::int64_t>()};
    Outs inputs = node.input_values();
    inputs[0] = lying(inputs[0]);
    for (std::size_t i = 0; i < 2; ++i) {
      if (amounts[i].at(kWidth) != 0) return {};
      std::swap(amounts[i].at(kHeight), amounts[i].at(kWidth));
      inputs[i + 1] = vector_of(amounts[i]);
    }
    return node.clone_with_new_inputs(inputs)->output(0);
  }

  Out batch_norm(const ov::Node& node) {
    Outs inputs = node.input_values();
    inputs[0] = lying(inputs[0]);
    return node.clone_with_new_inputs(inputs)->output(0);
  }

  Out elementwise(const ov::Node& node) {
    Outs inputs = node.input_values();
    for (Out& x : inputs) {
      const ov::PartialShape& shape = x.get_partial_shape();
      if (shape.is_static() && ov::shape_size(shape.to_shape()) == 1) continue;
      if (shape.rank() != 4 || shape[kWidth] != 1) return {};
      x = lying(x);
    }
    return node.clone_with_new_inputs(inputs)->output(0);
  }

  bool lies(const Out& x) const { return lying_.contains(x); }

  Out lying(const Out& x) {
    if (const auto found = lying_.find(x); found != lying_.end()) return found->second;
    const auto constant = constant_of(x);
    if (!constant) return transpose(x, kSwap);
    ov::Shape shape = constant->get_shape();
    std::swap(shape.at(kHeight), shape.at(kWidth));
    return make<op::v0::Constant>(*constant, shape);
  }

  std::map<Out, Out> lying_;
};

/// Whether x comes from a convolution through what keeps its order of memory.
bool has_channels_last(Out x) {
  for (;;) {
    const ov::Node* node = x.get_node();
    if (ov::is_type<op::v1::Convolution>(node) || ov::is_type<op::v1::GroupConvolution>(node))
      return true;
    if (!ov::is_type<op::v11::Interpolate>(node) &&
        !ov::is_type<op::util::UnaryElementwiseArithmetic>(node) &&
        !ov::is_type<op::util::BinaryElementwiseArithmetic>(node)) {
      return false;
    }
    x = node->input_value(0);
  }
}

}  // namespace

void lay_columns_on_their_side(const std::shared_ptr<ov::Model>& model) { Columns().run(*model); }

Out result_of_image(const Out& image) {
  // Outside of these sizes OpenVINO's own way is as fast or faster (measured with batches of 1 to
  // 8, 1 to 256 channels and planes of 28 x 28 to 512 x 512).
  constexpr std::int64_t kLeastChannels = 16, kMostChannels = 64;
  constexpr std::int64_t kPlane = 128 * 128;
  const ov::PartialShape& shape = image.get_partial_shape();
  if (shape.is_dynamic() || shape.rank() != 4) return image;
  const std::int64_t batch = shape[0].get_length(), channels = shape[1].get_length();
  const std::int64_t height = shape[2].get_length(), width = shape[3].get_length();
  if (channels < kLeastChannels || channels > kMostChannels || height * width < kPlane ||
      !has_channels_last(image)) {
    return image;
  }
  // With Squeeze instead of Reshape OpenVINO would see through it and reorder again.
  const Out last = transpose(image, {0, 2, 3, 1});
  const Out first = batch == 1
                        ? transpose(reshape(last, {height, width, channels}), {2, 0, 1})
                        : transpose(reshape(last, {batch, height * width, channels}), {0, 2, 1});
  return reshape(first, {batch, channels, height, width});
}

}  // namespace torch_tensorrt::engines::openvino
