#include "compiler/lowering/facts.h"

#include <ATen/ATen.h>
#include <ATen/core/List.h>
#include <torch/csrc/jit/ir/ir.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <unordered_set>

#include "compiler/lowering/containers.h"
#include "compiler/lowering/shape_run.h"
#include "core/error.h"

namespace torch_tensorrt::compiler {

namespace {

c10::TypePtr element_type_of(c10::TypePtr type) {
  if (auto optional = type->cast<c10::OptionalType>()) type = optional->getElementType();
  if (auto list = type->cast<c10::ListType>()) return list->getElementType();
  return c10::AnyType::get();
}

bool is_real_tensor(const c10::IValue& value) {
  return value.isTensor() && value.toTensor().defined() && !value.toTensor().is_meta();
}

bool same_type(const c10::IValue& a, const c10::IValue& b) {
  if (!a.isTensor() || !b.isTensor() || !a.toTensor().defined() || !b.toTensor().defined())
    return false;
  return a.toTensor().scalar_type() == b.toTensor().scalar_type() &&
         a.toTensor().sizes() == b.toTensor().sizes();
}

bool same_value(const c10::IValue& a, const c10::IValue& b) {
  if (a.isTensor() || b.isTensor()) {
    if (!same_type(a, b) || !is_real_tensor(a) || !is_real_tensor(b)) return false;
    return a.is(b) || at::equal(a.toTensor(), b.toTensor());
  }
  if (a.isObject() || b.isObject()) return a.is(b);
  if (a.tagKind() != b.tagKind()) return false;
  if (a.isList() && !a.toListRef().empty() && a.toListRef()[0].isTensor()) return false;
  if (a.isTuple() || a.isGenericDict() || a.isCustomClass()) return a.is(b);
  return a == b;
}

bool is_tensor_like(const c10::IValue& value) {
  return value.isTensor() ||
         (value.isList() && !value.toListRef().empty() && value.toListRef()[0].isTensor());
}

bool has_tensors(const c10::IValue& value) {
  if (value.isTensor()) return true;
  if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict()) {
      if (has_tensors(entry.value())) return true;
    }
    return false;
  }
  if (value.isTuple()) {
    const auto& elements = value.toTupleRef().elements();
    return std::any_of(elements.begin(), elements.end(),
                       [](const auto& element) { return has_tensors(element); });
  }
  return value.isList() && !value.toListRef().empty() && has_tensors(value.toListRef()[0]);
}

/// A tensor with data of more than so many bytes.
bool is_larger(const c10::IValue& value, std::size_t bytes) {
  return value.isTensor() && value.toTensor().defined() && !value.toTensor().is_meta() &&
         value.toTensor().nbytes() > bytes;
}

void forget_written(Var* var) {
  var->fact.reset();
  var->unknown_because = "it comes from a list or dict that is written in place";
}

class Interpreter {
 public:
  /// `largest`: bytes of a tensor that may be computed at an optional probe.
  Interpreter(std::size_t probes, std::size_t required, std::unordered_set<const Var*> written,
              std::size_t largest)
      : probes_(probes),
        required_(required),
        largest_(largest),
        written_(std::move(written)),
        state_(probes) {}

  void run(Block& block) {
    for (auto& node : block.nodes) run(*node);
  }
  /// Optional probes at which some op failed while the required ones passed.
  const std::set<std::size_t>& failed_probes() const { return failed_probes_; }

 private:
  using Attribute = std::pair<const void*, std::string>;

  void run(Node& node) {
    evaluate(node);
    for (Var* output : node.outputs) {
      if (written_.count(output)) forget_written(output);
      if (node.shares_written && output->fact) {
        for (c10::IValue& sample : output->fact->samples) sample = to_meta(sample);
      }
    }
  }

