#pragma once

// Tools of type inference, and its one entry point. Each kind has an overload of `infer` in
// infer_<family>.cpp that checks the kind's numbered constraints and gives the types (and, for
// small host values, the contents) of its results.
//
// Dynamic extents are permissive: one may meet anything that its range allows, and the runtime
// checks the real sizes. Sizes are computed pointwise at min, opt and max; `dynamic` is carried
// along.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/layers.h"
#include "core/network.h"
#include "core/shape.h"

namespace torch_tensorrt::core {

inline std::ostream& operator<<(std::ostream& out, DType dtype) { return out << name(dtype); }
inline std::ostream& operator<<(std::ostream& out, const Extent& extent) {
  return out << to_text(extent);
}
inline std::ostream& operator<<(std::ostream& out, const TensorType& type) {
  return out << to_text(type);
}

inline constexpr std::size_t kMaxContent = 64;
inline constexpr int kMaxRank = 16;
inline constexpr std::size_t kMaxResults = 4096;  ///< of one layer
inline constexpr std::int64_t kMaxDim = std::int64_t{1} << 40;
/// The largest size that a value unknown to the host is taken to have.
inline constexpr std::int64_t kUnbounded = 0x7fffffff;
inline Extent unbounded() { return Extent::range(0, 1, kUnbounded); }

std::int64_t saturating_add(std::int64_t a, std::int64_t b);
std::int64_t saturating_mul(std::int64_t a, std::int64_t b);

/// f at min, opt and max of all arguments; dynamic where one of them is.
template <typename F, typename... Extents>
Extent pointwise(F f, const Extents&... e) {
  Extent out;
  out.min = f(e.min...);
  out.opt = f(e.opt...);
  out.max = f(e.max...);
  out.dynamic = (e.dynamic || ...);
  return out;
}
Extent add(const Extent& a, const Extent& b);
Extent mul(const Extent& a, const Extent& b);
/// Product of all dims in [first, last).
Extent product(const Dims& dims, std::size_t first, std::size_t last);
/// A computed extent as a dimension: not negative, min <= opt <= max.
Extent as_dim(const Extent& extent);
/// 0 <= min <= opt <= max <= 2^40, and one number where it is static?
bool is_dim(const Extent& extent);
/// Can the two be equal at run time? A dynamic extent that collapsed to one number meets anything,
/// as its range may come from maths that is not monotone.
bool may_equal(const Extent& a, const Extent& b);
/// Of two extents that are equal at run time, the one that says more.
Extent unify(const Extent& a, const Extent& b);
/// The broadcast of two, or nullopt where neither fits the other.
std::optional<Extent> broadcast(const Extent& a, const Extent& b);

struct Result {
  TensorType type;
  std::optional<Content> content = std::nullopt;
};
using Results = std::vector<Result>;

struct Operand {
  const TensorType* type = nullptr;  ///< null: an absent optional operand
  const Content* content = nullptr;
};

/// The operands of one layer and the checks that most kinds share. `code` is the constraint, "C3".
class Operands {
 public:
  Operands(std::string_view kind, std::string_view names, std::span<const Operand> operands)
      : kind_(kind), names_(names), operands_(operands) {}

  int count() const { return static_cast<int>(operands_.size()); }
  bool has(int i) const {
    return i < count() && operands_[static_cast<std::size_t>(i)].type != nullptr;
  }
  const TensorType& operator[](int i) const { return *operands_[static_cast<std::size_t>(i)].type; }
  const Dims& dims(int i) const { return (*this)[i].dims; }
  const Extent& dim(int i, std::int64_t axis) const {
    return dims(i).at(static_cast<std::size_t>(axis));
  }
  const Content* content(int i) const { return operands_[static_cast<std::size_t>(i)].content; }
  std::string name(int i) const;

  template <typename... Args>
  void require(bool ok, std::string_view code, const Args&... args) const {
    if (!ok) throw invalid_argument(kind_, " ", code, ": ", args...);
  }
  void require_float(int i, std::string_view code) const;
  void require_num(int i, std::string_view code) const;
  void require_int_index(int i, std::string_view code) const;  ///< i32 or i64
  void require_dtype(int i, DType dtype, std::string_view code) const;
  void require_rank(int i, int rank, std::string_view code) const;
  void require_rank(int i, int least, int most, std::string_view code) const;
  void require_axis(std::int64_t axis, int rank, std::string_view code) const;
  void require_axes(const Ints& axes, int rank,
                    std::string_view code) const;  ///< in range and unique
  void require_dim(int i, std::int64_t axis, const Extent& expected, std::string_view code,
                   std::string_view why) const;
  /// An attribute with one entry per axis, each at least `least`.
  void require_list(const Ints& list, std::size_t length, std::int64_t least,
                    std::string_view attribute, std::string_view code) const;
  /// The dims that two operands of equal rank broadcast to.
  Dims broadcast_dims(const Dims& a, const Dims& b, std::string_view code) const;
  /// Elements of an i64 vector operand of static length; dynamic without bounds where the host does
  /// not know them.
  Content host_vector(int i, std::string_view code) const;
  Extent host_scalar(int i, std::string_view code) const;
  /// A host vector as dimensions: none is negative.
  Dims host_dims(int i, std::string_view code) const;

