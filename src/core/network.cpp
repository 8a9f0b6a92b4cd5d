#include "core/network.h"

#include <algorithm>

#include "core/error.h"
#include "core/infer.h"

namespace torch_tensorrt::core {
namespace {

std::string where(const Origin& origin) {
  if (origin.scope.empty() && origin.location.empty()) return "";
  const bool both = !origin.scope.empty() && !origin.location.empty();
  return text(" (at ", origin.location, both ? ", " : "", origin.scope, ")");
}

/// One id per declared operand: absent optional ones are filled in.
std::vector<ValueId> complete_operands(const Layer& layer, std::span<const ValueId> inputs,
                                       std::size_t value_count) {
  const Signature signature = Signature::of(operand_names(layer));
  const auto required = static_cast<std::size_t>(signature.required);
  const std::size_t most = required + static_cast<std::size_t>(signature.optional);
  if (inputs.size() < required || (inputs.size() > most && !signature.variadic)) {
    throw invalid_argument(kind_of(layer), " C0: ", inputs.size(), " operands, expected '",
                           operand_names(layer), "'");
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool optional = required <= i && i < most;
    if (inputs[i] < value_count || (inputs[i] == kAbsent && optional)) continue;
    throw invalid_argument(kind_of(layer), " C0: operand ", i, " is ",
                           inputs[i] == kAbsent ? "absent" : "not a value of this network",
                           ", expected '", operand_names(layer), "'");
  }
  std::vector<ValueId> out(inputs.begin(), inputs.end());
  if (out.size() < most) out.resize(most, kAbsent);
  return out;
}

Results infer_layer(const Network& network, const Layer& layer, std::span<const ValueId> inputs) {
  std::vector<Operand> operands;
  operands.reserve(inputs.size());
  for (const ValueId id : inputs) {
    operands.push_back(id == kAbsent ? Operand{} : Operand{&network.type(id), network.content(id)});
  }
  const Operands in(kind_of(layer), operand_names(layer), operands);
  Results results = std::visit([&](const auto& l) { return infer(l, in); }, layer);
  for (const Result& result : results) {
    in.require(result.type.rank() <= kMaxRank, "C0", "a result has rank ", result.type.rank(),
               ", expected at most ", kMaxRank);
    for (const Extent& dim : result.type.dims) {
      in.require(0 <= dim.min && dim.max <= kMaxDim, "C0", "a result is ", result.type,
                 ", expected dimensions in 0..2^40");
    }
  }
  return results;
}

}  // namespace

std::vector<ValueId> Network::add(Layer layer, std::span<const ValueId> inputs, Origin origin) {
  try {
    Node node{std::move(layer), complete_operands(layer, inputs, values_.size()), {}, {}};
    if (const auto* input = std::get_if<Input>(&node.layer)) {
      for (std::size_t i = 0; i < inputs_.size(); ++i) {
        if (input_name(i) == input->name) {
          throw invalid_argument("input C2: '", input->name,
                                 "' is the name of two inputs, expected unique names");
        }
      }
    }
    Results results = infer_layer(*this, node.layer, node.inputs);
    for (Result& result : results) {
      node.outputs.push_back(static_cast<ValueId>(values_.size()));
      values_.push_back({std::move(result.type), static_cast<std::uint32_t>(nodes_.size()),
                         std::move(result.content)});
    }
    if (std::holds_alternative<Input>(node.layer)) inputs_.push_back(node.outputs.front());
    node.origin = std::move(origin);
    nodes_.push_back(std::move(node));
  } catch (const Error& error) {
    throw Error(error.kind(), error.what() + where(origin));
  }
  return nodes_.back().outputs;
}

void Network::mark_output(ValueId value, std::string name) {
  if (value >= values_.size())
    throw invalid_argument("output '", name, "' is not a value of this network");
  if (std::find(output_names_.begin(), output_names_.end(), name) != output_names_.end()) {
    throw invalid_argument("'", name, "' is the name of two outputs, expected unique names");
  }
  outputs_.push_back(value);
  output_names_.push_back(std::move(name));
}

const std::string& Network::input_name(std::size_t index) const {
  return std::get<Input>(producer(inputs_.at(index)).layer).name;
}

bool Network::input_is_host(std::size_t index) const {
  return std::get<Input>(producer(inputs_.at(index)).layer).host;
}

const Content* Network::content(ValueId value) const {
  const std::optional<Content>& content = values_.at(value).content;
  return content ? &*content : nullptr;
}

const Tensor* Network::constant(ValueId value) const {
  const auto* layer = std::get_if<Constant>(&producer(value).layer);
  return layer != nullptr ? &layer->value : nullptr;
}

void Network::set_constant(ValueId value, Tensor tensor) {
  auto* layer = std::get_if<Constant>(&nodes_.at(values_.at(value).producer).layer);
  if (layer == nullptr) throw invalid_argument("value ", value, " is no constant");
  if (tensor.dtype != layer->value.dtype || tensor.dims != layer->value.dims) {
    throw invalid_argument("a constant is ", name(layer->value.dtype), '[', join(layer->value.dims),
                           "], its new elements are ", name(tensor.dtype), '[', join(tensor.dims),
                           ']');
  }
  const bool equal = std::ranges::equal(tensor.bytes.bytes(), layer->value.bytes.bytes());
  if (content(value) != nullptr && !equal) {
    throw invalid_argument("a small integer constant may decide sizes, so it cannot change");
  }
  layer->value = std::move(tensor);
}

std::size_t Network::layer_count() const {
  return static_cast<std::size_t>(std::count_if(nodes_.begin(), nodes_.end(), [](const Node& node) {
    return !std::holds_alternative<Input>(node.layer) &&
           !std::holds_alternative<Constant>(node.layer);
  }));
}

void Network::remove_dead() {
  std::vector<bool> used(values_.size(), false);
  for (const ValueId id : outputs_) used[id] = true;
  std::vector<bool> live(nodes_.size(), false);
  for (std::size_t n = nodes_.size(); n-- > 0;) {
    const Node& node = nodes_[n];
    // Inputs are the caller's contract and stay.
    live[n] =
        std::holds_alternative<Input>(node.layer) ||
        std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) { return used[id]; });
    if (!live[n]) continue;
    for (const ValueId id : node.inputs) {
      if (id != kAbsent) used[id] = true;
    }
  }
  std::vector<ValueId> renamed(values_.size(), kAbsent);
  const auto rename = [&](std::vector<ValueId>& ids) {
    for (ValueId& id : ids) id = id == kAbsent ? kAbsent : renamed[id];
  };
  std::vector<Node> nodes;
  std::vector<ValueInfo> values;
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    if (!live[n]) continue;
    Node& node = nodes_[n];
    rename(node.inputs);
    for (ValueId& id : node.outputs) {
      ValueInfo& info = values.emplace_back(std::move(values_[id]));
      info.producer = static_cast<std::uint32_t>(nodes.size());
      renamed[id] = static_cast<ValueId>(values.size() - 1);
      id = renamed[id];
    }
    nodes.push_back(std::move(node));
  }
  rename(inputs_);
  rename(outputs_);
  nodes_ = std::move(nodes);
  values_ = std::move(values);
}

