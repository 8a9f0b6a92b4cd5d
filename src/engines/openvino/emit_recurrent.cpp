// LSTM, GRU and RNN: one sequence operation each.

#include "core/error.h"
#include "engines/openvino/emit.h"

namespace torch_tensorrt::engines::openvino {

using core::Direction;
using core::Ints;

namespace {

op::RecurrentSequenceDirection direction_of(Direction direction) {
  switch (direction) {
    case Direction::forward:
      return op::RecurrentSequenceDirection::FORWARD;
    case Direction::reverse:
      return op::RecurrentSequenceDirection::REVERSE;
    case Direction::bidirectional:
      return op::RecurrentSequenceDirection::BIDIRECTIONAL;
  }
  throw core::internal_error("openvino: unknown direction");
}

/// The gates of axis 1, each `hidden` wide, in another order.
Out reorder_gates(const Out& weight, std::int64_t hidden, const Ints& order) {
  const Out axis = scalar_of(1);
  const auto parts =
      std::make_shared<op::v1::VariadicSplit>(weight, axis, vector_of(Ints(order.size(), hidden)));
  Outs gates;
  for (const std::int64_t gate : order)
    gates.push_back(parts->output(static_cast<std::size_t>(gate)));
  return concat(gates, 1);
}

/// x as [B, T, I].
Out batch_major(const Out& x, bool batch_first) {
  return batch_first ? x : transpose(x, {1, 0, 2});
}

/// [dirs, B, H] as [B, dirs, H], and back.
Out swap_state(const Out& state) { return transpose(state, {1, 0, 2}); }

/// The whole length for every row, in the form in which OpenVINO sees that it is the whole length.
Out full_lengths(const Out& x) {
  return make<op::v3::Broadcast>(dim_vector(x, 1), dim_vector(x, 0));
}

/// [B, dirs, T, H] as [B, T, dirs * H] or [T, B, dirs * H].
Out sequence(const Out& y, bool batch_first, std::int64_t width) {
  const Out ordered = transpose(y, batch_first ? Ints{0, 2, 1, 3} : Ints{2, 0, 1, 3});
  return make<op::v1::Reshape>(ordered, vector_of({0, 0, width}), true);
}

/// Rows of length 0 keep their state, which OpenVINO sets to zero.
Out kept_where_empty(const Out& state, const Out& initial, const Out& lengths) {
  const Out any = make<op::v1::Less>(scalar_of(0), unsqueeze(lengths, {1, 2}));
  return select(any, state, initial);
}

std::int64_t width_of(Direction direction, std::int64_t hidden) {
  return direction == Direction::bidirectional ? 2 * hidden : hidden;
}

}  // namespace

Outs emit(const core::Lstm& layer, const Site& site) {
  const std::int64_t hidden = layer.hidden;
  const Out x = batch_major(site.in(0), layer.batch_first);
  const Out h0 = swap_state(site.in(1));
  const Out c0 = swap_state(site.in(2));
  const bool ragged = site.has(6);
  const Out lengths = ragged ? convert(site.in(6), ov::element::i64) : full_lengths(x);
  const Ints order = {1, 0, 2, 3};  // i f g o -> f i g o
  const auto node = std::make_shared<op::v5::LSTMSequence>(
      x, h0, c0, lengths, reorder_gates(site.in(3), hidden, order),
      reorder_gates(site.in(4), hidden, order), reorder_gates(site.in(5), hidden, order), hidden,
      direction_of(layer.direction));
  Out h = node->output(1);
  Out c = node->output(2);
  if (ragged) {
    h = kept_where_empty(h, h0, lengths);
    c = kept_where_empty(c, c0, lengths);
  }
  const Out y = sequence(node->output(0), layer.batch_first, width_of(layer.direction, hidden));
  return {y, swap_state(h), swap_state(c)};
}

Outs emit(const core::Gru& layer, const Site& site) {
  const std::int64_t hidden = layer.hidden;
  const Out x = batch_major(site.in(0), layer.batch_first);
  const Ints order = {1, 0, 2};  // r z n -> z r n
  // The biases of z and r are summed; those of n stay apart, for r multiplies only the recurrent
  // one.
  const Out bw = reorder_gates(site.in(4), hidden, order);
  const Out br = reorder_gates(site.in(5), hidden, order);
  const auto gates = [&](const Out& bias) { return slice(bias, 1, 0, 2 * hidden); };
  const auto candidate = [&](const Out& bias) { return slice(bias, 1, 2 * hidden, 3 * hidden); };
  const Out bias = concat({add(gates(bw), gates(br)), candidate(bw), candidate(br)}, 1);
  const auto node = std::make_shared<op::v5::GRUSequence>(
      x, swap_state(site.in(1)), full_lengths(x), reorder_gates(site.in(2), hidden, order),
      reorder_gates(site.in(3), hidden, order), bias, static_cast<std::size_t>(hidden),
      direction_of(layer.direction), std::vector<std::string>{"sigmoid", "tanh"},
      std::vector<float>{}, std::vector<float>{}, 0.0F, /*linear_before_reset=*/true);
  return {sequence(node->output(0), layer.batch_first, width_of(layer.direction, hidden)),
          swap_state(node->output(1))};
}

Outs emit(const core::Rnn& layer, const Site& site) {
  const std::int64_t hidden = layer.hidden;
  const Out x = batch_major(site.in(0), layer.batch_first);
  const std::string activation = layer.activation == core::RnnActivation::tanh ? "tanh" : "relu";
  const auto node = std::make_shared<op::v5::RNNSequence>(
      x, swap_state(site.in(1)), full_lengths(x), site.in(2), site.in(3), site.in(4),
      static_cast<std::size_t>(hidden), direction_of(layer.direction),
      std::vector<std::string>{activation});
  return {sequence(node->output(0), layer.batch_first, width_of(layer.direction, hidden)),
          swap_state(node->output(1))};
}

}  // namespace torch_tensorrt::engines::openvino
