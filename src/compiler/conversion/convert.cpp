#include "compiler/conversion/convert.h"

#include <algorithm>
#include <set>
#include <unordered_set>

#include "core/error.h"
#include "core/log.h"

namespace torch_tensorrt::compiler {
namespace {

bool is_number(const c10::TypePtr& type) {
  const auto kind = type->kind();
  return kind == c10::TypeKind::IntType || kind == c10::TypeKind::FloatType ||
         kind == c10::TypeKind::BoolType || kind == c10::TypeKind::NumberType;
}

/// An integer scalar that the host knows: an int, or a 0-d integer tensor that was computed for
/// real on every probe.
bool is_host_integer(const Var& var) {
  if (var.type->kind() == c10::TypeKind::IntType) return true;
  if (!var.fact) return false;
  const auto& samples = var.fact->samples;
  if (var.type->kind() == c10::TypeKind::NumberType) {
    return std::all_of(samples.begin(), samples.end(),
                       [](const c10::IValue& sample) { return sample.isInt(); });
  }
  if (!var.is_tensor()) return false;
  return std::all_of(samples.begin(), samples.end(), [](const c10::IValue& sample) {
    if (!sample.isTensor() || !sample.toTensor().defined()) return false;
    const at::Tensor& tensor = sample.toTensor();
    return !tensor.is_meta() && tensor.dim() == 0 &&
           at::isIntegralType(tensor.scalar_type(), /*includeBool=*/false);
  });
}

bool is_number_list(const c10::TypePtr& type) {
  const auto list = type->cast<c10::ListType>();
  return list && is_number(list->getElementType());
}

/// Range of the numbers that `number_of` finds in each sample; nothing where they are a guess,
/// since a number, unlike a shape, is not guarded at run time.
template <typename NumberOf>
core::Content range_of(const Fact& fact, NumberOf&& number_of) {
  if (fact.speculative) return {};
  std::int64_t low = 0, opt = 0, high = 0;
  bool first = true;
  for (std::size_t p = 0; p < fact.samples.size(); ++p) {
    const std::int64_t value = number_of(fact.samples[p]);
    low = first ? value : std::min(low, value);
    high = first ? value : std::max(high, value);
    if (first || p == 1) opt = value;
    first = false;
  }
  return {core::Extent::range(low, opt, high)};
}

/// A name that is unique in the network: the Var's own where it has one.
std::string binding_name(const Var& var, const std::string& otherwise,
                         std::set<std::string>& taken) {
  const bool is_named = var.name.find_first_not_of("0123456789") != std::string::npos;
  std::string base = is_named ? var.name : otherwise;
  std::replace(base.begin(), base.end(), '.', '_');
  std::string name = base;
  for (int i = 1; !taken.insert(name).second; ++i) name = base + "_" + std::to_string(i);
  return name;
}

std::string input_name(const Var& var, std::set<std::string>& taken) {
  return binding_name(var, "input", taken);
}

/// "its input 'x'", or "its input from aten::relu at model.py:3".
std::string described_input(const Var& var) {
  if (var.producer) {
    return core::text("its input from ", var.producer->name(), " at ", where(var.producer->origin));
  }
  return var.name.empty() ? "its input" : core::text("its input '", var.name, "'");
}

Value bind_input(const Var& var, Environment& env, std::set<std::string>& names) {
  auto& net = env.net();
  if (is_host_integer(var)) {
    if (!var.fact) throw core::unsupported("it needs a number known only at run time");
    const auto number_of = [](const c10::IValue& v) {
      return v.isInt() ? v.toInt() : v.toTensor().item<std::int64_t>();
    };
    return net.input(input_name(var, names), {DType::i64, {}}, /*host=*/true,
                     range_of(*var.fact, number_of));
  }
  if (is_number(var.type)) throw core::unsupported("it needs a number known only at run time");
  const auto known = tensor_type(var);
  if (!known.type) throw core::unsupported(described_input(var), ": ", known.reason);
  if (known.type->dtype == DType::f64)
    throw core::unsupported("its input is float64, which no engine computes in");
  return net.input(input_name(var, names), *known.type);
}

/// What a node reads, as inputs of a network of its own, to see whether it converts. Numbers and
/// lists of numbers count as given: inside a segment they are computed again.
Bound bind_alone(const Var& var, Environment& env, std::set<std::string>& names) {
  const auto list = var.type->cast<c10::ListType>();
  if (list && list->getElementType()->kind() == c10::TypeKind::TensorType) {
    throw core::unsupported("it takes a list whose length is known only at run time");
  }
  if (list && list->getElementType()->kind() == c10::TypeKind::IntType && var.fact) {
    std::vector<Value> elements;
    const std::size_t length = var.fact->samples.front().toListRef().size();
    for (std::size_t i = 0; i < length; ++i) {
      const auto number_of = [i](const c10::IValue& sample) {
        return sample.toListRef().at(i).toInt();
      };
      elements.push_back(env.net().input(input_name(var, names), {DType::i64, {}}, true,
                                         range_of(*var.fact, number_of)));
    }
    return elements;
  }
  if (var.type->kind() == c10::TypeKind::FloatType || var.type->kind() == c10::TypeKind::BoolType) {
    const DType dtype = var.type->kind() == c10::TypeKind::FloatType ? DType::f32 : DType::b;
    return env.net().input(input_name(var, names), {dtype, {}});
  }
  return bind_input(var, env, names);
}

/// A converter's result against what PyTorch gave: a defect of the converter never reaches a user's
/// numbers.
void check_result(const Node& node, std::size_t index, const Bound& bound, bool built_in) {
  const auto* value = std::get_if<Value>(&bound);
  const Var& var = *node.outputs[index];
  if (!value || !var.is_tensor()) return;
  const auto known = tensor_type(var);
  if (!known.type) return;
  const core::TensorType& want = *known.type;
  const core::TensorType& got = value->type();
  bool equal = got.dtype == want.dtype && got.rank() == want.rank();
  for (int i = 0; equal && i < want.rank(); ++i) {
    const core::Extent &g = got.dims[static_cast<std::size_t>(i)],
                       &w = want.dims[static_cast<std::size_t>(i)];
    if (g.is_static()) equal = w.is_static() && g.opt == w.opt;
  }
  if (equal) return;
  const std::string text =
      core::text("[conversion] ", node.name(), " at ", where(node.origin), ": the converter gives ",
                 core::to_text(got), ", PyTorch gives ", core::to_text(want));
  if (!built_in) throw core::unsupported(text);
  throw core::internal_error(text);
}

void convert_node(const Node& node, Environment& env) {
  const FoundConverter converter = find_converter(node);
  if (!converter.convert) throw core::unsupported("[conversion] no converter for ", node.name());
  env.net().set_origin(node.origin);
  OpContext context(node, env);
  std::vector<Bound> results = converter.convert(context);
  if (results.size() != node.outputs.size()) {
    throw core::internal_error("[conversion] the converter of ", node.name(), " gives ",
                               results.size(), " results, expected ", node.outputs.size());
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    check_result(node, i, results[i], converter.built_in);
    env.bind(node.outputs[i], std::move(results[i]));
  }
}

class SegmentConverter {
 public:
  SegmentConverter() : builder_(result_.network), env_(builder_) {}

