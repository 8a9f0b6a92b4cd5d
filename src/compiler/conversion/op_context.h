#pragma once

// What a converter sees of its node: arguments by schema name, through accessors that check and
// write the errors.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "compiler/graph.h"
#include "core/builder.h"
#include "core/error.h"
#include "core/export.h"

namespace torch_tensorrt::compiler {

using core::DType;
using core::Size;
using core::Sizes;
using core::Value;

/// What a Var is inside the Network being built: a value (host numbers are i64 scalars) or a list
/// of values.
using Bound = std::variant<Value, std::vector<Value>>;

/// The tensor's elements, in its dtype.
TORCHTRT_API core::Tensor constant_data(const at::Tensor& tensor);

/// Vars bound so far, for one Network under construction.
class Environment {
 public:
  explicit Environment(core::NetworkBuilder& net) : net_(net) {}
  core::NetworkBuilder& net() { return net_; }
  bool has(const Var* var) const { return bound_.count(var) != 0; }
  void bind(const Var* var, Bound bound) { bound_[var] = std::move(bound); }
  const Bound& at(const Var* var) const { return bound_.at(var); }
  /// A constant layer for the tensor; the same tensor gives the same layer. float64 becomes
  /// float32.
  Value constant(const at::Tensor& tensor);

 private:
  core::NetworkBuilder& net_;
  std::unordered_map<const Var*, Bound> bound_;
  std::unordered_map<const c10::TensorImpl*, std::pair<at::Tensor, Value>> constants_;
};

/// Half-open set of per-axis numbers of a sliding window.
struct Window {
  std::vector<std::int64_t> kernel, stride, padding, dilation;
};

class TORCHTRT_API OpContext {
 public:
  OpContext(const Node& node, Environment& environment) : node_(node), env_(environment) {}

  core::NetworkBuilder& net() { return env_.net(); }
  const Environment& environment() const { return env_; }
  const Node& node() const { return node_; }
  /// "aten::pad at model.py:41 (head.pad)".
  std::string where() const;

  // ---- tensors ----
  /// A tensor argument, or a number as a scalar: int -> i64, float -> f32, bool -> b. Constants
  /// become constant layers.
  Value value(std::string_view name);
  /// Nothing where the argument is None.
  std::optional<Value> optional(std::string_view name);
  /// A Tensor[] argument. None elements of Tensor?[] are empty.
  std::vector<Value> values(std::string_view name);
  std::vector<std::optional<Value>> optional_values(std::string_view name);
  /// Two operands after PyTorch's type promotion (numbers and 0-d tensors count as PyTorch counts
  /// them), cast to it.
  std::pair<Value, Value> promoted(std::string_view a, std::string_view b);
  /// The same for one operand and the dtype of result `index`.
  Value as_result(Value x, std::size_t index = 0);
  /// The tensor argument's data where it is a constant (weights), else nothing.
  std::optional<at::Tensor> constant_tensor(std::string_view name);
  Value constant(const at::Tensor& tensor);

  // ---- numbers that must be known now; otherwise Error(unsupported) saying so ----
  bool is_none(std::string_view name) const;
  std::int64_t integer(std::string_view name);
  double number(std::string_view name);
  bool flag(std::string_view name);
  std::string string(std::string_view name);
  std::vector<std::int64_t> integers(std::string_view name);
  std::vector<double> numbers(std::string_view name);
  std::vector<bool> flags(std::string_view name);
  std::optional<std::int64_t> optional_integer(std::string_view name);
  std::optional<double> optional_number(std::string_view name);
  /// A Scalar that is known now (bool and int as double too).
  c10::Scalar scalar(std::string_view name);
  /// int[] with one element repeated up to `count` ("int -> tuple").
  std::vector<std::int64_t> expanded(std::string_view name, std::size_t count);
  /// kernel/stride/padding/dilation of `count` spatial axes; an empty stride is the kernel; absent
  /// names are 1 or 0.
  Window window(std::size_t count, std::string_view kernel, std::string_view stride,
                std::string_view padding, std::string_view dilation = {});

  // ---- sizes: known now or computed by the host ----
  Size size(std::string_view name);
  Sizes sizes(std::string_view name);
  std::optional<Size> optional_size(std::string_view name);

  // ---- axes ----
  /// Normalized to 0..rank-1 (rank 0 counts as 1); Error(invalid_argument) outside.
  int axis(std::string_view name, int rank);
  /// Sorted, unique; None and [] mean all axes where `empty_is_all`.
  std::vector<std::int64_t> axes(std::string_view name, int rank, bool empty_is_all = true);

