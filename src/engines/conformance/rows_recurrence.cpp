#include <ATen/ATen.h>

#include "engines/conformance/row.h"

namespace torch_tensorrt::engines::conformance {
namespace {

using core::Direction;
using core::RnnActivation;

constexpr std::int64_t kFeatures = 5;
constexpr std::int64_t kHidden = 4;

// One step of a cell: the states after it, the output first.
using Step = std::function<Tensors(const at::Tensor& x, const Tensors& states, std::int64_t d)>;

// Steps a cell along time by hand, for each direction. x [B,T,I], states [dirs,B,H]; `lengths` may
// be undefined.
Tensors unroll(const at::Tensor& x, const Tensors& initial, Direction direction, const Step& step,
               const at::Tensor& lengths) {
  Tensors outputs;
  std::vector<Tensors> finals(initial.size());
  for (std::int64_t d = 0; d < initial[0].size(0); ++d) {
    const bool backward = direction == Direction::reverse || d == 1;
    Tensors states;
    for (const at::Tensor& state : initial) states.push_back(state[d]);
    Tensors ys(static_cast<std::size_t>(x.size(1)));
    for (std::int64_t i = 0; i < x.size(1); ++i) {
      const std::int64_t time = backward ? x.size(1) - 1 - i : i;
      Tensors next = step(x.select(1, time), states, d);
      at::Tensor y = next[0];
      if (lengths.defined()) {
        const at::Tensor inside = (lengths > time).unsqueeze(1);
        for (std::size_t s = 0; s < next.size(); ++s)
          next[s] = at::where(inside, next[s], states[s]);
        y = at::where(inside, y, at::zeros_like(y));
      }
      states = next;
      ys[static_cast<std::size_t>(time)] = y;
    }
    outputs.push_back(at::stack(ys, 1));
    for (std::size_t s = 0; s < states.size(); ++s) finals[s].push_back(states[s]);
  }
  Tensors results{at::cat(outputs, 2)};
  for (const Tensors& states : finals) results.push_back(at::stack(states));
  return results;
}

struct Setup {
  std::int64_t directions = 1;
  Value x;
  std::vector<Value> states, weights;
  Tensors weight_data;
};

// x and states as inputs; weights [dirs, gates*H, I], [dirs, gates*H, H] and `biases` of [dirs,
// gates*H] as constants.
Setup set_up(Trial& t, Direction direction, bool batch_first, std::int64_t gates, int state_count,
             int biases) {
  Setup s;
  s.directions = direction == Direction::bidirectional ? 2 : 1;
  const Extent batch = t.dim(1, 2, 3);
  const Extent time = t.dim(1, 5, 7);
  s.x = t.input(batch_first ? core::Dims{batch, time, kFeatures}
                            : core::Dims{time, batch, kFeatures});
  for (int i = 0; i < state_count; ++i) s.states.push_back(t.input({s.directions, batch, kHidden}));
  const std::int64_t size = gates * kHidden;
  s.weight_data = {t.data({s.directions, size, kFeatures}, normal(0, 0.4)),
                   t.data({s.directions, size, kHidden}, normal(0, 0.4))};
  for (int i = 0; i < biases; ++i) {
    s.weight_data.push_back(t.data({s.directions, size}, normal(0, 0.4)));
  }
  for (const at::Tensor& data : s.weight_data) s.weights.push_back(t.constant(data));
  return s;
}

// The results in f32, in the layout of the network.
Tensors in_layout(Tensors results, bool batch_first, at::ScalarType type) {
  if (!batch_first) results[0] = results[0].transpose(0, 1);
  for (at::Tensor& result : results) result = result.to(type);
  return results;
}

Tensors as_float(const Tensors& tensors) {
  Tensors wide;
  for (const at::Tensor& tensor : tensors) wide.push_back(tensor.to(at::kFloat));
  return wide;
}

at::Tensor batch_major(const at::Tensor& x, bool batch_first) {
  return batch_first ? x : x.transpose(0, 1);
}

void add_lstm(Rows& rows, const std::string& name, Direction direction, bool batch_first,
              bool ragged, const DTypes& dtypes) {
  rows.push_back(
      {"lstm/" + name, dtypes, Tolerance::accumulated, [=](Trial& t) {
         const Setup s = set_up(t, direction, batch_first, 4, 2, 1);
         const Extent batch = s.x.dim(batch_first ? 0 : 1);
         Value lengths;
         if (ragged) lengths = t.input({batch}, whole(0, 2), DType::i64);
         std::vector<Value> operands{s.x, s.states[0], s.states[1]};
         operands.insert(operands.end(), s.weights.begin(), s.weights.end());
         operands.push_back(lengths);
         t.outputs(t.net().add(core::Lstm{kHidden, direction, batch_first}, operands));
         const Tensors w = as_float(s.weight_data);
         t.expect([=, type = t.scalar_type()](const Tensors& in) -> Tensors {
           const Tensors x = as_float(in);
           const Step step = [&](const at::Tensor& x, const Tensors& states, std::int64_t d) {
             const Tensors gates =
                 (x.matmul(w[0][d].t()) + states[0].matmul(w[1][d].t()) + w[2][d]).chunk(4, 1);
             const at::Tensor c =
                 gates[1].sigmoid() * states[1] + gates[0].sigmoid() * gates[2].tanh();
             return Tensors{gates[3].sigmoid() * c.tanh(), c};
           };
           const at::Tensor lengths = ragged ? in[3] : at::Tensor();
           return in_layout(
               unroll(batch_major(x[0], batch_first), {x[1], x[2]}, direction, step, lengths),
               batch_first, type);
         });
       }});
}

void add_gru(Rows& rows, const std::string& name, Direction direction, bool batch_first,
             const DTypes& dtypes) {
  rows.push_back(
      {"gru/" + name, dtypes, Tolerance::accumulated, [=](Trial& t) {
         const Setup s = set_up(t, direction, batch_first, 3, 1, 2);
         std::vector<Value> operands{s.x, s.states[0]};
         operands.insert(operands.end(), s.weights.begin(), s.weights.end());
         t.outputs(t.net().add(core::Gru{kHidden, direction, batch_first}, operands));
         const Tensors w = as_float(s.weight_data);
         t.expect([=, type = t.scalar_type()](const Tensors& in) -> Tensors {
           const Tensors x = as_float(in);
           const Step step = [&](const at::Tensor& x, const Tensors& states, std::int64_t d) {
             const Tensors a = (x.matmul(w[0][d].t()) + w[2][d]).chunk(3, 1);
             const Tensors b = (states[0].matmul(w[1][d].t()) + w[3][d]).chunk(3, 1);
             const at::Tensor reset = (a[0] + b[0]).sigmoid();
             const at::Tensor update = (a[1] + b[1]).sigmoid();
             const at::Tensor fresh = (a[2] + reset * b[2]).tanh();
             return Tensors{(1 - update) * fresh + update * states[0]};
           };
           return in_layout(unroll(batch_major(x[0], batch_first), {x[1]}, direction, step, {}),
                            batch_first, type);
         });
       }});
}

void add_rnn(Rows& rows, const std::string& name, RnnActivation activation, Direction direction,
             bool batch_first, const DTypes& dtypes) {
  rows.push_back(
      {"rnn/" + name, dtypes, Tolerance::accumulated, [=](Trial& t) {
         const Setup s = set_up(t, direction, batch_first, 1, 1, 1);
         std::vector<Value> operands{s.x, s.states[0]};
         operands.insert(operands.end(), s.weights.begin(), s.weights.end());
         t.outputs(t.net().add(core::Rnn{kHidden, activation, direction, batch_first}, operands));
         const Tensors w = as_float(s.weight_data);
         t.expect([=, type = t.scalar_type()](const Tensors& in) -> Tensors {
           const Tensors x = as_float(in);
           const Step step = [&](const at::Tensor& x, const Tensors& states, std::int64_t d) {
             const at::Tensor sum = x.matmul(w[0][d].t()) + states[0].matmul(w[1][d].t()) + w[2][d];
             return Tensors{activation == RnnActivation::tanh ? sum.tanh() : sum.relu()};
           };
           return in_layout(unroll(batch_major(x[0], batch_first), {x[1]}, direction, step, {}),
                            batch_first, type);
         });
       }});
}

}  // namespace

void add_recurrence_rows(Rows& rows) {
  add_lstm(rows, "forward", Direction::forward, true, false, kFloats);
  add_lstm(rows, "time_first", Direction::forward, false, false, kF32);
  add_lstm(rows, "reverse", Direction::reverse, true, false, kF32);
  add_lstm(rows, "bidirectional", Direction::bidirectional, true, false, kF32);
  add_lstm(rows, "lengths", Direction::forward, true, true, kF32);
  add_lstm(rows, "lengths_bidirectional", Direction::bidirectional, false, true, kF32);
  add_gru(rows, "forward", Direction::forward, true, kFloats);
  add_gru(rows, "time_first_reverse", Direction::reverse, false, kF32);
  add_gru(rows, "bidirectional", Direction::bidirectional, true, kF32);
  add_rnn(rows, "tanh", RnnActivation::tanh, Direction::forward, true, kFloats);
  add_rnn(rows, "relu_bidirectional", RnnActivation::relu, Direction::bidirectional, false, kF32);
}

}  // namespace torch_tensorrt::engines::conformance
