#include "compiler/capture/observe.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/interpreter.h>
#include <torch/csrc/jit/runtime/profiling_record.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "core/log.h"

namespace torch_tensorrt::compiler {
namespace {

namespace jit = torch::jit;

/// Tensor types by value of the graph that was decoded.
using Types = std::unordered_map<const jit::Value*, c10::TensorTypePtr>;

/// PyTorch's random numbers go on as if nothing had drawn any.
class KeepRandomState {
 public:
  KeepRandomState() : generator_(at::detail::getDefaultCPUGenerator()) {
    const std::lock_guard lock(generator_.mutex());
    state_ = generator_.get_state();
  }
  ~KeepRandomState() {
    const std::lock_guard lock(generator_.mutex());
    generator_.set_state(state_);
  }
  KeepRandomState(const KeepRandomState&) = delete;
  KeepRandomState& operator=(const KeepRandomState&) = delete;

 private:
  at::Generator generator_;
  at::Tensor state_;
};

at::Tensor example(const at::Tensor& meta, at::Device device) {
  const auto options = meta.options().device(device);
  // An index of 0 is in range wherever one is.
  if (!meta.is_floating_point()) return at::zeros(meta.sizes(), options);
  return at::rand(meta.sizes(), options);
}

/// The value with tensors that have elements, its containers its own.
c10::IValue with_elements(const c10::IValue& value, at::Device device) {
  if (value.isTensor()) {
    const at::Tensor& tensor = value.toTensor();
    return tensor.defined() && tensor.is_meta() ? c10::IValue(example(tensor, device)) : value;
  }
  if (value.isTuple()) {
    std::vector<c10::IValue> elements;
    for (const auto& element : value.toTupleRef().elements())
      elements.push_back(with_elements(element, device));
    return c10::ivalue::Tuple::create(std::move(elements));
  }
  if (value.isList()) {
    std::vector<c10::IValue> elements;
    for (const c10::IValue& element : value.toListRef())
      elements.push_back(with_elements(element, device));
    return make_list(value.toList().elementType(), elements);
  }
  if (value.isGenericDict()) {
    const auto dict = value.toGenericDict();
    c10::impl::GenericDict copy(dict.keyType(), dict.valueType());
    for (const auto& entry : dict) copy.insert(entry.key(), with_elements(entry.value(), device));
    return copy;
  }
  return value;
}

/// Walks the instrumented copy beside the graph it was copied from: it has the same nodes and some
/// that record a type.
void collect(const jit::Block* original, jit::Block* copy,
             std::unordered_map<const jit::Value*, const jit::Value*>& counterparts, Types& types) {
  const auto pair_up = [&](at::ArrayRef<const jit::Value*> ours,
                           at::ArrayRef<const jit::Value*> theirs) {
    for (std::size_t i = 0; i < ours.size(); ++i) counterparts[theirs[i]] = ours[i];
  };
  pair_up(original->inputs(), const_cast<const jit::Block*>(copy)->inputs());
  auto at = original->nodes().begin();
  for (jit::Node* node : copy->nodes()) {
    if (node->kind() == c10::prim::profile) {
      if (node->inputs().empty()) continue;
      const jit::Value* value = counterparts.at(node->input());
      counterparts[node->output()] = value;
      const auto type = node->ty(c10::attr::profiled_type)->cast<c10::TensorType>();
      // What found nothing in random inputs finds something in real ones.
      if (type->numel() == std::size_t{0}) continue;
      if (static_cast<jit::ProfileOp*>(node)->hasSeenTensor() && type->scalarType() &&
          type->sizes().concrete_sizes())
        types[value] = type;
      continue;
    }
    const jit::Node* ours = *at++;
    for (std::size_t i = 0; i < ours->blocks().size(); ++i)
      collect(ours->blocks()[i], node->blocks()[i], counterparts, types);
    pair_up(ours->outputs(), const_cast<const jit::Node*>(node)->outputs());
  }
}

Types run(const Captured& captured, const Probe& probe, at::Device device) {
  const auto record = jit::ProfilingRecord::instrumentGraph(captured.source);
  jit::Stack stack;
  for (const auto& value : probe) {
    const c10::IValue given = value.value_or(c10::IValue());
    // Forward may write to the module's state.
    stack.push_back(given.isObject() ? captured.module.deepcopy()._ivalue()
                                     : with_elements(given, device));
  }
  jit::InterpreterState(jit::Code(record->graph(), "observed")).run(stack);
  Types types;
  std::unordered_map<const jit::Value*, const jit::Value*> counterparts;
  collect(captured.source->block(), record->graph()->block(), counterparts, types);
  return types;
}

}  // namespace

bool has_unknown_work(Graph& graph) {
  static const std::set<std::string> kWork = {
      "aten::_convolution",     "aten::convolution", "aten::conv1d", "aten::conv2d",
      "aten::conv3d",           "aten::linear",      "aten::matmul", "aten::addmm",
      "aten::conv_transpose2d", "aten::bmm",         "aten::mm",     "aten::lstm"};
  const auto nodes = all_nodes(graph.body());
  return std::any_of(nodes.begin(), nodes.end(), [](const Node* node) {
    return kWork.count(node->qualified_kind()) && !node->outputs.front()->fact;
  });
}

bool observe(const Captured& captured, const std::vector<Probe>& probes, at::Device device) {
  const at::NoGradGuard no_grad;
  const KeepRandomState random;
  std::vector<Types> seen;
  try {
    for (const Probe& probe : probes) seen.push_back(run(captured, probe, device));
  } catch (const std::exception& error) {
    const std::string text = error.what();
    core::log_info(
        "[capture] the model does not run on random inputs, so that types that depend on ",
        "data stay unknown: ", text.substr(0, text.find('\n')));
    return false;
  }
  for (Node* node : all_nodes(captured.graph->body())) {
    if (!node->jit) continue;
    const auto values = node->jit->outputs();
    for (std::size_t i = 0; i < node->outputs.size() && i < values.size(); ++i) {
      std::vector<c10::IValue> samples;
      for (const Types& types : seen) {
        const auto found = types.find(values[i]);
        if (found == types.end()) break;
        samples.emplace_back(
            at::empty(*found->second->sizes().concrete_sizes(),
                      at::TensorOptions(*found->second->scalarType()).device(at::kMeta)));
      }
      if (samples.size() == seen.size()) node->outputs[i]->observed = std::move(samples);
    }
  }
  return true;
}

}  // namespace torch_tensorrt::compiler