  void evaluate(Node& node) {
    const std::string kind = node.kind.toQualString();
    if (kind == "prim::If") return run_if(node);
    if (kind == "prim::Loop") return run_loop(node);
    std::string reason;
    if (!arguments_known(node, reason)) return forget(node, reason);
    try {
      if (kind == "prim::GetAttr") return run_get_attr(node);
      if (kind == "prim::SetAttr") return run_set_attr(node);
      if (run_structure(node, kind)) return;
      if (node.op && node.op->hasOperation() && kind != "prim::RaiseException") return run_op(node);
      forget(node, core::text(kind, " is not evaluated at compile time"));
    } catch (const std::exception& error) {
      after_failure();
      const auto* known = dynamic_cast<const core::Error*>(&error);
      const bool misfit = known && known->kind() == core::ErrorKind::invalid_argument;
      // In straight-line code eager PyTorch would fail as well: the given shapes do not fit the
      // model.
      if (misfit && !node.owner->owner && failed_probes_.empty() && !inspect(node).speculative) {
        throw core::invalid_argument("[lowering] ", node.name(), " at ", where(node.origin), ": ",
                                     error.what(),
                                     "; PyTorch itself stops here with inputs of these shapes");
      }
      forget(node, core::text(node.name(), " cannot run on shapes alone: ", first_line(error)));
    }
  }

  bool arguments_known(const Node& node, std::string& reason) {
    bool known = true;
    for (const Argument& argument : node.args) {
      for_each_var(argument, [&](Var* var) {
        if (known && !var->fact) {
          known = false;
          reason =
              var->unknown_because.empty() ? "an input's type is not known" : var->unknown_because;
        }
      });
    }
    return known;
  }

  /// What is known of a value, or what was seen of it in a run, or why there is neither.
  void know(Var* var, std::optional<Fact> fact, const std::string& reason) const {
    if (!fact && !var->observed.empty() && var->observed.size() == probes_)
      fact = Fact{var->observed, true, true};
    var->fact = std::move(fact);
    var->unknown_because = var->fact ? "" : reason;
  }

  void forget(Node& node, const std::string& reason) const {
    for (Var* output : node.outputs) know(output, std::nullopt, reason);
  }

  c10::IValue resolve(const Argument& argument, std::size_t probe, const c10::TypePtr& type) const {
    if (const Var* var = argument.var()) return var->fact->samples[probe];
    if (const auto* constant = argument.constant()) return *constant;
    std::vector<c10::IValue> elements;
    auto element_type = type ? element_type_of(type) : c10::TypePtr(c10::AnyType::get());
    for (const Argument& element : *argument.list())
      elements.push_back(resolve(element, probe, element_type));
    if (element_type->hasFreeVariables() && !elements.empty())
      element_type = c10::unshapedType(elements.front().type());
    return make_list(element_type, elements);
  }

  std::vector<c10::IValue> resolve_all(const Node& node, std::size_t probe) const {
    std::vector<c10::IValue> values;
    const auto* schema = node.schema();
    for (std::size_t i = 0; i < node.args.size(); ++i) {
      const auto type =
          schema && i < schema->arguments().size() ? schema->arguments()[i].type() : c10::TypePtr();
      values.push_back(resolve(node.args[i], probe, type));
    }
    return values;
  }

  struct Inputs {
    bool dynamic = false;  // some number or host tensor among them is
    bool speculative = false;
    bool constant = true;  // all are known constants
  };

  static Inputs inspect(const Node& node) {
    Inputs inputs;
    for (const Argument& argument : node.args) {
      for_each_var(argument, [&](Var* var) {
        const Fact& fact = *var->fact;
        inputs.speculative |= fact.speculative;
        inputs.dynamic |= fact.dynamic;
        inputs.constant &=
            known_constant(var).has_value() && !var->fact->samples.front().isObject();
      });
    }
    if (counts_dimensions(node)) inputs.dynamic = false;
    return inputs;
  }

  /// len(x.shape): a tensor has one rank, however its sizes vary.
  static bool counts_dimensions(const Node& node) {
    if (node.kind != c10::aten::len) return false;
    const Var* list = node.args.front().var();
    return list && list->producer && list->producer->kind == c10::aten::size;
  }

  /// Stores the samples of one output, which decides whether it is dynamic.
  void learn(Var* output, std::vector<c10::IValue> samples, const Inputs& inputs) {
    Fact fact{std::move(samples), false, inputs.speculative};
    const bool meta = has_meta(fact.samples.front());
    if (!meta) {
      fact.dynamic = inputs.dynamic;
      for (std::size_t p = 1; p < fact.samples.size() && !fact.dynamic && !inputs.constant; ++p) {
        fact.dynamic = !same_value(fact.samples[0], fact.samples[p]);
      }
    }
    output->fact = std::move(fact);
    output->unknown_because.clear();
  }

