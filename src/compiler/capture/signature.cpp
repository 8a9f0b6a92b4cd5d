#include "compiler/capture/signature.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"

namespace torch_tensorrt::compiler {
namespace {

bool is_static(const Signature& signature) {
  if (signature.kind == Signature::Kind::leaf) {
    return signature.input.min == signature.input.max;
  }
  return std::all_of(signature.elements.begin(), signature.elements.end(),
                     [](const auto& e) { return is_static(e); });
}

/// min, opt, max, then points between: next to either end, and an odd one in the middle, so that a
/// size that only happens to agree at the ends is found out.
enum class Point { min, opt, max, above_min, below_max, middle };

std::int64_t at_point(std::int64_t min, std::int64_t opt, std::int64_t max, Point point) {
  switch (point) {
    case Point::min:
      return min;
    case Point::opt:
      return opt;
    case Point::max:
      return max;
    case Point::above_min:
      return std::min(min + 1, max);
    case Point::below_max:
      return std::max(max - 1, min);
    case Point::middle:
      return std::min(max, (min + (max - min) * 3 / 5) | 1);
  }
  return opt;
}

void check(const InputSpec& spec, const std::string& argument) {
  const auto fail = [&](const std::string& what) {
    const std::string& name = spec.name.empty() ? argument : spec.name;
    throw core::invalid_argument("[capture] input ", name, ": min is [", core::join(spec.min),
                                 "], opt [", core::join(spec.opt), "], max [", core::join(spec.max),
                                 "]; ", what);
  };
  if (spec.min.size() != spec.opt.size() || spec.opt.size() != spec.max.size())
    fail("expected equal ranks");
  for (std::size_t i = 0; i < spec.min.size(); ++i) {
    if (spec.min[i] < 0) fail("expected sizes of 0 or more");
    if (spec.min[i] > spec.opt[i] || spec.opt[i] > spec.max[i])
      fail("expected min <= opt <= max in every dimension");
  }
}

/// The dtype that the first consumer of an input asks for: indices for an embedding, a weight's
/// dtype for a layer.
at::ScalarType guess_dtype(const Graph& graph, const Var* input) {
  for (Node* node : all_nodes(const_cast<Graph&>(graph).body())) {
    const bool reads = std::any_of(node->args.begin(), node->args.end(),
                                   [&](const Argument& a) { return a.var() == input; });
    if (!reads) continue;
    if (node->qualified_kind() == "aten::embedding") return at::kLong;
    for (const Argument& argument : node->args) {
      const auto* constant = argument.constant();
      const bool weight = constant && constant->isTensor() && constant->toTensor().defined() &&
                          constant->toTensor().dim() > 0 &&
                          constant->toTensor().is_floating_point();
      if (weight) return constant->toTensor().scalar_type();
    }
  }
  return at::kFloat;
}

class ProbeMaker {
 public:
  ProbeMaker(const Graph& graph, Point point) : graph_(graph), point_(point) {}

  c10::IValue make(const Signature& signature, const c10::TypePtr& type, const std::string& name,
                   const Var* input) const {
    switch (signature.kind) {
      case Signature::Kind::value:
        if (!takes(*type, signature.example)) throw mismatch(name, shown(signature.example), type);
        return signature.example;
      case Signature::Kind::leaf:
        return tensor(signature.input, type, name, input);
      case Signature::Kind::tuple:
        return tuple(signature, type, name);
      case Signature::Kind::list: {
        const auto list = type->cast<c10::ListType>();
        if (!list) throw mismatch(name, "a list", type);
        return make_list(list->getElementType(), elements(signature, list->getElementType(), name));
      }
      case Signature::Kind::dict: {
        const auto dict = type->cast<c10::DictType>();
        if (!dict) throw mismatch(name, "a dict", type);
        c10::impl::GenericDict result(dict->getKeyType(), dict->getValueType());
        const auto values = elements(signature, dict->getValueType(), name);
        for (std::size_t i = 0; i < values.size(); ++i)
          result.insert(signature.keys.at(i), values[i]);
        return result;
      }
    }
    return {};
  }

 private:
  /// As in a call from Python: None for a tensor, and one kind of number for another.
  static bool takes(const c10::Type& type, const c10::IValue& value) {
    if (const auto* optional = type.castRaw<c10::OptionalType>())
      return value.isNone() || takes(*optional->getElementType(), value);
    switch (type.kind()) {
      case c10::TypeKind::TensorType:
        return value.isNone();
      case c10::TypeKind::IntType:
      case c10::TypeKind::BoolType:
        return value.isInt() || value.isBool();
      case c10::TypeKind::FloatType:
      case c10::TypeKind::NumberType:
        return value.isScalar() || value.isBool();
      default:
        return value.type()->isSubtypeOf(type);
    }
  }

  static std::string shown(const c10::IValue& value) {
    return value.isString() ? core::text('\'', value.toStringRef(), '\'') : core::text(value);
  }

  static core::Error mismatch(const std::string& name, const std::string& got,
                              const c10::TypePtr& type) {
    return core::invalid_argument("[capture] argument ", name, ": the signature has ", got,
                                  ", the method takes ", type->annotation_str());
  }

  c10::IValue tensor(const InputSpec& spec, c10::TypePtr type, const std::string& name,
                     const Var* input) const {
    if (auto optional = type->cast<c10::OptionalType>()) type = optional->getElementType();
    if (!type->isSubtypeOf(*c10::TensorType::get()) && type->kind() != c10::TypeKind::AnyType)
      throw mismatch(name, "a tensor", type);
    check(spec, name);
    std::vector<std::int64_t> sizes;
    for (std::size_t i = 0; i < spec.min.size(); ++i) {
      sizes.push_back(at_point(spec.min[i], spec.opt[i], spec.max[i], point_));
    }
    const at::ScalarType dtype = spec.dtype ? *spec.dtype
                                 : input    ? guess_dtype(graph_, input)
                                            : at::kFloat;
    return at::empty(sizes, at::TensorOptions(dtype).device(at::kMeta));
  }

