#include "engines/openvino/emitter.h"

#include <set>

#include "core/error.h"
#include "engines/openvino/layout.h"

namespace torch_tensorrt::engines::openvino {

using core::kAbsent;
using core::Network;
using core::Node;
using core::text;
using core::ValueId;

namespace {

/// A constant for a value whose elements the host knows, so that shape arithmetic needs no
/// operations; else no node.
Out known_value(const Network& network, ValueId value) {
  if (const core::Tensor* tensor = network.constant(value)) return share(*tensor, tensor->dims);
  const auto numbers = numbers_of(network.content(value));
  if (!numbers) return {};
  const core::TensorType& type = network.type(value);
  const core::Ints dims = core::static_dims(type.dims);
  return make<op::v0::Constant>(element_type(type.dtype), ov::Shape(dims.begin(), dims.end()),
                                *numbers);
}

/// Dynamic dimensions without bounds.
ov::PartialShape unbounded_shape(const core::Dims& dims) {
  std::vector<ov::Dimension> shape;
  for (const core::Extent& dim : dims) shape.emplace_back(dim.is_static() ? dim.opt : -1);
  return shape;
}

/// What prevents a result of the layer, or an empty text: its type must be the Network's.
std::string mismatch(const Network& network, const Node& node, const Outs& outs) {
  if (outs.size() < node.outputs.size()) return text("gives ", outs.size(), " results");
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    const core::TensorType& want = network.type(node.outputs[i]);
    const ov::element::Type& type = outs[i].get_element_type();
    const ov::PartialShape& shape = outs[i].get_partial_shape();
    if (type != element_type(want.dtype))
      return text("gives ", type, " instead of ", core::name(want.dtype));
    if (!shape.compatible(unbounded_shape(want.dims))) {
      return text("gives shape ", shape, " instead of ", core::to_text(want));
    }
  }
  return {};
}

class Emitter {
 public:
  using ShapeOfDims = ov::PartialShape (*)(const core::Dims&);
  Emitter(const Network& network, ShapeOfDims input_shape)
      : network_(network), input_shape_(input_shape), values_(network.value_count()) {}

  std::shared_ptr<ov::Model> run() {
    for (const Node& node : network_.nodes()) add(node);
    ov::ResultVector results;
    const auto add_result = [&](ValueId value, const std::string& name) {
      const Out out = result_of_image(apart_from_inputs(value_of(value)));
      results.push_back(std::make_shared<op::v0::Result>(out));
      results.back()->set_friendly_name(name);
    };
    for (std::size_t i = 0; i < network_.outputs().size(); ++i) {
      add_result(network_.outputs()[i], text(network_.output_names()[i], ".result"));
    }
    for (const Node* node : open_assertions(network_)) add_result(node->inputs[1], "assertion");
    const auto model = std::make_shared<ov::Model>(results, parameters_);
    lay_columns_on_their_side(model);
    return model;
  }

 private:
  void add(const Node& node) {
    if (const auto* input = std::get_if<core::Input>(&node.layer)) return add_input(*input, node);
    if (std::holds_alternative<core::Constant>(node.layer)) return;
    Outs operands;
    for (const ValueId input : node.inputs)
      operands.push_back(input == kAbsent ? Out{} : value_of(input));
    const Site site(network_, node, std::move(operands), values_);
    const Outs outs = checked_emit(node, site);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) set(node.outputs[i], outs[i]);
    name(node, outs.front());
  }

  Outs checked_emit(const Node& node, const Site& site) {
    try {
      Outs outs =
          std::visit([&](const auto& layer) { return emit_layer(layer, site); }, node.layer);
      if (const std::string why = mismatch(network_, node, outs); !why.empty()) {
        throw core::internal_error("openvino: ", where(node), " ", why);
      }
      return outs;
    } catch (const core::Error&) {
      throw;
    } catch (const std::exception& error) {
      throw core::internal_error("openvino: ", where(node), " was refused: ", one_line(error));
    }
  }

