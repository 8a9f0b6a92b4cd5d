#include "runtime/shapes.h"

#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "core/network.h"

namespace torch_tensorrt::runtime {
namespace {

/// The network again, with its inputs of known sizes: type inference does the rest.
class Restated {
 public:
  Restated(const core::Network& network, const std::vector<StaticInput>& inputs) : inputs_(inputs) {
    for (const core::Node& node : network.nodes()) add(node);
  }

  const core::TensorType& type(core::ValueId value) const { return network_.type(map_.at(value)); }

 private:
  void add(const core::Node& node) {
    core::Layer layer = node.layer;
    if (auto* input = std::get_if<core::Input>(&layer)) fix(*input);
    std::vector<core::ValueId> operands;
    for (const core::ValueId operand : node.inputs) {
      operands.push_back(operand == core::kAbsent ? core::kAbsent : map_.at(operand));
    }
    const auto results = network_.add(std::move(layer), operands, node.origin);
    for (std::size_t i = 0; i < results.size(); ++i) map_[node.outputs[i]] = results[i];
  }

  void fix(core::Input& input) {
    const StaticInput& known = inputs_.at(next_input_++);
    input.type.dims.assign(known.dims.begin(), known.dims.end());
    if (known.content) input.content.assign(known.content->begin(), known.content->end());
  }

  const std::vector<StaticInput>& inputs_;
  std::size_t next_input_ = 0;
  core::Network network_;
  std::unordered_map<core::ValueId, core::ValueId> map_;
};

std::vector<std::int64_t> sizes_of(const core::Artifact& artifact, std::size_t output,
                                   const core::TensorType& type) {
  if (type.is_static()) return core::static_dims(type.dims);
  const std::string why = artifact.network ? "which depends on data"
                                           : "and the network to compute it from was left out of "
                                             "the artifact (portable=False)";
  throw core::unsupported("[runtime] engine ", artifact.name, ": output ", output, " (",
                          artifact.outputs[output].name, ") has shape ", core::to_text(type), ", ",
                          why, "; run the engine on real tensors to know it");
}

}  // namespace

std::vector<std::vector<std::int64_t>> infer_output_shapes(const core::Artifact& artifact,
                                                           const std::vector<StaticInput>& inputs) {
  std::optional<Restated> restated;
  if (artifact.network) restated.emplace(*artifact.network, inputs);
  std::vector<std::vector<std::int64_t>> shapes;
  for (std::size_t i = 0; i < artifact.outputs.size(); ++i) {
    const core::TensorType& type =
        restated ? restated->type(artifact.network->outputs().at(i)) : artifact.outputs[i].type;
    shapes.push_back(sizes_of(artifact, i, type));
  }
  return shapes;
}

}  // namespace torch_tensorrt::runtime