 private:
  std::string_view kind_;
  std::string_view names_;
  std::span<const Operand> operands_;
};

inline Results one(TensorType type) { return {{std::move(type)}}; }
inline Results one(DType dtype, Dims dims) { return {{TensorType{dtype, std::move(dims)}}}; }

/// The type of constant data, whose bytes must be as many as it says.
TensorType checked_type(const Tensor& tensor, const Operands& in, std::string_view code);

/// Host arithmetic; nullopt where a static result does not fit its dtype or divides by zero.
std::optional<Extent> evaluate(BinaryOp op, const Extent& a, const Extent& b, DType dtype);

Results infer(const Input& layer, const Operands& in);
Results infer(const Constant& layer, const Operands& in);
Results infer(const ShapeOf& layer, const Operands& in);
Results infer(const Range& layer, const Operands& in);
Results infer(const Random& layer, const Operands& in);
Results infer(const Unary& layer, const Operands& in);
Results infer(const Activation& layer, const Operands& in);
Results infer(const PRelu& layer, const Operands& in);
Results infer(const Binary& layer, const Operands& in);
Results infer(const Compare& layer, const Operands& in);
Results infer(const Logical& layer, const Operands& in);
Results infer(const Select& layer, const Operands& in);
Results infer(const Cast& layer, const Operands& in);
Results infer(const Identity& layer, const Operands& in);
Results infer(const Reduce& layer, const Operands& in);
Results infer(const Softmax& layer, const Operands& in);
Results infer(const LogSoftmax& layer, const Operands& in);
Results infer(const TopK& layer, const Operands& in);
Results infer(const CumSum& layer, const Operands& in);
Results infer(const MatMul& layer, const Operands& in);
Results infer(const Einsum& layer, const Operands& in);
Results infer(const Conv& layer, const Operands& in);
Results infer(const Deconv& layer, const Operands& in);
Results infer(const Attention& layer, const Operands& in);
Results infer(const Rope& layer, const Operands& in);
Results infer(const KvUpdate& layer, const Operands& in);
Results infer(const Lstm& layer, const Operands& in);
Results infer(const Gru& layer, const Operands& in);
Results infer(const Rnn& layer, const Operands& in);
Results infer(const MaxPool& layer, const Operands& in);
Results infer(const AvgPool& layer, const Operands& in);
Results infer(const AdaptiveAvgPool& layer, const Operands& in);
Results infer(const Resize& layer, const Operands& in);
Results infer(const GridSample& layer, const Operands& in);
Results infer(const Lrn& layer, const Operands& in);
Results infer(const BatchNorm& layer, const Operands& in);
Results infer(const LayerNorm& layer, const Operands& in);
Results infer(const RmsNorm& layer, const Operands& in);
Results infer(const GroupNorm& layer, const Operands& in);
Results infer(const InstanceNorm& layer, const Operands& in);
Results infer(const Reshape& layer, const Operands& in);
Results infer(const Transpose& layer, const Operands& in);
Results infer(const Squeeze& layer, const Operands& in);
Results infer(const Unsqueeze& layer, const Operands& in);
Results infer(const Broadcast& layer, const Operands& in);
Results infer(const Concat& layer, const Operands& in);
Results infer(const Split& layer, const Operands& in);
Results infer(const Slice& layer, const Operands& in);
Results infer(const Pad& layer, const Operands& in);
Results infer(const Tile& layer, const Operands& in);
Results infer(const Flip& layer, const Operands& in);
Results infer(const Roll& layer, const Operands& in);
Results infer(const ReverseSequence& layer, const Operands& in);
Results infer(const DepthToSpace& layer, const Operands& in);
Results infer(const SpaceToDepth& layer, const Operands& in);
Results infer(const Gather& layer, const Operands& in);
Results infer(const GatherElements& layer, const Operands& in);
Results infer(const GatherNd& layer, const Operands& in);
Results infer(const ScatterElements& layer, const Operands& in);
Results infer(const ScatterNd& layer, const Operands& in);
Results infer(const OneHot& layer, const Operands& in);
Results infer(const NonZero& layer, const Operands& in);
Results infer(const Nms& layer, const Operands& in);
Results infer(const Quantize& layer, const Operands& in);
Results infer(const Dequantize& layer, const Operands& in);
Results infer(const Loop& layer, const Operands& in);
Results infer(const If& layer, const Operands& in);
Results infer(const Assert& layer, const Operands& in);
Results infer(const Plugin& layer, const Operands& in);

/// How many operands and results a declaration names: "x weight bias?" is 2 required, 1 optional.
struct Signature {
  int required = 0;
  int optional = 0;
  bool variadic = false;
  static Signature of(std::string_view names);
};
/// The declaration of a layer's operands and results.
std::string_view operand_names(const Layer& layer);
std::string_view result_names(const Layer& layer);
/// A layer of that kind with default attributes.
std::optional<Layer> layer_of_kind(std::string_view kind);

/// The attribute enums: those with declared names.
template <typename T>
concept AttributeEnum = std::is_enum_v<T> && (enum_names<T>.size() > 0);
template <AttributeEnum Enum>
std::string_view enum_name(Enum value) {
  return enum_names<Enum>.at(static_cast<std::size_t>(value));
}
template <AttributeEnum Enum>
std::optional<Enum> enum_from_name(std::string_view name) {
  for (std::size_t i = 0; i < enum_names<Enum>.size(); ++i) {
    if (enum_names<Enum>[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}
/// Sub-networks nest at most this deep in files.
inline constexpr int kMaxNesting = 16;

}  // namespace torch_tensorrt::core
