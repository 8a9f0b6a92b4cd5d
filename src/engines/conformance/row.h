#pragma once

// A row of the conformance suite: one small network, how its inputs are filled, and what it must
// compute.

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/builder.h"
#include "core/network.h"

namespace torch_tensorrt::engines::conformance {

using core::DType;
using core::Extent;
using core::Ints;
using core::Value;
using Tensors = std::vector<at::Tensor>;
using DTypes = std::vector<DType>;

inline const DTypes kFloats{DType::f32, DType::f16, DType::bf16};
inline const DTypes kF32{DType::f32};
inline const DTypes kInts{DType::i32, DType::i64};
inline const DTypes kNumbers{DType::f32, DType::f16, DType::bf16, DType::i32, DType::i64};
inline const DTypes kAll{DType::f32, DType::f16, DType::bf16, DType::i32, DType::i64, DType::b};
inline const DTypes kBool{DType::b};
inline const DTypes kI64{DType::i64};

/// How far a float result may be from the expected one; integers and bools must be equal.
/// compare.cpp has the numbers.
enum class Tolerance {
  exact,        ///< data movement: the same bits
  pointwise,    ///< one rounding or a library function
  accumulated,  ///< sums of products, normalizations, recurrences
};

/// Makes the data of one input.
using Fill = std::function<at::Tensor(at::IntArrayRef dims, DType dtype, at::Generator& random)>;

Fill normal(double mean = 0, double deviation = 1);
Fill uniform(double low, double high);
/// Whole numbers in [low, high), in any dtype.
Fill whole(std::int64_t low, std::int64_t high);
/// Whole numbers in [low, high) without zero.
Fill nonzero(std::int64_t low, std::int64_t high);
/// Each number 0..n-1 once, shuffled: no ties. Exact in f16 up to 2048 elements, in bf16 up to 256.
Fill distinct();
/// true with this probability.
Fill booleans(double probability = 0.5);
/// The listed numbers, over and over.
Fill listed(std::vector<double> numbers);
/// Suits the dtype: normal floats, whole numbers -9..9, bools.
Fill natural();

at::ScalarType scalar_type(DType dtype);
core::Tensor core_tensor(const at::Tensor& tensor);

/// What a row writes on: a network under construction for one dtype, static or dynamic.
class Trial {
 public:
  /// `tells_ranges`: host inputs say what values they may have, which engines need that are built
  /// for a range of them.
  Trial(DType dtype, bool dynamic, std::uint64_t seed, bool tells_ranges = false);

  DType dtype() const { return dtype_; }
  at::ScalarType scalar_type() const { return conformance::scalar_type(dtype_); }
  bool dynamic() const { return dynamic_; }
  core::NetworkBuilder& net() { return *builder_; }

  /// A dimension that takes all three sizes in dynamic networks and `opt` in static ones.
  Extent dim(std::int64_t min, std::int64_t opt, std::int64_t max) const {
    return dynamic_ ? Extent::range(min, opt, max) : Extent(opt);
  }
  /// A network input of the trial's dtype, or of another.
  Value input(core::Dims dims, Fill fill = natural(), std::optional<DType> dtype = {});
  /// A host input: i64 scalar, or a vector of the extents. Runs with opt, min and max of each.
  Value host_scalar(Extent value);
  Value host_vector(std::vector<Extent> values);
  /// Random data of the trial's dtype, or of another, for constants.
  at::Tensor data(Ints dims, Fill fill = natural(), std::optional<DType> dtype = {});
  Value constant(const at::Tensor& tensor) { return net().constant(core_tensor(tensor)); }

  void output(Value value);
  void outputs(const std::vector<Value>& values) {
    for (const Value& value : values) output(value);
  }
  /// The results by plain ATen calls on the inputs.
  void expect(std::function<Tensors(const Tensors& inputs)> f) { expected = std::move(f); }
  /// For results that no two engines share: says what is wrong with them, or nothing.
  void accept(std::function<std::string(const Tensors& outputs)> f) { accepted = std::move(f); }

  /// Every run fails with a core::Error whose text holds `part`.
  void expect_error(std::string part) { error = std::move(part); }

  /// The sizes that input data can take: opt, min, max of every extent; one in static networks.
  std::size_t variants() const { return dynamic_ ? 3 : 1; }
  Tensors inputs(std::size_t variant) const;
  const core::Network& network() const { return *network_; }

  std::function<Tensors(const Tensors&)> expected;
  std::function<std::string(const Tensors&)> accepted;
  std::string error;

 private:
  struct InputData {
    core::TensorType type;
    Fill fill;
    std::vector<Extent> host_values;  ///< of host inputs
  };

  Value host_input(core::Dims dims, std::vector<Extent> values);

  DType dtype_;
  bool dynamic_, tells_ranges_;
  std::uint64_t seed_;
  at::Generator random_;
  std::shared_ptr<core::Network> network_;
  std::shared_ptr<core::NetworkBuilder> builder_;
  std::vector<InputData> inputs_;
};

struct Row {
  std::string name;  ///< "<layer kind>/<what is special>"
  DTypes dtypes;
  Tolerance tolerance = Tolerance::exact;
  std::function<void(Trial&)> define;
};

using Rows = std::vector<Row>;

void add_source_rows(Rows& rows);
void add_pointwise_rows(Rows& rows);
void add_reduction_rows(Rows& rows);
void add_linear_rows(Rows& rows);
void add_attention_rows(Rows& rows);
void add_recurrence_rows(Rows& rows);
void add_image_rows(Rows& rows);
void add_normalization_rows(Rows& rows);
void add_layout_rows(Rows& rows);
void add_indexing_rows(Rows& rows);
void add_quantization_rows(Rows& rows);
void add_control_rows(Rows& rows);

/// All rows, and their order of running.
Rows all_rows();

}  // namespace torch_tensorrt::engines::conformance