  c10::IValue tuple(const Signature& signature, const c10::TypePtr& type,
                    const std::string& name) const {
    if (const auto list = type->cast<c10::ListType>()) {
      return make_list(list->getElementType(), elements(signature, list->getElementType(), name));
    }
    const auto tuple = type->cast<c10::TupleType>();
    if (!tuple || tuple->elements().size() != signature.elements.size()) {
      throw mismatch(name, core::text("a tuple of ", signature.elements.size()), type);
    }
    std::vector<c10::IValue> values;
    for (std::size_t i = 0; i < signature.elements.size(); ++i) {
      values.push_back(make(signature.elements[i], tuple->elements()[i],
                            core::text(name, "[", i, "]"), nullptr));
    }
    return c10::ivalue::Tuple::create(std::move(values));
  }

  std::vector<c10::IValue> elements(const Signature& signature, const c10::TypePtr& type,
                                    const std::string& name) const {
    std::vector<c10::IValue> values;
    for (std::size_t i = 0; i < signature.elements.size(); ++i) {
      values.push_back(make(signature.elements[i], type, core::text(name, "[", i, "]"), nullptr));
    }
    return values;
  }

  const Graph& graph_;
  Point point_;
};

bool takes_tensors(const c10::TypePtr& type) {
  if (const auto optional = type->cast<c10::OptionalType>())
    return takes_tensors(optional->getElementType());
  if (type->isSubtypeOf(*c10::TensorType::get()) || type->kind() == c10::TypeKind::AnyType)
    return true;
  const auto contained = type->containedTypes();
  return std::any_of(contained.begin(), contained.end(),
                     [](const auto& t) { return takes_tensors(t); });
}

Probe probe_at(const Captured& captured, const Signature& signature, const std::string& method,
               Point point, std::vector<std::size_t>& defaulted) {
  defaulted.clear();
  const Graph& graph = *captured.graph;
  const auto& inputs = graph.body().inputs;
  const auto& schema = captured.module.get_method(method).function().getSchema();
  const ProbeMaker maker(graph, point);
  Probe probe = {c10::IValue(captured.module._ivalue())};
  std::size_t next = 0;
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    const auto& argument = schema.arguments().at(i);
    const bool given =
        next < signature.elements.size() &&
        (takes_tensors(argument.type()) || signature.elements[next].kind == Signature::Kind::value);
    if (given) {
      probe.emplace_back(
          maker.make(signature.elements[next++], argument.type(), argument.name(), inputs[i]));
    } else if (argument.default_value()) {
      probe.emplace_back(*argument.default_value());
      defaulted.push_back(i);
    } else if (takes_tensors(argument.type())) {
      throw core::invalid_argument("[capture] ", method, " takes an argument '", argument.name(),
                                   "' of type ", argument.type()->annotation_str(),
                                   ", but inputs has only ", signature.elements.size(),
                                   " element(s); give one input per tensor argument");
    } else {
      probe.emplace_back(std::nullopt);
    }
  }
  if (next < signature.elements.size()) {
    throw core::invalid_argument("[capture] inputs has ", signature.elements.size(),
                                 " elements, but ", method, " takes ", inputs.size() - 1,
                                 " argument(s): ", schema);
  }
  return probe;
}

}  // namespace

Probes make_probes(const Captured& captured, const Signature& signature,
                   const std::string& method) {
  Probes probes;
  if (is_static(signature)) {
    probes.probes.push_back(probe_at(captured, signature, method, Point::opt, probes.defaulted));
    return probes;
  }
  for (const Point point :
       {Point::min, Point::opt, Point::max, Point::above_min, Point::below_max, Point::middle}) {
    probes.probes.push_back(probe_at(captured, signature, method, point, probes.defaulted));
  }
  probes.required = 3;
  return probes;
}

void check_defaults(const Captured& captured, const Probes& probes, const std::string& method) {
  Graph& graph = *captured.graph;
  const auto& schema = captured.module.get_method(method).function().getSchema();
  for (const std::size_t index : probes.defaulted) {
    Var* input = graph.body().inputs[index];
    const c10::IValue& value = *probes.probes.front()[index];
    const bool comparable =
        value.isNone() || value.isInt() || value.isDouble() || value.isBool() || value.isString();
    if (!comparable) continue;
    const c10::Symbol differs =
        c10::Symbol::fromQualString(value.isNone() ? "aten::__isnot__" : "aten::ne");
    Node* compare = graph.append(graph.body(), differs, {input, value});
    Var* condition = graph.add_output(compare, c10::BoolType::get());
    Node* branch = graph.append(graph.body(), c10::prim::If, {condition});
    for (int i = 0; i < 2; ++i) {
      branch->blocks.push_back(std::make_unique<Block>());
      branch->blocks.back()->owner = branch;
    }
    const std::string& name = schema.arguments().at(index).name();
    graph.append(
        *branch->blocks[0], c10::prim::RaiseException,
        {c10::IValue(core::text(
             "[runtime] argument '", name, "' was left at its default when the module was ",
             "compiled; to use another value, give one for it in inputs and compile again")),
         c10::IValue("builtins.ValueError")});
  }
}

}  // namespace torch_tensorrt::compiler
