#include "engines/reference/program.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>

#include "core/error.h"
#include "engines/reference/layers.h"

namespace torch_tensorrt::engines::reference {
namespace {

std::string describe(const core::Node& node) {
  std::string where = core::text("reference: layer ", core::kind_of(node.layer));
  if (!node.origin.scope.empty()) where += " of " + node.origin.scope;
  if (!node.origin.location.empty()) where += " (" + node.origin.location + ")";
  return where;
}

// What ATen refuses at run time is data that breaks a layer's rule (an index out of range, a
// division by zero).
Tensors evaluate_node(const Call& call) {
  try {
    return std::visit([&](const auto& layer) { return evaluate(layer, call); }, call.node().layer);
  } catch (const core::Error&) {
    throw;
  } catch (const c10::Error& error) {
    throw core::invalid_argument(describe(call.node()), ": ", error.what_without_backtrace());
  } catch (const std::exception& error) {
    throw core::invalid_argument(describe(call.node()), ": ", error.what());
  }
}

}  // namespace

Program::Program(core::Network network, at::Device device)
    : network_(std::move(network)), device_(device) {
  for (const core::Node& node : network_.nodes()) prepare(node);
  find_last_uses();
}

void Program::prepare(const core::Node& node) {
  const auto add_body = [this](const std::shared_ptr<const core::Network>& body) {
    bodies_.emplace(body.get(), std::make_unique<const Program>(*body, device_));
  };
  if (const auto* constant = std::get_if<core::Constant>(&node.layer)) {
    constants_.emplace(node.outputs.front(), constant_tensor(constant->value, device_));
  } else if (const auto* random = std::get_if<core::Random>(&node.layer)) {
    generators_.emplace(&node,
                        at::detail::createCPUGenerator(static_cast<std::uint64_t>(random->seed)));
  } else if (const auto* loop = std::get_if<core::Loop>(&node.layer)) {
    add_body(loop->body);
  } else if (const auto* branch = std::get_if<core::If>(&node.layer)) {
    add_body(branch->then_branch);
    add_body(branch->else_branch);
  }
}

void Program::find_last_uses() {
  const auto& nodes = network_.nodes();
  dead_after_.resize(nodes.size());
  std::vector<bool> seen(network_.value_count(), false);
  for (const core::ValueId output : network_.outputs()) seen[output] = true;
  for (std::size_t i = nodes.size(); i-- > 0;) {
    const auto die_here = [&](core::ValueId value) {
      if (value == core::kAbsent || seen[value]) return;
      seen[value] = true;
      dead_after_[i].push_back(value);
    };
    std::ranges::for_each(nodes[i].inputs, die_here);
    std::ranges::for_each(nodes[i].outputs, die_here);
  }
}

Tensors Program::run(Tensors inputs) const {
  std::vector<at::Tensor> values(network_.value_count());
  for (const auto& [id, tensor] : constants_) values[id] = tensor;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    values[network_.inputs().at(i)] = std::move(inputs[i]);
  }
  for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
    const core::Node& node = network_.nodes()[i];
    if (!std::holds_alternative<core::Input>(node.layer) &&
        !std::holds_alternative<core::Constant>(node.layer)) {
      Tensors results = evaluate_node(Call(*this, node, values));
      for (std::size_t k = 0; k < node.outputs.size(); ++k) {
        values[node.outputs[k]] = std::move(results.at(k));
      }
    }
    for (const core::ValueId dead : dead_after_[i]) values[dead].reset();
  }
  Tensors outputs;
  for (const core::ValueId id : network_.outputs()) outputs.push_back(values[id]);
  return outputs;
}

std::optional<at::Tensor> Call::optional(std::size_t index) const {
  if (!has(index)) return std::nullopt;
  return (*this)[index];
}

Tensors Call::from(std::size_t first) const {
  Tensors tensors;
  for (std::size_t i = first; i < size(); ++i) tensors.push_back((*this)[i]);
  return tensors;
}

core::Ints Call::ints(std::size_t index) const {
  const core::Content* content = program_.network().content(node_.inputs.at(index));
  if (content && std::ranges::all_of(*content, &core::Extent::is_static)) {
    core::Ints known;
    for (const core::Extent& extent : *content) known.push_back(extent.min);
    return known;
  }
  const at::Tensor host = (*this)[index].to(at::kCPU, at::kLong).contiguous();
  const auto* data = host.const_data_ptr<std::int64_t>();
  return {data, data + host.numel()};
}

}  // namespace torch_tensorrt::engines::reference