  static Outs emit_layer(const core::Input&, const Site&) { return {}; }
  static Outs emit_layer(const core::Constant&, const Site&) { return {}; }
  template <typename Layer>
  static Outs emit_layer(const Layer& layer, const Site& site) {
    return emit(layer, site);
  }

  void add_input(const core::Input& input, const Node& node) {
    const auto parameter = std::make_shared<op::v0::Parameter>(element_type(input.type.dtype),
                                                               input_shape_(input.type.dims));
    parameter->set_friendly_name(input.name);
    parameters_.push_back(parameter);
    set(node.outputs.front(), parameter->output(0));
  }

  void set(ValueId value, const Out& out) { values_.at(value) = out; }

  Out value_of(ValueId value) {
    const bool is_input = std::holds_alternative<core::Input>(network_.producer(value).layer);
    if (!is_input && !known_.contains(value)) {
      const Out known = known_value(network_, value);
      if (known.get_node()) set(value, known);
      known_.insert(value);
    }
    return values_.at(value);
  }

  /// A parameter that is a result would share one tensor with it: an output's memory would be read
  /// as the input.
  static Out apart_from_inputs(const Out& out) {
    return ov::is_type<op::v0::Parameter>(out.get_node()) ? make<op::v16::Identity>(out) : out;
  }

  static std::string where(const Node& node) {
    const std::string& scope = node.origin.scope;
    const std::string& location = node.origin.location;
    return text("layer ", core::kind_of(node.layer), scope.empty() ? "" : " of ", scope,
                location.empty() ? "" : " at ", location);
  }

  void name(const Node& node, const Out& out) {
    if (ov::is_type<op::v0::Parameter>(out.get_node())) return;
    const std::string& scope = node.origin.scope;
    out.get_node()->set_friendly_name(text(scope, scope.empty() ? "" : ".",
                                           core::kind_of(node.layer), "#", node.outputs.front()));
  }

  const Network& network_;
  ShapeOfDims input_shape_;
  Outs values_;
  std::set<ValueId> known_;
  ov::ParameterVector parameters_;
};

}  // namespace

std::shared_ptr<ov::Model> to_model(const Network& network) {
  return Emitter(network, partial_shape).run();
}
std::shared_ptr<ov::Model> to_body(const Network& network) {
  return Emitter(network, unbounded_shape).run();
}

std::vector<const Node*> open_assertions(const Network& network) {
  std::vector<const Node*> nodes;
  for (const Node& node : network.nodes()) {
    if (!std::holds_alternative<core::Assert>(node.layer)) continue;
    const auto outcome = numbers_of(network.content(node.inputs.at(1)));
    if (!outcome || outcome->front() == 0) nodes.push_back(&node);
  }
  return nodes;
}

std::string why_not_emitted(const Network& network, const Node& node) {
  if (std::holds_alternative<core::Input>(node.layer) ||
      std::holds_alternative<core::Constant>(node.layer)) {
    return {};
  }
  try {
    Outs operands;
    for (const ValueId input : node.inputs) {
      Out operand = input == kAbsent ? Out{} : known_value(network, input);
      if (input != kAbsent && !operand.get_node()) {
        const core::TensorType& type = network.type(input);
        operand = make<op::v0::Parameter>(element_type(type.dtype), unbounded_shape(type.dims));
      }
      operands.push_back(operand);
    }
    const Outs nothing_else;
    const Site site(network, node, std::move(operands), nothing_else);
    const Outs outs = std::visit(
        [&](const auto& layer) -> Outs {
          using Layer = std::decay_t<decltype(layer)>;
          if constexpr (std::is_same_v<Layer, core::Input> || std::is_same_v<Layer, core::Constant>)
            return {};
          else
            return emit(layer, site);
        },
        node.layer);
    return mismatch(network, node, outs);
  } catch (const std::exception& error) {
    return one_line(error);
  }
}

}  // namespace torch_tensorrt::engines::openvino
