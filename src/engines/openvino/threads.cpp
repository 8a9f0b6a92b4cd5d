#include "engines/openvino/threads.h"

#include <numeric>
#include <type_traits>
#include <variant>

namespace torch_tensorrt::engines::openvino {

namespace {

using core::Dims;
using core::Network;
using core::Node;

/// Measured on two cores of x86-64 with AVX-512; what decides is their ratio.
constexpr double kSecondsAStep = 0.35e-6;
constexpr double kSecondsAMultiplication = 1 / 30e9;
/// Multiplications of one step from which on handing it over costs less than a twentieth of it.
constexpr double kLargeStep = 4e5;

/// At the sizes that the network is made for.
double number(const core::Extent& extent) { return static_cast<double>(extent.opt); }

double elements(const Dims& dims) {
  return std::accumulate(
      dims.begin(), dims.end(), 1.0,
      [](double product, const core::Extent& extent) { return product * number(extent); });
}

/// The steps that threads do not share, and the multiplications that they do. Bodies of loops and
/// conditionals count once: mostly they have both or neither.
class Work {
 public:
  explicit Work(const Network& network) : network_(network) {
    for (const Node& node : network.nodes()) {
      std::visit([&](const auto& layer) { add(layer, node); }, node.layer);
    }
  }

  double steps() const { return steps_; }
  double multiplications() const { return multiplications_; }

 private:
  const Dims& dims(core::ValueId value) const { return network_.type(value).dims; }

  template <typename L>
  void add(const L& layer, const Node& node) {
    if constexpr (requires { layer.hidden; }) {
      const std::size_t w = std::is_same_v<L, core::Lstm> ? 3 : 2;
      const Dims& x = dims(node.inputs[0]);
      const double batch = number(x[layer.batch_first ? 0 : 1]);
      const double length = number(x[layer.batch_first ? 1 : 0]);
      const double directions = number(dims(node.inputs[w])[0]);
      const double weights = elements(dims(node.inputs[w])) + elements(dims(node.inputs[w + 1]));
      if (batch * weights / directions < kLargeStep) steps_ += length * directions;
    } else if constexpr (std::is_same_v<L, core::Loop>) {
      add(*layer.body);
    } else if constexpr (std::is_same_v<L, core::If>) {
      add(*layer.then_branch);
      add(*layer.else_branch);
    } else {
      multiplications_ += multiplications_of(layer, node);
    }
  }

  void add(const Network& body) {
    const Work work(body);
    steps_ += work.steps();
    multiplications_ += work.multiplications();
  }

  template <typename L>
  double multiplications_of(const L& layer, const Node& node) const {
    if (node.inputs.empty()) return 0;
    const double results = elements(dims(node.outputs[0]));
    if constexpr (std::is_same_v<L, core::Conv>) {
      const Dims& weight = dims(node.inputs[1]);
      return results * elements(weight) / number(weight[0]);
    } else if constexpr (std::is_same_v<L, core::Deconv>) {
      const Dims& weight = dims(node.inputs[1]);
      return elements(dims(node.inputs[0])) * elements(weight) / number(weight[0]);
    } else if constexpr (std::is_same_v<L, core::MatMul>) {
      const Dims& a = dims(node.inputs[0]);
      return results * number(a[a.size() - (layer.transpose_a ? 2 : 1)]);
    } else if constexpr (std::is_same_v<L, core::Attention>) {
      return 2 * results * number(dims(node.inputs[1])[2]);
    } else {
      return results;
    }
  }

  const Network& network_;
  double steps_ = 0;
  double multiplications_ = 0;
};

}  // namespace

int threads_for(const Network& network, int threads) {
  if (threads <= 1) return threads;
  const Work work(network);
  const double saved = work.multiplications() * kSecondsAMultiplication * (1 - 1.0 / threads);
  return work.steps() * kSecondsAStep > saved ? 1 : threads;
}

}  // namespace torch_tensorrt::engines::openvino
