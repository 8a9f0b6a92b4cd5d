#include <ATen/ATen.h>

#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

using core::ActivationOp;
using core::Direction;

/// Weights of one layer, all directions: w [dirs,G*H,I], r [dirs,G*H,H], biases [dirs,G*H].
struct Weights {
  Value w, r, bias_input, bias_hidden;
};

/// [n, ...] of n values; data known now is stacked now.
Value stacked(OpContext& op, const std::vector<Value>& xs) {
  std::vector<at::Tensor> data;
  for (const Value& x : xs) {
    if (const auto known = constant_data(x)) data.push_back(*known);
  }
  if (data.size() == xs.size()) return op.constant(at::stack(data));
  std::vector<Value> rows;
  for (const Value& x : xs) rows.push_back(op.net().unsqueeze(x, {0}));
  return rows.size() == 1 ? rows.front() : op.net().concat(rows, 0);
}

Value sum(OpContext& op, Value a, Value b) {
  const auto x = constant_data(a), y = constant_data(b);
  return x && y ? op.constant(*x + *y) : a + b;
}

/// What the sequence ops have in common.
struct Sequence {
  std::int64_t layers = 1;
  std::int64_t directions = 1;
  bool batch_first = false;
  std::int64_t hidden = 0;
  std::vector<Weights> weights;

  Direction direction() const {
    return directions == 2 ? Direction::bidirectional : Direction::forward;
  }
};

std::int64_t hidden_size(OpContext& op, Value state) {
  const core::Extent& dim = state.dim(state.rank() - 1);
  if (dim.dynamic) throw op.refuse("the hidden size is dynamic, expected a static one");
  return dim.min;
}

/// params: per layer and direction w_ih, w_hh and, with biases, b_ih, b_hh.
std::vector<Weights> layer_weights(OpContext& op, const Sequence& s) {
  const std::vector<Value> params = op.values("params");
  const bool biases = op.flag("has_biases");
  const std::size_t each = biases ? 4 : 2;
  const std::size_t cells = static_cast<std::size_t>(s.layers * s.directions);
  if (params.size() != cells * each) {
    throw op.refuse("params has ", params.size(), " tensors, expected ", cells * each,
                    "; projections (proj_size) have no engine layer");
  }
  std::vector<Weights> out;
  for (std::size_t layer = 0; layer < static_cast<std::size_t>(s.layers); ++layer) {
    const auto pick = [&](std::size_t which) {
      std::vector<Value> xs;
      for (std::size_t d = 0; d < static_cast<std::size_t>(s.directions); ++d) {
        xs.push_back(params[(layer * static_cast<std::size_t>(s.directions) + d) * each + which]);
      }
      return stacked(op, xs);
    };
    Weights weights{pick(0), pick(1), {}, {}};
    if (biases) {
      weights.bias_input = pick(2);
      weights.bias_hidden = pick(3);
    } else {
      const core::Extent& gates = weights.w.dim(1);
      const auto options = at::TensorOptions().dtype(to_torch(weights.w.dtype()));
      weights.bias_input = op.constant(at::zeros({s.directions, gates.min}, options));
      weights.bias_hidden = weights.bias_input;
    }
    out.push_back(weights);
  }
  return out;
}

Sequence sequence(OpContext& op, Value state) {
  if (op.flag("train") && op.number("dropout") > 0)
    throw op.refuse("dropout in training mode, expected eval mode");
  Sequence s{.layers = op.integer("num_layers"),
             .directions = op.flag("bidirectional") ? 2 : 1,
             .batch_first = op.flag("batch_first"),
             .hidden = hidden_size(op, state),
             .weights = {}};
  s.weights = layer_weights(op, s);
  return s;
}

/// The states of one layer, [dirs,B,H], of all, [layers*dirs,B,H].
Value layer_state(const Sequence& s, Value states, std::int64_t layer) {
  return sliced(states, 0, layer * s.directions, s.directions);
}

Value joined(const std::vector<Value>& xs) {
  return xs.size() == 1 ? xs.front() : xs.front().builder().concat(xs, 0);
}

std::vector<Bound> lstm(OpContext& op) {
  const std::vector<Value> hx = op.values("hx");
  const Sequence s = sequence(op, hx.at(0));
  const core::Lstm layer{s.hidden, s.direction(), s.batch_first};
  Value x = op.value("input");
  std::vector<Value> h, c;
  for (std::int64_t i = 0; i < s.layers; ++i) {
    const Weights& weights = s.weights[static_cast<std::size_t>(i)];
    const auto out =
        op.net().add(layer, {x, layer_state(s, hx[0], i), layer_state(s, hx[1], i), weights.w,
                             weights.r, sum(op, weights.bias_input, weights.bias_hidden)});
    x = out[0];
    h.push_back(out[1]);
    c.push_back(out[2]);
  }
  return {x, joined(h), joined(c)};
}

/// gru and rnn: one state. `run` gives {y, h} of a layer from (x, h0, weights).
template <typename Run>
std::vector<Bound> one_state(OpContext& op, const Sequence& s, Value states, Run&& run) {
  Value x = op.value("input");
  std::vector<Value> h;
  for (std::int64_t i = 0; i < s.layers; ++i) {
    const std::vector<Value> out =
        run(x, layer_state(s, states, i), s.weights[static_cast<std::size_t>(i)]);
    x = out[0];
    h.push_back(out[1]);
  }
  return {x, joined(h)};
}