  void run_op(Node& node) {
    const Inputs inputs = inspect(node);
    const bool once = inputs.constant && !has_effect(node);
    std::vector<std::vector<c10::IValue>> results(node.outputs.size());
    for (std::size_t p = 0; p < (once ? 1 : probes_); ++p) {
      torch::jit::Stack stack = resolve_all(node, p);
      // Such an operator is told how many arguments it has.
      if (node.schema()->is_vararg()) stack.emplace_back(static_cast<std::int64_t>(stack.size()));
      const torch::jit::Stack given = stack;
      try {
        if (prepare(node, stack)) {
          run_for_shape(node, stack, given);
        } else {
          node.op->getOperation()(stack);
        }
      } catch (...) {
        if (p >= required_) failed_probes_.insert(p);
        throw;
      }
      if (stack.size() != node.outputs.size())
        throw core::internal_error("[lowering] ", node.name(), " gave ", stack.size());
      if (p >= required_ && std::any_of(stack.begin(), stack.end(), [this](const auto& value) {
            return is_larger(value, largest_);
          })) {
        failed_probes_.insert(p);
        throw core::unsupported("[lowering] ", node.name(), " gives a tensor of more than ",
                                largest_, " bytes");
      }
      for (std::size_t i = 0; i < stack.size(); ++i) results[i].push_back(std::move(stack[i]));
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (once) results[i].resize(probes_, results[i].front());
      learn(node.outputs[i], std::move(results[i]), inputs);
    }
  }

  /// An op with one meta tensor runs on meta altogether; one that writes never sees a real weight.
  /// True: on meta.
  static bool prepare(const Node& node, torch::jit::Stack& stack) {
    const auto* schema = node.schema();
    const bool writes = schema && schema->is_mutable();
    const bool meta =
        std::any_of(stack.begin(), stack.end(), [](const auto& value) { return has_meta(value); });
    if (!meta && !writes) return false;
    for (c10::IValue& value : stack) {
      value = to_meta(value);
      if (meta && value.isDevice()) value = c10::Device(at::kMeta);
    }
    return meta;
  }

  /// prim:: constructs that only arrange values.
  bool run_structure(Node& node, const std::string& kind) {
    const auto each = [&](auto&& fn) {
      const Inputs inputs = inspect(node);
      std::vector<std::vector<c10::IValue>> results(node.outputs.size());
      for (std::size_t p = 0; p < probes_; ++p) {
        std::vector<c10::IValue> values = fn(resolve_all(node, p));
        for (std::size_t i = 0; i < results.size(); ++i) results[i].push_back(values.at(i));
      }
      for (std::size_t i = 0; i < results.size(); ++i)
        learn(node.outputs[i], std::move(results[i]), inputs);
      return true;
    };
    using Values = std::vector<c10::IValue>;
    if (kind == "prim::ListConstruct") {
      const auto type = element_type_of(node.outputs[0]->type);
      return each([&](Values in) { return Values{make_list(type, in)}; });
    }
    if (kind == "prim::DictConstruct") {
      const auto type = node.outputs[0]->type->expect<c10::DictType>();
      return each([&](Values in) {
        c10::impl::GenericDict dict(type->getKeyType(), type->getValueType());
        for (std::size_t i = 0; i + 1 < in.size(); i += 2) dict.insert_or_assign(in[i], in[i + 1]);
        return Values{dict};
      });
    }
    if (kind == "prim::TupleConstruct") {
      return each([](Values in) { return Values{c10::ivalue::Tuple::create(std::move(in))}; });
    }
    if (kind == "prim::TupleUnpack") {
      return each([](Values in) { return in.at(0).toTupleRef().elements().vec(); });
    }
    if (kind == "prim::ListUnpack") {
      return each([](Values in) { return in.at(0).toListRef().vec(); });
    }
    if (kind == "prim::unchecked_cast") {
      return each([](Values in) { return Values{in.at(0)}; });
    }
    return false;
  }

