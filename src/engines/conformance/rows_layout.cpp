#include <ATen/ATen.h>

#include "engines/conformance/row.h"

namespace torch_tensorrt::engines::conformance {
namespace {

using core::DepthOrder;
using core::PadMode;

// A row whose network is one layer of one input [n, 4, 6].
void add_simple(Rows& rows, const std::string& name, const core::Layer& layer,
                std::function<at::Tensor(const at::Tensor&)> f, const DTypes& dtypes = kAll) {
  rows.push_back({name, dtypes, Tolerance::exact, [=](Trial& t) {
                    t.output(t.net().one(layer, {t.input({t.dim(1, 3, 5), 4, t.dim(5, 6, 8)})}));
                    t.expect([=](const Tensors& x) -> Tensors { return {f(x[0])}; });
                  }});
}

void add_shape_rows(Rows& rows) {
  rows.push_back({"reshape/static", kAll, Tolerance::exact, [](Trial& t) {
                    t.output(t.net().reshape(t.input({t.dim(2, 4, 6), 6}),
                                             {std::int64_t{-1}, std::int64_t{2}, std::int64_t{3}}));
                    t.expect([](const Tensors& x) -> Tensors { return {x[0].view({-1, 2, 3})}; });
                  }});
  rows.push_back({"reshape/flatten", kAll, Tolerance::exact, [](Trial& t) {
                    core::NetworkBuilder& net = t.net();
                    const Value x = t.input({t.dim(1, 2, 4), 3, t.dim(1, 4, 5)});
                    t.output(
                        net.reshape(x, {net.size(x, 0), net.mul(net.size(x, 2), std::int64_t{3})}));
                    t.expect([](const Tensors& x) -> Tensors { return {x[0].flatten(1)}; });
                  }});
  rows.push_back(
      {"reshape/zero_is_a_size", kF32, Tolerance::exact, [](Trial& t) {
         core::NetworkBuilder& net = t.net();
         const Value x = t.input({t.dim(0, 0, 2), 3});
         t.output(net.reshape(x, {std::int64_t{3}, net.size(x, 0)}));
         t.expect([](const Tensors& x) -> Tensors { return {x[0].reshape({3, x[0].size(0)})}; });
       }});
  rows.push_back({"reshape/scalar", kF32, Tolerance::exact, [](Trial& t) {
                    t.output(t.net().reshape(t.input({1, 1}), {}));
                    t.expect([](const Tensors& x) -> Tensors { return {x[0].reshape({})}; });
                  }});
  add_simple(rows, "transpose/021", core::Transpose{{0, 2, 1}},
             [](const at::Tensor& x) { return x.transpose(1, 2); });
  add_simple(rows, "transpose/201", core::Transpose{{2, 0, 1}},
             [](const at::Tensor& x) { return x.permute({2, 0, 1}); });
  rows.push_back({"squeeze/two", kAll, Tolerance::exact, [](Trial& t) {
                    t.output(t.net().squeeze(t.input({1, t.dim(1, 3, 5), 1, 2}), {0, 2}));
                    t.expect([](const Tensors& x) -> Tensors { return {x[0][0].squeeze(1)}; });
                  }});
  rows.push_back({"unsqueeze/two", kAll, Tolerance::exact, [](Trial& t) {
                    t.output(t.net().unsqueeze(t.input({t.dim(1, 3, 5), 2}), {0, 2}));
                    t.expect([](const Tensors& x) -> Tensors {
                      return {x[0].reshape({1, x[0].size(0), 1, 2})};
                    });
                  }});
  rows.push_back({"broadcast/static", kAll, Tolerance::exact, [](Trial& t) {
                    t.output(t.net().broadcast(
                        t.input({4, 1, 3}), {std::int64_t{4}, std::int64_t{5}, std::int64_t{3}}));
                    t.expect([](const Tensors& x) -> Tensors { return {x[0].expand({4, 5, 3})}; });
                  }});
  rows.push_back({"broadcast/like", kAll, Tolerance::exact, [](Trial& t) {
                    const Value x = t.input({1, 3});
                    const Value like = t.input({t.dim(1, 4, 6), 3});
                    t.output(t.net().broadcast(x, t.net().sizes(like)));
                    t.expect([](const Tensors& x) -> Tensors { return {x[0].expand_as(x[1])}; });
                  }});
}

void add_concat_rows(Rows& rows) {
  rows.push_back({"concat/axis0", kAll, Tolerance::exact, [](Trial& t) {
                    const std::vector<Value> xs{t.input({t.dim(1, 2, 4), 3}),
                                                t.input({t.dim(0, 1, 4), 3}), t.input({2, 3})};
                    t.output(t.net().concat(xs, 0));
                    t.expect([](const Tensors& x) -> Tensors { return {at::cat(x, 0)}; });
                  }});
  rows.push_back({"concat/axis2", kAll, Tolerance::exact, [](Trial& t) {
                    const Extent n = t.dim(1, 2, 4);
                    const std::vector<Value> xs{t.input({n, 3, 2}), t.input({n, 3, 5})};
                    t.output(t.net().concat(xs, 2));
                    t.expect([](const Tensors& x) -> Tensors { return {at::cat(x, 2)}; });
                  }});
  rows.push_back({"split/three", kAll, Tolerance::exact, [](Trial& t) {
                    t.outputs(t.net().split(t.input({t.dim(1, 2, 4), 7}), 1, {2, 4, 1}));
                    t.expect([](const Tensors& x) -> Tensors {
                      return {x[0].narrow(1, 0, 2), x[0].narrow(1, 2, 4), x[0].narrow(1, 6, 1)};
                    });
                  }});
}

void add_slice_rows(Rows& rows) {
  const auto add = [&](const std::string& name, std::int64_t start, std::int64_t size,
                       std::int64_t step) {
    rows.push_back({"slice/" + name, kAll, Tolerance::exact, [=](Trial& t) {
                      t.output(t.net().slice(t.input({t.dim(1, 2, 4), 9}), 1, start, size, step));
                      t.expect([=](const Tensors& x) -> Tensors {
                        return {x[0].index_select(1, at::arange(size) * step + start)};
                      });
                    }});
  };
  add("plain", 2, 4, 1);
  add("step", 1, 3, 3);
  add("backward", 7, 4, -2);
  add("backward_to_start", 8, 9, -1);
  add("empty", 3, 0, 1);
  rows.push_back({"slice/two_axes", kAll, Tolerance::exact, [](Trial& t) {
                    core::NetworkBuilder& net = t.net();
                    const Value x = t.input({7, t.dim(1, 2, 4), 9});
                    t.output(net.one(core::Slice{{0, 2}},
                                     {x, net.ints({1, 8}), net.ints({3, 3}), net.ints({2, -3})}));
                    t.expect([](const Tensors& x) -> Tensors {
                      return {x[0].slice(0, 1, 6, 2).flip(2).slice(2, 0, 7, 3)};
                    });
                  }});
  rows.push_back({"slice/to_dynamic_end", kAll, Tolerance::exact, [](Trial& t) {
                    core::NetworkBuilder& net = t.net();
                    const Value x = t.input({t.dim(2, 5, 7), 3});
                    t.output(
                        net.slice(x, 0, std::int64_t{1}, net.sub(net.size(x, 0), std::int64_t{1})));
                    t.expect([](const Tensors& x) -> Tensors { return {x[0].slice(0, 1)}; });
                  }});
  rows.push_back({"slice/host_start", kF32, Tolerance::exact, [](Trial& t) {
                    const Value x = t.input({8, 3});
                    const Value start = t.host_scalar(t.dim(0, 2, 5));
                    t.output(t.net().slice(x, 0, start, std::int64_t{3}));
                    t.expect([](const Tensors& x) -> Tensors {
                      return {x[0].narrow(0, x[1].item<std::int64_t>(), 3)};
                    });
                  }});
}

void add_pad_rows(Rows& rows) {
  const auto add = [&](const std::string& name, PadMode mode, bool value, const DTypes& dtypes,
                       std::function<at::Tensor(const at::Tensor&)> f) {
    rows.push_back({"pad/" + name, dtypes, Tolerance::exact, [=](Trial& t) {
                      core::NetworkBuilder& net = t.net();
                      const Value x = t.input({t.dim(1, 2, 4), 3, t.dim(4, 5, 7)});
                      t.output(
                          net.one(core::Pad{mode}, {x, net.ints({0, 1, 2}), net.ints({0, 2, 3}),
                                                    value ? net.scalar(1, t.dtype()) : Value()}));
                      t.expect([=](const Tensors& x) -> Tensors { return {f(x[0])}; });
                    }});
  };
  add("zeros", PadMode::constant, false, kAll,
      [](const at::Tensor& x) { return at::constant_pad_nd(x, {2, 3, 1, 2}); });
  add("value", PadMode::constant, true, kAll,
      [](const at::Tensor& x) { return at::constant_pad_nd(x, {2, 3, 1, 2}, 1); });
  add("reflect", PadMode::reflect, false, kNumbers, [](const at::Tensor& x) {
    return at::reflection_pad2d(x.to(at::kDouble), {2, 3, 1, 2}).to(x.scalar_type());
  });
  add("edge", PadMode::edge, false, kNumbers, [](const at::Tensor& x) {
    return at::replication_pad2d(x.to(at::kDouble), {2, 3, 1, 2}).to(x.scalar_type());
  });
  add("wrap", PadMode::wrap, false, kNumbers,
      [](const at::Tensor& x) { return at::_pad_circular(x, {2, 3, 1, 2}); });
  rows.push_back({"pad/host_amounts", kF32, Tolerance::exact, [](Trial& t) {
                    const Value x = t.input({2, 3});
                    const Value begin = t.host_vector({t.dim(0, 1, 3), t.dim(0, 2, 2)});
                    const Value end = t.host_vector({t.dim(0, 2, 3), t.dim(0, 0, 1)});
                    t.output(t.net().one(core::Pad{PadMode::constant}, {x, begin, end, Value()}));
                    t.expect([](const Tensors& x) -> Tensors {
                      const auto at = [&](std::size_t i, std::int64_t axis) {
                        return x[i][axis].item<std::int64_t>();
                      };
                      return {at::constant_pad_nd(x[0], {at(1, 1), at(2, 1), at(1, 0), at(2, 0)})};
                    });
                  }});
}

void add_move_rows(Rows& rows) {
  rows.push_back({"tile/static", kAll, Tolerance::exact, [](Trial& t) {
                    const Value x = t.input({t.dim(1, 2, 4), 3});
                    t.output(t.net().one(core::Tile{}, {x, t.net().ints({2, 3})}));
                    t.expect([](const Tensors& x) -> Tensors {
                      const at::Tensor wide = at::cat({x[0], x[0], x[0]}, 1);
                      return {at::cat({wide, wide}, 0)};
                    });
                  }});
  rows.push_back(
      {"tile/host_repeats", kF32, Tolerance::exact, [](Trial& t) {
         const Value x = t.input({2, 3});
         const Value repeats = t.host_vector({t.dim(1, 2, 3), t.dim(1, 1, 2)});
         t.output(t.net().one(core::Tile{}, {x, repeats}));
         t.expect([](const Tensors& x) -> Tensors {
           return {at::tile(x[0], {x[1][0].item<std::int64_t>(), x[1][1].item<std::int64_t>()})};
         });
       }});
  add_simple(rows, "flip/one", core::Flip{{1}}, [](const at::Tensor& x) { return x.flip(1); });
  add_simple(rows, "flip/two", core::Flip{{0, 2}},
             [](const at::Tensor& x) { return x.flip({0, 2}); });
  add_simple(rows, "roll/one", core::Roll{{3}, {1}},
             [](const at::Tensor& x) { return x.roll(3, 1); });
  add_simple(rows, "roll/two", core::Roll{{-1, 2}, {1, 2}},
             [](const at::Tensor& x) { return x.roll({-1, 2}, {1, 2}); });
  const auto reverse = [&](const std::string& name, std::int64_t batch_axis,
                           std::int64_t seq_axis) {
    rows.push_back({"reverse_sequence/" + name, kAll, Tolerance::exact, [=](Trial& t) {
                      const Extent n = t.dim(1, 2, 4);
                      core::Dims dims{2, 2, 3};
                      dims[static_cast<std::size_t>(batch_axis)] = n;
                      dims[static_cast<std::size_t>(seq_axis)] = t.dim(4, 5, 7);
                      const Value x = t.input(dims);
                      const Value lengths = t.input({n}, whole(0, 5), DType::i64);
                      t.output(
                          t.net().one(core::ReverseSequence{batch_axis, seq_axis}, {x, lengths}));
                      t.expect([=](const Tensors& x) -> Tensors {
                        const at::Tensor y = x[0].clone();
                        for (std::int64_t b = 0; b < x[1].size(0); ++b) {
                          const std::int64_t axis = seq_axis - (batch_axis < seq_axis ? 1 : 0);
                          const std::int64_t length = x[1][b].item<std::int64_t>();
                          const at::Tensor row = x[0].select(batch_axis, b).narrow(axis, 0, length);
                          y.select(batch_axis, b).narrow(axis, 0, length).copy_(row.flip(axis));
                        }
                        return {y};
                      });
                    }});
  };
  reverse("batch_first", 0, 1);
  reverse("time_first", 1, 0);
}

void add_depth_rows(Rows& rows) {
  const auto to_space = [&](const std::string& name, DepthOrder order) {
    rows.push_back({"depth_to_space/" + name, kFloats, Tolerance::exact, [=](Trial& t) {
                      const Value x = t.input({t.dim(1, 2, 3), 8, t.dim(2, 3, 4), 5});
                      t.output(t.net().one(core::DepthToSpace{2, order}, {x}));
                      t.expect([=](const Tensors& in) -> Tensors {
                        if (order == DepthOrder::depth_first) return {at::pixel_shuffle(in[0], 2)};
                        const at::Tensor& x = in[0];
                        at::Tensor y = at::empty({x.size(0), 2, x.size(2) * 2, 10}, x.options());
                        for (std::int64_t i = 0; i < 2; ++i) {
                          for (std::int64_t j = 0; j < 2; ++j) {
                            const at::Tensor block = x.narrow(1, (i * 2 + j) * 2, 2);
                            y.slice(2, i, {}, 2).slice(3, j, {}, 2).copy_(block);
                          }
                        }
                        return {y};
                      });
                    }});
  };
  const auto to_depth = [&](const std::string& name, DepthOrder order) {
    rows.push_back({"space_to_depth/" + name, kFloats, Tolerance::exact, [=](Trial& t) {
                      const Extent n = t.dim(1, 2, 3);
                      t.output(t.net().one(core::SpaceToDepth{2, order}, {t.input({n, 2, 4, 6})}));
                      t.expect([=](const Tensors& in) -> Tensors {
                        if (order == DepthOrder::depth_first)
                          return {at::pixel_unshuffle(in[0], 2)};
                        Tensors blocks;
                        for (std::int64_t i = 0; i < 2; ++i) {
                          for (std::int64_t j = 0; j < 2; ++j) {
                            blocks.push_back(in[0].slice(2, i, {}, 2).slice(3, j, {}, 2));
                          }
                        }
                        return {at::cat(blocks, 1)};
                      });
                    }});
  };
  to_space("depth_first", DepthOrder::depth_first);
  to_space("blocks_first", DepthOrder::blocks_first);
  to_depth("depth_first", DepthOrder::depth_first);
  to_depth("blocks_first", DepthOrder::blocks_first);
}

}  // namespace

void add_layout_rows(Rows& rows) {
  add_shape_rows(rows);
  add_concat_rows(rows);
  add_slice_rows(rows);
  add_pad_rows(rows);
  add_move_rows(rows);
  add_depth_rows(rows);
}

}  // namespace torch_tensorrt::engines::conformance