  // ---- dtypes ----
  /// dtype of result `index`, from the types found by running the graph. Error(unsupported) where
  /// an engine has no such type.
  DType result_dtype(std::size_t index = 0);
  /// Type of result `index`, if known.
  std::optional<core::TensorType> result_type(std::size_t index = 0);

  /// Error(unsupported) with stage, op and place: "[conversion] aten::pad at model.py:41: <text>".
  template <typename... Args>
  [[nodiscard]] core::Error refuse(const Args&... args) const {
    return core::unsupported("[conversion] ", where(), ": ", core::text(args...));
  }

 private:
  const Argument& argument(std::string_view name) const;
  /// The elements of a list argument; a single number counts as a list of one.
  std::vector<Argument> elements(std::string_view name) const;
  /// A sample of the argument, for PyTorch's type promotion.
  std::optional<c10::IValue> sample(std::string_view name) const;
  Value promote(std::string_view name, c10::ScalarType type);
  /// The constant behind the argument, or Error(unsupported).
  c10::IValue known(std::string_view name, std::string_view expected) const;
  Value value_of(const Argument& argument, std::string_view name);
  Size size_of(const Argument& argument, std::string_view name);

  const Node& node_;
  Environment& env_;
};

/// A converter returns one Bound per output of the node.
using Converter = std::function<std::vector<Bound>(OpContext&)>;

/// The converters of all ops. Registration is explicit, at the foot of each family file.
class TORCHTRT_API OpTable {
 public:
  class Entry {
   public:
    /// Further overloads or spellings with the same arguments by name: "aten::relu_".
    Entry& also(std::string_view op);

   private:
    friend class OpTable;
    Entry(OpTable& table, Converter converter) : table_(table), converter_(converter) {}
    OpTable& table_;
    Converter converter_;
  };

  /// `schema`: "aten::softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor"; the
  /// part before "(" is the key, the rest documents the arguments and is checked against PyTorch's
  /// by a test.
  Entry add(std::string_view schema, Converter converter);
  /// For converters with one tensor result.
  template <Value (*Fn)(OpContext&)>
  Entry add(std::string_view schema) {
    return add(schema, [](OpContext& op) -> std::vector<Bound> { return {Fn(op)}; });
  }
  /// Empty where there is none.
  Converter find(const std::string& op) const;
  /// Keys, sorted.
  std::vector<std::string> names() const;
  const std::unordered_map<std::string, std::string>& schemas() const { return schemas_; }

 private:
  std::unordered_map<std::string, Converter> converters_;
  std::unordered_map<std::string, std::string> schemas_;
};

/// The table with every built-in converter.
TORCHTRT_API const OpTable& op_table();

/// A converter that a user adds while the program runs.
struct UserConverter {
  std::string op;  ///< "aten::add.Tensor", "mine::gate"
  Converter convert;
  /// Takes it this node? Empty: every node of the op.
  std::function<bool(const Node&)> takes;
  /// Before the built-in converter rather than after it.
  bool high_priority = false;
};
/// Any thread may add and remove. Returns a number for remove_converter.
TORCHTRT_API std::size_t add_converter(UserConverter converter);
TORCHTRT_API void remove_converter(std::size_t number);
/// The ops that user converters are there for, sorted.
TORCHTRT_API std::vector<std::string> user_converter_names();
struct FoundConverter {
  Converter convert;
  bool built_in = true;
};
/// The converter of this node: a user's of high priority, the built-in one, another user's (each
/// the latest that takes the node); empty where there is none.
TORCHTRT_API FoundConverter find_converter(const Node& node);

// One function per family file in converters/.
void add_activation_ops(OpTable& table);
void add_arithmetic_ops(OpTable& table);
void add_attention_ops(OpTable& table);
void add_compare_ops(OpTable& table);
void add_convolution_ops(OpTable& table);
void add_creation_ops(OpTable& table);
void add_indexing_ops(OpTable& table);
void add_linear_ops(OpTable& table);
void add_normalization_ops(OpTable& table);
void add_pooling_ops(OpTable& table);
void add_quantization_ops(OpTable& table);
void add_recurrent_ops(OpTable& table);
void add_reduction_ops(OpTable& table);
void add_resampling_ops(OpTable& table);
void add_shape_ops(OpTable& table);
void add_scalar_ops(OpTable& table);
void add_unary_ops(OpTable& table);

}  // namespace torch_tensorrt::compiler