  void run_get_attr(Node& node) {
    const std::string name = node.args[1].constant()->toStringRef();
    std::vector<c10::IValue> samples;
    for (std::size_t p = 0; p < probes_; ++p) {
      const auto object = resolve(node.args[0], p, nullptr).toObject();
      const auto written = state_[p].find({object.get(), name});
      samples.push_back(written != state_[p].end() ? written->second : object->getAttr(name));
    }
    const bool is_object = samples.front().isObject();
    for (auto& sample : samples) sample = to_meta(sample);
    learn(node.outputs[0], std::move(samples), {});
    Fact& fact = *node.outputs[0]->fact;
    fact.dynamic = fact.speculative = !is_object;
  }

  void run_set_attr(Node& node) {
    const std::string name = node.args[2].constant()->toStringRef();
    for (std::size_t p = 0; p < probes_; ++p) {
      const auto object = resolve(node.args[0], p, nullptr).toObject();
      state_[p][{object.get(), name}] = resolve(node.args[1], p, nullptr);
    }
  }

  std::optional<Fact> fact_of(const Argument& argument) const {
    if (const Var* var = argument.var()) return var->fact;
    Fact fact;
    if (const auto* constant = argument.constant()) {
      fact.samples.assign(probes_, *constant);
      return fact;
    }
    bool known = true;
    for_each_var(argument, [&](Var* var) {
      known &= var->fact.has_value();
      if (var->fact) fact.dynamic |= var->fact->dynamic, fact.speculative |= var->fact->speculative;
    });
    if (!known) return std::nullopt;
    for (std::size_t p = 0; p < probes_; ++p) fact.samples.push_back(resolve(argument, p, nullptr));
    return fact;
  }

  void run_if(Node& node) {
    const std::optional<Fact> condition = fact_of(node.args[0]);
    const auto known = condition ? known_constant(node.args[0]) : std::nullopt;
    if (known) {
      const std::size_t taken = known->toBool() ? 0 : 1;
      run(*node.blocks[taken]);
      for (std::size_t i = 0; i < node.outputs.size(); ++i) {
        node.outputs[i]->fact = fact_of(node.blocks[taken]->outputs[i]);
      }
      return;
    }
    run(*node.blocks[0]);
    run(*node.blocks[1]);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      Var* output = node.outputs[i];
      know(output,
           merge(fact_of(node.blocks[0]->outputs[i]), fact_of(node.blocks[1]->outputs[i]),
                 condition),
           "it comes from a branch that is decided at run time");
    }
  }

  /// What is known after a branch that is decided at run time.
  std::optional<Fact> merge(std::optional<Fact> then_fact, std::optional<Fact> else_fact,
                            const std::optional<Fact>& condition) const {
    if (!then_fact || !else_fact) {
      std::optional<Fact> fact = then_fact ? then_fact : else_fact;
      if (fact) fact->dynamic = fact->speculative = true;
      return fact;
    }
    Fact fact;
    fact.dynamic = then_fact->dynamic || else_fact->dynamic;
    fact.speculative = then_fact->speculative || else_fact->speculative;
    for (std::size_t p = 0; p < probes_; ++p) {
      const c10::IValue& a = then_fact->samples[p];
      const c10::IValue& b = else_fact->samples[p];
      if (same_type(a, b)) {
        fact.samples.push_back(to_meta(a));
        continue;
      }
      if (!same_value(a, b)) fact.dynamic = fact.speculative = true;
      const bool takes_else =
          condition && condition->samples[p].isBool() && !condition->samples[p].toBool();
      fact.samples.push_back(to_meta(takes_else ? b : a));
    }
    return fact;
  }

  void run_loop(Node& node) {
    Block& body = *node.blocks[0];
    std::vector<std::optional<Fact>> carried;
    for (std::size_t i = 2; i < node.args.size(); ++i) {
      const bool written = written_.count(body.inputs[i - 1]) != 0;
      carried.push_back(written ? std::nullopt : loop_entry(fact_of(node.args[i])));
    }
    Fact trip;
    trip.samples.assign(probes_, std::int64_t{0});
    // One trip's number among many.
    trip.dynamic = trip.speculative = true;
    body.inputs[0]->fact = trip;
    for (bool stable = false; !stable;) {
      for (std::size_t i = 0; i < carried.size(); ++i) {
        body.inputs[i + 1]->fact = carried[i];
        body.inputs[i + 1]->unknown_because =
            carried[i] ? "" : "it changes its type from one trip of a loop to the next";
      }
      run(body);
      stable = true;
      for (std::size_t i = 0; i < carried.size(); ++i) {
        if (!carried[i] || unchanged(*carried[i], fact_of(body.outputs[i + 1]))) continue;
        carried[i].reset();
        stable = false;
      }
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      know(node.outputs[i], carried[i], "it changes its type from one trip of a loop to the next");
    }
  }

  /// A carried value as the body may assume it: tensors by type, the rest as guesses.
  std::optional<Fact> loop_entry(std::optional<Fact> fact) const {
    if (!fact) return fact;
    for (auto& sample : fact->samples) sample = to_meta(sample);
    if (!fact->samples.front().isTensor()) fact->dynamic = fact->speculative = true;
    return fact;
  }

  bool unchanged(const Fact& entry, const std::optional<Fact>& exit) const {
    if (!exit) return false;
    for (std::size_t p = 0; p < probes_; ++p) {
      const c10::IValue& a = entry.samples[p];
      const c10::IValue& b = exit->samples[p];
      if (is_tensor_like(a) || is_tensor_like(b)) {
        if (!same_type(a, b)) return false;
      } else if (a.isList() || a.tagKind() != b.tagKind()) {
        return false;
      }
    }
    return true;
  }

  std::size_t probes_;
  std::size_t required_;
  std::size_t largest_;
  std::unordered_set<const Var*> written_;
  std::vector<std::map<Attribute, c10::IValue>> state_;
  std::set<std::size_t> failed_probes_;
};