  ConvertedSegment run(const std::vector<Node*>& nodes, const std::vector<Var*>& outputs) {
    for (const Node* node : nodes) {
      bind_arguments(*node);
      convert_node(*node, env_);
    }
    std::set<std::string> names;
    for (const Var* output : outputs) {
      Value value = std::get<Value>(env_.at(output));
      // An engine's output is never its input or a constant, and no two outputs are one value.
      if (!outputs_.insert(value.id()).second || is_source(value))
        value = builder_.one(core::Identity{}, {value});
      result_.network.mark_output(value.id(), binding_name(*output, "output", names));
    }
    drop_unused_inputs();
    return std::move(result_);
  }

 private:
  void bind_arguments(const Node& node) {
    for (const Argument& argument : node.args) {
      for_each_var(argument, [&](Var* var) { bind(*var); });
    }
  }

  void bind(Var& var) {
    if (env_.has(&var) || known_constant(&var)) return;
    // Host arithmetic of outside is computed again here, down to the tensors whose sizes it reads.
    if (is_host(var) && var.producer && is_host(*var.producer) &&
        op_table().find(var.producer->name())) {
      bind_arguments(*var.producer);
      convert_node(*var.producer, env_);
      return;
    }
    env_.bind(&var, bind_input(var, env_, names_));
    vars_[result_.network.input_name(result_.network.inputs().size() - 1)] = &var;
  }

  bool is_source(const Value& value) const {
    const core::Layer& layer = result_.network.producer(value.id()).layer;
    return std::holds_alternative<core::Input>(layer) ||
           std::holds_alternative<core::Constant>(layer);
  }

