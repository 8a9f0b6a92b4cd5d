// TensorRT has no recurrent layers: a loop over the time steps for each direction.

#include "engines/tensorrt/emit.h"

namespace torch_tensorrt::engines::tensorrt {

namespace {

/// One direction under way: its loop, the step's input, and the state.
class Scan {
 public:
  /// `x` [T,B,I]; states are [B,H].
  Scan(Writer& net, const Tensor& x, bool reverse) : net_(net), reverse_(reverse) {
    loop_ = net.add("add_loop", {});
    const Tensor count = net.squeeze(net.dim(x, 0), {0});
    net.call(loop_, "add_trip_limit", {count.ref, Symbol{"TripLimit", "COUNT"}});
    const Ref iterator = net.call(loop_, "add_iterator", {x.ref, std::int64_t{0}, reverse});
    step_ = net.output(iterator, x.dtype, {x.dims[1], x.dims[2]});
    length_ = net.dim(x, 0);
    steps_ = x.dims[0];
  }

  const Tensor& step() const { return step_; }

  struct State {
    Ref layer;
    Tensor now;
  };
  State state(const Tensor& initial) {
    const Ref layer = net_.call(loop_, "add_recurrence", {initial.ref});
    return {layer, net_.output(layer, initial.dtype, initial.dims)};
  }
  /// Gives the state its next value; returns the last one, [1,B,H].
  Tensor finish(const State& state, const Tensor& next) {
    net_.set_input(state.layer, 1, next);
    const Ref last =
        net_.call(loop_, "add_loop_output",
                  {state.now.ref, Symbol{"LoopOutput", "LAST_VALUE"}, std::int64_t{0}});
    return net_.unsqueeze(net_.output(last, next.dtype, next.dims), {0});
  }
  /// Every step's value, in the order of x: [T,B,H].
  Tensor all(const Tensor& value) {
    const Ref steps = net_.call(
        loop_, "add_loop_output",
        {value.ref, Symbol{"LoopOutput", reverse_ ? "REVERSE" : "CONCATENATE"}, std::int64_t{0}});
    net_.set_input(steps, 1, net_.squeeze(length_, {0}));
    return net_.output(steps, value.dtype, {steps_, value.dims[0], value.dims[1]});
  }

 private:
  Writer& net_;
  bool reverse_;
  Ref loop_;
  Tensor step_, length_;
  std::int64_t steps_ = 0;
};

/// The operands of one direction: weights [K*H,I], biases [1,K*H], states [B,H].
class Parts {
 public:
  Parts(const Site& site, std::int64_t direction) : site_(site), direction_(direction) {}
  Tensor matrix(std::size_t operand) const {
    Writer& net = site_.net();
    return net.squeeze(net.slice_axis(site_.in(operand), 0, direction_, 1), {0});
  }
  Tensor row(std::size_t operand) const {
    return site_.net().slice_axis(site_.in(operand), 0, direction_, 1);
  }

 private:
  const Site& site_;
  std::int64_t direction_;
};

Tensor gate(Writer& net, const Tensor& gates, std::int64_t index, std::int64_t hidden) {
  return net.slice_axis(gates, 1, index * hidden, hidden);
}

/// x W^T + b
Tensor affine(Writer& net, const Tensor& x, const Tensor& w, const Tensor& b) {
  return net.add(net.matmul(x, w, false, true), b);
}

template <typename OneDirection>
Tensors run(const Site& site, core::Direction direction, bool batch_first, std::size_t results,
            const OneDirection& one) {
  Writer& net = site.net();
  const Tensor x = batch_first ? net.transpose(site.in(0), {1, 0, 2}) : site.in(0);
  const bool both = direction == core::Direction::bidirectional;
  std::vector<Tensors> found;
  for (std::int64_t d = 0; d < (both ? 2 : 1); ++d) {
    const bool reverse = both ? d == 1 : direction == core::Direction::reverse;
    Scan scan(net, x, reverse);
    found.push_back(one(scan, Parts(site, d)));
  }
  Tensors joined;
  for (std::size_t i = 0; i < results; ++i) {
    Tensors parts;
    for (const Tensors& of_direction : found) parts.push_back(of_direction.at(i));
    // All steps side by side, last states one after the other.
    joined.push_back(net.concat(parts, i == 0 ? 2 : 0));
  }
  if (batch_first) joined[0] = net.transpose(joined[0], {1, 0, 2});
  return joined;
}

}  // namespace

Tensors emit(const core::Lstm& layer, const Site& site) {
  if (site.has(6)) throw site.refuse("takes no lengths per sequence");
  Writer& net = site.net();
  return run(site, layer.direction, layer.batch_first, 3, [&](Scan& scan, const Parts& parts) {
    const Scan::State h = scan.state(parts.matrix(1)), c = scan.state(parts.matrix(2));
    const Tensor gates = net.add(affine(net, scan.step(), parts.matrix(3), parts.row(5)),
                                 net.matmul(h.now, parts.matrix(4), false, true));
    const auto sigmoid = [&](int i) {
      return net.activation("SIGMOID", gate(net, gates, i, layer.hidden));
    };
    const Tensor candidate = net.activation("TANH", gate(net, gates, 2, layer.hidden));
    const Tensor next_c = net.add(net.mul(sigmoid(1), c.now), net.mul(sigmoid(0), candidate));
    const Tensor next_h = net.mul(sigmoid(3), net.activation("TANH", next_c));
    const Tensor y = scan.all(next_h);
    return Tensors{y, scan.finish(h, next_h), scan.finish(c, next_c)};
  });
}

Tensors emit(const core::Gru& layer, const Site& site) {
  Writer& net = site.net();
  return run(site, layer.direction, layer.batch_first, 2, [&](Scan& scan, const Parts& parts) {
    const Scan::State h = scan.state(parts.matrix(1));
    const Tensor from_x = affine(net, scan.step(), parts.matrix(2), parts.row(4));
    const Tensor from_h = affine(net, h.now, parts.matrix(3), parts.row(5));
    const auto sum_gate = [&](int i) {
      return net.activation("SIGMOID", net.add(gate(net, from_x, i, layer.hidden),
                                               gate(net, from_h, i, layer.hidden)));
    };
    const Tensor reset = sum_gate(0), update = sum_gate(1);
    const Tensor candidate =
        net.activation("TANH", net.add(gate(net, from_x, 2, layer.hidden),
                                       net.mul(reset, gate(net, from_h, 2, layer.hidden))));
    // (1 - z) n + z h
    const Tensor next = net.add(candidate, net.mul(update, net.sub(h.now, candidate)));
    const Tensor y = scan.all(next);
    return Tensors{y, scan.finish(h, next)};
  });
}

Tensors emit(const core::Rnn& layer, const Site& site) {
  Writer& net = site.net();
  const bool is_relu = layer.activation == core::RnnActivation::relu;
  return run(site, layer.direction, layer.batch_first, 2, [&](Scan& scan, const Parts& parts) {
    const Scan::State h = scan.state(parts.matrix(1));
    const Tensor sum = net.add(affine(net, scan.step(), parts.matrix(2), parts.row(4)),
                               net.matmul(h.now, parts.matrix(3), false, true));
    const Tensor next = net.activation(is_relu ? "RELU" : "TANH", sum);
    const Tensor y = scan.all(next);
    return Tensors{y, scan.finish(h, next)};
  });
}

}  // namespace torch_tensorrt::engines::tensorrt