/// Numbers and other arguments that are not tensors are examples: what follows from them is a
/// guess.
void set_inputs(Graph& graph, const std::vector<Probe>& probes,
                const std::vector<std::size_t>& fixed) {
  for (std::size_t i = 0; i < graph.body().inputs.size(); ++i) {
    Var* input = graph.body().inputs[i];
    if (!probes.front().at(i)) {
      input->fact.reset();
      input->unknown_because = "it depends on an argument that is given at run time";
      continue;
    }
    Fact fact;
    for (const Probe& probe : probes) fact.samples.push_back(*probe.at(i));
    const c10::IValue& first = fact.samples.front();
    const bool is_fixed = std::find(fixed.begin(), fixed.end(), i) != fixed.end();
    fact.dynamic = fact.speculative = !is_fixed && !has_tensors(first) && !first.isObject();
    input->fact = std::move(fact);
  }
}

/// The probes behind the first `required` ones at which an op failed.
std::set<std::size_t> run_once(Graph& graph, const std::vector<Probe>& probes, std::size_t required,
                               const std::vector<std::size_t>& fixed,
                               std::size_t largest = std::numeric_limits<std::size_t>::max()) {
  set_inputs(graph, probes, fixed);
  const auto written = written_containers(graph);
  for (Var* input : graph.body().inputs) {
    if (written.count(input)) forget_written(input);
  }
  Interpreter interpreter(probes.size(), required, written, largest);
  interpreter.run(graph.body());
  return interpreter.failed_probes();
}

}  // namespace

void infer_facts(Graph& graph, std::vector<Probe> probes, std::size_t required,
                 const std::vector<std::size_t>& fixed) {
  const at::NoGradGuard no_grad;
  while (true) {
    const auto failed = run_once(graph, probes, required, fixed);
    if (failed.empty()) return;
    for (auto it = failed.rbegin(); it != failed.rend(); ++it)
      probes.erase(probes.begin() + static_cast<long>(*it));
  }
}

bool runs_at(Graph& graph, const Probe& usual, const Probe& other) {
  const at::NoGradGuard no_grad;
  // Masks and position tables grow with the square of a length, and all of them are kept.
  constexpr std::size_t kLargest = 16 << 20;
  return run_once(graph, {usual, other}, 1, {}, kLargest).empty();
}

}  // namespace torch_tensorrt::compiler