  /// Sizes that turned out to be static leave inputs behind that nothing reads.
  void drop_unused_inputs() {
    result_.network.remove_dead();
    std::vector<Var*> kept;
    for (std::size_t i = 0; i < result_.network.inputs().size(); ++i)
      kept.push_back(vars_.at(result_.network.input_name(i)));
    result_.inputs = std::move(kept);
  }

  ConvertedSegment result_;
  core::NetworkBuilder builder_;
  Environment env_;
  std::set<std::string> names_;
  std::unordered_map<std::string, Var*> vars_;  ///< by input name
  std::unordered_set<core::ValueId> outputs_;
};

}  // namespace

bool is_host(const Var& var) {
  return is_number(var.type) || is_number_list(var.type) || is_host_integer(var) ||
         var.type->kind() == c10::TypeKind::NoneType;
}

bool is_host_control(const Node& node) {
  if (node.blocks.empty()) return false;
  const auto harmless = [](const std::unique_ptr<Node>& inner) {
    return inner->kind == c10::prim::RaiseException || is_host(*inner) || is_host_control(*inner);
  };
  return std::all_of(node.blocks.begin(), node.blocks.end(),
                     [&](const auto& block) {
                       return std::all_of(block->nodes.begin(), block->nodes.end(), harmless);
                     }) &&
         std::all_of(node.outputs.begin(), node.outputs.end(),
                     [](const Var* output) { return is_host(*output); });
}

bool is_host(const Node& node) {
  if (node.outputs.empty() || !node.blocks.empty() || has_effect(node)) return false;
  static const std::set<std::string> kArranging = {
      "prim::TupleConstruct", "prim::TupleUnpack", "prim::TupleIndex",     "prim::ListConstruct",
      "prim::DictConstruct",  "prim::GetAttr",     "prim::unchecked_cast", "prim::Uninitialized",
      "prim::device",         "prim::dtype",       "aten::__getitem__",    "aten::len"};
  if (kArranging.count(node.kind.toQualString())) return true;
  return std::all_of(node.outputs.begin(), node.outputs.end(), [](const Var* output) {
    const auto kind = output->type->kind();
    return is_host(*output) || kind == c10::TypeKind::StringType ||
           kind == c10::TypeKind::DeviceObjType;
  });
}

NodeSupport supports(const Node& node, const core::EnginePlugin& plugin) {
  if (!node.torch_code.empty()) return {false, node.torch_code, node.torch_because};
  if (!node.blocks.empty())
    return {false, "control_flow", "control flow is decided in PyTorch; its branches are compiled"};
  if (has_effect(node))
    return {false, "effect", "it has side effects or gives different results from call to call"};
  if (!find_converter(node).convert)
    return {false, "no_converter", core::text("no converter for ", node.name())};
  for (const Var* output : node.outputs) {
    if (!output->fact) return {false, "type", output->unknown_because};
  }
  try {
    core::Network network;
    core::NetworkBuilder builder(network);
    Environment env(builder);
    std::set<std::string> names;
    const auto bind = [&](Var* var) {
      if (env.has(var) || known_constant(var)) return;
      env.bind(var, bind_alone(*var, env, names));
    };
    const bool unpacks = node.kind == c10::prim::ListUnpack;
    if (!unpacks) {
      for (const Argument& argument : node.args) for_each_var(argument, bind);
      convert_node(node, env);
    }
    for (const core::Node& layer : network.nodes()) {
      const core::Support support = plugin.supports(network, layer);
      if (!support.yes) {
        return {false, "engine_refused",
                core::text(plugin.name(), ": ", core::kind_of(layer.layer), ": ", support.reason)};
      }
    }
    return {};
  } catch (const core::Error& error) {
    if (error.kind() == core::ErrorKind::internal) core::log_warning(error.what());
    return {false, error.kind() == core::ErrorKind::internal ? "defect" : "refused", error.what()};
  } catch (const std::exception& error) {
    const std::string message = core::text("[conversion] ", node.name(), " at ", where(node.origin),
                                           ": ", first_line(error));
    core::log_warning(message);
    return {false, "defect", message};
  }
}

ConvertedSegment convert(const std::vector<Node*>& nodes, const std::vector<Var*>& outputs) {
  return SegmentConverter().run(nodes, outputs);
}

}  // namespace torch_tensorrt::compiler
