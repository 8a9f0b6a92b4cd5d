#include "core/builder.h"
#include "engines/openvino/threads.h"
#include "harness.h"

namespace {

using namespace torch_tensorrt::core;
using torch_tensorrt::engines::openvino::threads_for;

/// An LSTM over x [batch, length, 16], in front of it a linear layer where `width` is positive.
struct Case {
  Extent batch = 1, length = 64;
  std::int64_t hidden = 24;
  std::int64_t width = 0;
};

Network recurrent(const Case& c) {
  Network network;
  NetworkBuilder build(network);
  const auto f32 = [&](std::string name, Dims dims) {
    return build.input(std::move(name), {DType::f32, std::move(dims)});
  };
  const std::int64_t h = c.hidden;
  const std::int64_t width = c.width > 0 ? c.width : 16;
  Value x = f32("x", {c.batch, c.length, 16});
  if (c.width > 0) x = build.one(MatMul{}, {x, f32("m", {1, 16, width})});
  const Value state = f32("state", {1, c.batch, h});
  const Value y = build.add(Lstm{.hidden = h, .batch_first = true},
                            {x, state, state, f32("w", {1, 4 * h, width}), f32("r", {1, 4 * h, h}),
                             f32("b", {1, 4 * h})})[0];
  network.mark_output(y.id(), "y");
  return network;
}

TEST(openvino_small_recurrent_steps_run_on_one_thread) {
  CHECK_EQ(threads_for(recurrent({}), 2), 1);
  CHECK_EQ(threads_for(recurrent({}), 16), 1);
  CHECK_EQ(threads_for(recurrent({.hidden = 128}), 2), 1);
  CHECK_EQ(threads_for(recurrent({.length = Extent::range(1, 64, 100'000)}), 2), 1);
}

TEST(openvino_other_networks_keep_their_threads) {
  CHECK_EQ(threads_for(recurrent({}), 0), 0);
  CHECK_EQ(threads_for(recurrent({.hidden = 512}), 4), 4);
  CHECK_EQ(threads_for(recurrent({.batch = 256}), 4), 4);
  Network none;
  CHECK_EQ(threads_for(none, 4), 4);
}

TEST(openvino_work_beside_a_recurrent_layer_decides_its_threads) {
  // 64 steps cost 22 us; a second thread saves 9 us of the smaller linear layer, 34 of the larger.
  CHECK_EQ(threads_for(recurrent({.width = 500}), 2), 1);
  CHECK_EQ(threads_for(recurrent({.width = 2'000}), 2), 2);
}

}  // namespace
