#include <ATen/ATen.h>

#include <functional>
#include <tuple>

#include "engines/reference/layers.h"

namespace torch_tensorrt::engines::reference {
namespace {

using core::Direction;

// ATen runs forward or both ways; a reversed recurrence is a forward one on flipped time.
at::Tensor oriented(const at::Tensor& x, Direction direction, bool batch_first) {
  return direction == Direction::reverse ? at::flip(x, batch_first ? 1 : 0) : x;
}

// ATen's parameter list: per direction w_ih, w_hh, b_ih, b_hh.
Tensors parameters(const at::Tensor& w, const at::Tensor& r, const at::Tensor& bw,
                   const at::Tensor& br) {
  Tensors list;
  for (std::int64_t d = 0; d < w.size(0); ++d) {
    for (const at::Tensor& part : {w, r, bw, br}) list.push_back(part[d].contiguous());
  }
  return list;
}

Tensors whole_lstm(const core::Lstm& layer, const at::Tensor& x, const at::Tensor& h0,
                   const at::Tensor& c0, const Tensors& weights) {
  auto [y, h, c] = at::lstm(oriented(x, layer.direction, layer.batch_first), {h0, c0}, weights,
                            /*has_biases=*/true, /*num_layers=*/1, /*dropout=*/0, /*train=*/false,
                            layer.direction == Direction::bidirectional, layer.batch_first);
  return {oriented(y, layer.direction, layer.batch_first), h, c};
}

// One sequence of its own length after the other; what lies behind the end is zero.
Tensors ragged_lstm(const core::Lstm& layer, const Call& call, const Tensors& weights) {
  const std::int64_t batch_axis = layer.batch_first ? 0 : 1;
  const std::int64_t time_axis = 1 - batch_axis;
  const core::Ints lengths = call.ints(6);
  Tensors ys, hs, cs;
  for (std::int64_t b = 0; b < call[0].size(batch_axis); ++b) {
    const std::int64_t length = lengths.at(static_cast<std::size_t>(b));
    const at::Tensor x = call[0].narrow(batch_axis, b, 1);
    const at::Tensor h0 = call[1].narrow(1, b, 1).contiguous();
    const at::Tensor c0 = call[2].narrow(1, b, 1).contiguous();
    core::Ints dims = x.sizes().vec();
    dims[2] = layer.hidden * h0.size(0);
    at::Tensor y = at::zeros(dims, x.options());
    Tensors result{y, h0, c0};
    if (length > 0) {
      result = whole_lstm(layer, x.narrow(time_axis, 0, length), h0, c0, weights);
      y.narrow(time_axis, 0, length).copy_(result[0]);
    }
    ys.push_back(y);
    hs.push_back(result[1]);
    cs.push_back(result[2]);
  }
  return {at::cat(ys, batch_axis), at::cat(hs, 1), at::cat(cs, 1)};
}

}  // namespace

Tensors evaluate(const core::Lstm& layer, const Call& call) {
  const Tensors weights = parameters(call[3], call[4], call[5], at::zeros_like(call[5]));
  return call.has(6) ? ragged_lstm(layer, call, weights)
                     : whole_lstm(layer, call[0], call[1], call[2], weights);
}

Tensors evaluate(const core::Gru& layer, const Call& call) {
  auto [y, h] = at::gru(oriented(call[0], layer.direction, layer.batch_first), call[1],
                        parameters(call[2], call[3], call[4], call[5]), /*has_biases=*/true,
                        /*num_layers=*/1, /*dropout=*/0, /*train=*/false,
                        layer.direction == Direction::bidirectional, layer.batch_first);
  return {oriented(y, layer.direction, layer.batch_first), h};
}

Tensors evaluate(const core::Rnn& layer, const Call& call) {
  const Tensors weights = parameters(call[2], call[3], call[4], at::zeros_like(call[4]));
  const auto run = [&](auto&& rnn) -> Tensors {
    auto [y, h] = rnn(oriented(call[0], layer.direction, layer.batch_first), call[1], weights,
                      /*has_biases=*/true, /*num_layers=*/1, /*dropout=*/0, /*train=*/false,
                      layer.direction == Direction::bidirectional, layer.batch_first);
    return {oriented(y, layer.direction, layer.batch_first), h};
  };
  const auto tanh = [](const auto&... arguments) { return at::rnn_tanh(arguments...); };
  const auto relu = [](const auto&... arguments) { return at::rnn_relu(arguments...); };
  return layer.activation == core::RnnActivation::tanh ? run(tanh) : run(relu);
}

}  // namespace torch_tensorrt::engines::reference