std::vector<Bound> gru(OpContext& op) {
  const Value hx = op.value("hx");
  const Sequence s = sequence(op, hx);
  return one_state(op, s, hx, [&](Value x, Value h0, const Weights& w) {
    return op.net().add(core::Gru{s.hidden, s.direction(), s.batch_first},
                        {x, h0, w.w, w.r, w.bias_input, w.bias_hidden});
  });
}

template <core::RnnActivation activation>
std::vector<Bound> rnn(OpContext& op) {
  const Value hx = op.value("hx");
  const Sequence s = sequence(op, hx);
  return one_state(op, s, hx, [&](Value x, Value h0, const Weights& w) {
    return op.net().add(core::Rnn{s.hidden, activation, s.direction(), s.batch_first},
                        {x, h0, w.w, w.r, sum(op, w.bias_input, w.bias_hidden)});
  });
}

Value refused_packed(OpContext& op) {
  throw op.refuse("a packed sequence (pack_padded_sequence), expected a padded tensor");
}

// ---- cells: one step ----

/// x times weight transposed, plus bias.
Value linear(OpContext& op, Value x, std::string_view weight, std::string_view bias) {
  const Value y = op.net().matmul(x, op.value(weight), false, true);
  const std::optional<Value> b = op.optional(bias);
  return b ? y + *b : y;
}

/// The gates of a cell as [B,H] each; without a batch [1,H].
std::vector<Value> gates(OpContext& op, Value all, std::int64_t hidden) {
  const core::Extent& dim = all.dim(1);
  return op.net().split(all, 1, core::Ints(static_cast<std::size_t>(dim.min / hidden), hidden));
}

/// [B,n]; a vector gets a batch of 1.
Value with_batch(OpContext& op, Value x) { return x.rank() == 1 ? op.net().unsqueeze(x, {0}) : x; }
Value like(OpContext& op, Value y, Value x) { return x.rank() == 1 ? op.net().squeeze(y, {0}) : y; }

Value sigmoid(Value x) { return x.builder().activation(ActivationOp::sigmoid, x); }
Value tanh(Value x) { return x.builder().activation(ActivationOp::tanh, x); }

std::vector<Bound> lstm_cell(OpContext& op) {
  const Value input = op.value("input");
  const std::vector<Value> hx = op.values("hx");
  const Value x = with_batch(op, input), h = with_batch(op, hx.at(0)), c = with_batch(op, hx.at(1));
  const Value all = linear(op, x, "w_ih", "b_ih") + linear(op, h, "w_hh", "b_hh");
  const std::vector<Value> g = gates(op, all, hidden_size(op, h));
  const Value next_c = sigmoid(g[1]) * c + sigmoid(g[0]) * tanh(g[2]);
  const Value next_h = sigmoid(g[3]) * tanh(next_c);
  return {like(op, next_h, input), like(op, next_c, input)};
}

Value gru_cell(OpContext& op) {
  const Value input = op.value("input");
  const Value h = with_batch(op, op.value("hx"));
  const std::int64_t hidden = hidden_size(op, h);
  const std::vector<Value> from_x =
      gates(op, linear(op, with_batch(op, input), "w_ih", "b_ih"), hidden);
  const std::vector<Value> from_h = gates(op, linear(op, h, "w_hh", "b_hh"), hidden);
  const Value r = sigmoid(from_x[0] + from_h[0]), z = sigmoid(from_x[1] + from_h[1]);
  const Value n = tanh(from_x[2] + r * from_h[2]);
  return like(op, n + z * (h - n), input);
}

template <ActivationOp activation>
Value rnn_cell(OpContext& op) {
  const Value input = op.value("input");
  const Value all = linear(op, with_batch(op, input), "w_ih", "b_ih") +
                    linear(op, with_batch(op, op.value("hx")), "w_hh", "b_hh");
  return like(op, op.net().activation(activation, all), input);
}

}  // namespace

void add_recurrent_ops(OpTable& table) {
  table.add(
      "aten::lstm.input(Tensor input, Tensor[] hx, Tensor[] params, bool has_biases, int "
      "num_layers, float dropout, "
      "bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor, Tensor)",
      lstm);
  table.add(
      "aten::gru.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, "
      "float dropout, bool "
      "train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)",
      gru);
  table.add(
      "aten::rnn_tanh.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int "
      "num_layers, float dropout, "
      "bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)",
      rnn<core::RnnActivation::tanh>);
  table.add(
      "aten::rnn_relu.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int "
      "num_layers, float dropout, "
      "bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)",
      rnn<core::RnnActivation::relu>);
  table
      .add<refused_packed>(
          "aten::lstm.data(Tensor data, Tensor batch_sizes, Tensor[] hx, Tensor[] params, bool "
          "has_biases, int num_layers, "
          "float dropout, bool train, bool bidirectional) -> (Tensor, Tensor, Tensor)")
      .also("aten::gru.data")
      .also("aten::rnn_tanh.data")
      .also("aten::rnn_relu.data");
  table.add(
      "aten::lstm_cell(Tensor input, Tensor[] hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, "
      "Tensor? b_hh=None) -> "
      "(Tensor, Tensor)",
      lstm_cell);
  table.add<gru_cell>(
      "aten::gru_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, "
      "Tensor? b_hh=None) -> "
      "Tensor");
  table.add<rnn_cell<ActivationOp::tanh>>(
      "aten::rnn_tanh_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, "
      "Tensor? b_hh=None) -> "
      "Tensor");
  table.add<rnn_cell<ActivationOp::relu>>(
      "aten::rnn_relu_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, "
      "Tensor? b_hh=None) -> "
      "Tensor");
}

}  // namespace torch_tensorrt::compiler
