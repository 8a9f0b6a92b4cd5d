#include "compiler/conversion/precision.h"

#include <vector>

namespace torch_tensorrt::compiler {
namespace {

using core::ValueId;

bool is_product(const core::Layer& layer) {
  return std::holds_alternative<core::MatMul>(layer) || std::holds_alternative<core::Conv>(layer) ||
         std::holds_alternative<core::Deconv>(layer);
}

/// The layer between casts, or nothing where the plugin does not take it in that dtype.
std::vector<ValueId> add_reduced(core::Network& out, const core::Node& node,
                                 const std::vector<ValueId>& inputs, core::DType to,
                                 const core::EnginePlugin& plugin) {
  std::vector<ValueId> reduced;
  for (const ValueId input : inputs) {
    reduced.push_back(
        input == core::kAbsent ? input : out.add(core::Cast{to}, {{input}}, node.origin).front());
  }
  const auto results = out.add(node.layer, reduced, node.origin);
  if (!plugin.supports(out, out.nodes().back()).yes) return {};
  return out.add(core::Cast{core::DType::f32}, {{results.front()}}, node.origin);
}

}  // namespace

core::Network with_reduced_precision(const core::Network& network, core::DType to,
                                     const core::EnginePlugin& plugin) {
  core::Network out;
  std::vector<ValueId> map(network.value_count(), core::kAbsent);
  for (const core::Node& node : network.nodes()) {
    std::vector<ValueId> inputs;
    for (const ValueId input : node.inputs)
      inputs.push_back(input == core::kAbsent ? input : map[input]);
    std::vector<ValueId> results;
    if (is_product(node.layer) && network.type(node.outputs.front()).dtype == core::DType::f32) {
      results = add_reduced(out, node, inputs, to, plugin);
    }
    if (results.empty()) results = out.add(node.layer, inputs, node.origin);
    for (std::size_t i = 0; i < results.size(); ++i) map[node.outputs[i]] = results[i];
  }
  for (std::size_t i = 0; i < network.outputs().size(); ++i) {
    out.mark_output(map[network.outputs()[i]], network.output_names()[i]);
  }
  out.remove_dead();
  return out;
}

}  // namespace torch_tensorrt::compiler