void Network::verify() const {
  ValueId next = 0;
  for (const Node& node : nodes_) {
    const auto broken = [&](const auto&... what) {
      return internal_error("the network is broken at ", kind_of(node.layer), " (%", next, ")",
                            where(node.origin), ": ", what...);
    };
    try {
      const Results results =
          infer_layer(*this, node.layer, complete_operands(node.layer, node.inputs, next));
      if (results.size() != node.outputs.size()) {
        throw broken(node.outputs.size(), " results, expected ", results.size());
      }
      for (std::size_t i = 0; i < results.size(); ++i, ++next) {
        if (node.outputs[i] != next)
          throw broken("result is %", node.outputs[i], ", expected %", next);
        if (type(next) != results[i].type)
          throw broken("type is ", type(next), ", expected ", results[i].type);
      }
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::internal) throw;
      throw broken(error.what());
    }
    const auto verify_nested = [](std::string_view, const auto& attribute) {
      if constexpr (std::is_same_v<std::decay_t<decltype(attribute)>,
                                   std::shared_ptr<const Network>>) {
        attribute->verify();
      }
    };
    std::visit([&](const auto& layer) { layer.attributes(layer, verify_nested); }, node.layer);
  }
  for (const ValueId id : outputs_) {
    if (id >= next) throw internal_error("the network is broken: an output is no value of it");
  }
}

}  // namespace torch_tensorrt::core
