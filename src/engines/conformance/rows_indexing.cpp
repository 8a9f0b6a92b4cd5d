#include <ATen/ATen.h>

#include "engines/conformance/row.h"

namespace torch_tensorrt::engines::conformance {
namespace {

using core::BoxForm;
using core::ScatterReduce;

constexpr DType kIndex = DType::i64;

std::string reduction_name(ScatterReduce reduction) {
  return std::string(core::enum_names<ScatterReduce>[static_cast<std::size_t>(reduction)]);
}

void add_gather_rows(Rows& rows) {
  const auto add = [&](const std::string& name, std::int64_t axis, core::Dims index_dims,
                       DType index_dtype) {
    rows.push_back({"gather/" + name, kAll, Tolerance::exact, [=](Trial& t) {
                      const Value x = t.input({t.dim(3, 4, 6), 5, t.dim(3, 3, 4)});
                      const Value indices = t.input(index_dims, whole(0, 3), index_dtype);
                      t.output(t.net().gather(x, indices, axis));
                      t.expect([=](const Tensors& x) -> Tensors {
                        std::vector<at::indexing::TensorIndex> place(static_cast<std::size_t>(axis),
                                                                     at::indexing::Slice());
                        place.emplace_back(x[1].to(at::kLong));
                        return {x[0].index(place)};
                      });
                    }});
  };
  add("axis0", 0, {6}, kIndex);
  add("axis1_scalar", 1, {}, kIndex);
  add("axis2_matrix", 2, {2, 3}, kIndex);
  add("i32_indices", 1, {4}, DType::i32);
  rows.push_back(
      {"gather/embedding", kFloats, Tolerance::exact, [](Trial& t) {
         const at::Tensor table = t.data({10, 4});
         const Value ids = t.input({t.dim(1, 2, 3), t.dim(1, 5, 7)}, whole(0, 10), kIndex);
         t.output(t.net().gather(t.constant(table), ids, 0));
         t.expect([=](const Tensors& x) -> Tensors { return {at::embedding(table, x[0])}; });
       }});
  rows.push_back({"gather/batched", kNumbers, Tolerance::exact, [](Trial& t) {
                    const Extent n = t.dim(1, 2, 3);
                    const Value x = t.input({n, 5, 3});
                    const Value indices = t.input({n, 4}, whole(0, 5), kIndex);
                    t.output(t.net().gather(x, indices, 1, /*batch_dims=*/1));
                    t.expect([](const Tensors& x) -> Tensors {
                      return {at::gather(x[0], 1, x[1].unsqueeze(2).expand({-1, -1, 3}))};
                    });
                  }});
  rows.push_back({"gather_elements/plain", kAll, Tolerance::exact, [](Trial& t) {
                    const Extent n = t.dim(1, 3, 4);
                    const Value x = t.input({n, 5});
                    const Value indices = t.input({n, t.dim(1, 2, 6)}, whole(0, 5), kIndex);
                    t.output(t.net().one(core::GatherElements{1}, {x, indices}));
                    t.expect(
                        [](const Tensors& x) -> Tensors { return {at::gather(x[0], 1, x[1])}; });
                  }});
  rows.push_back({"gather_nd/pairs", kAll, Tolerance::exact, [](Trial& t) {
                    const Value x = t.input({t.dim(3, 4, 5), 3, 2});
                    const Value indices = t.input({t.dim(1, 5, 6), 2}, whole(0, 3), kIndex);
                    t.output(t.net().one(core::GatherNd{}, {x, indices}));
                    t.expect([](const Tensors& x) -> Tensors {
                      return {x[0].index({x[1].select(1, 0), x[1].select(1, 1)})};
                    });
                  }});
  rows.push_back({"gather_nd/batched", kNumbers, Tolerance::exact, [](Trial& t) {
                    const Extent n = t.dim(1, 2, 3);
                    const Value x = t.input({n, 4, 3});
                    const Value indices = t.input({n, 5, 1}, whole(0, 4), kIndex);
                    t.output(t.net().one(core::GatherNd{1}, {x, indices}));
                    t.expect([](const Tensors& x) -> Tensors {
                      return {at::gather(x[0], 1, x[1].expand({-1, -1, 3}))};
                    });
                  }});
}

void add_scatter_rows(Rows& rows) {
  for (const auto reduction : {ScatterReduce::none, ScatterReduce::sum, ScatterReduce::prod,
                               ScatterReduce::max, ScatterReduce::min, ScatterReduce::mean}) {
    const bool replaces = reduction == ScatterReduce::none;
    const DTypes dtypes = replaces                           ? kAll
                          : reduction == ScatterReduce::mean ? kF32
                                                             : DTypes{DType::f32, DType::i64};
    rows.push_back(
        {"scatter_elements/" + reduction_name(reduction), dtypes, Tolerance::accumulated,
         [=](Trial& t) {
           const Extent n = t.dim(1, 3, 4);
           const Value x = t.input({n, 6});
           // Replacing has one value per place: columns 4 and 1 of every row.
           const Fill indices = replaces ? listed({4, 1}) : whole(0, 6);
           const Value index = t.input({n, 2}, indices, kIndex);
           const Value updates = t.input({n, 2});
           t.output(t.net().one(core::ScatterElements{1, reduction}, {x, index, updates}));
           t.expect([=](const Tensors& x) -> Tensors {
             const at::Tensor y = x[0].clone();
             if (replaces) return {y.scatter_(1, x[1], x[2])};
             const char* names[] = {"", "sum", "prod", "amax", "amin", "mean"};
             return {y.scatter_reduce_(1, x[1], x[2], names[static_cast<std::size_t>(reduction)])};
           });
         }});
  }
  rows.push_back({"scatter_nd/rows", kAll, Tolerance::exact, [](Trial& t) {
                    const Value x = t.input({t.dim(4, 5, 7), 3});
                    const Value indices = t.input({2, 1}, listed({3, 0}), kIndex);
                    const Value updates = t.input({2, 3});
                    t.output(t.net().one(core::ScatterNd{}, {x, indices, updates}));
                    t.expect([](const Tensors& x) -> Tensors {
                      return {at::index_put(x[0], {x[1].select(1, 0)}, x[2])};
                    });
                  }});
  rows.push_back({"scatter_nd/elements", kAll, Tolerance::exact, [](Trial& t) {
                    const Value x = t.input({t.dim(4, 5, 7), 3});
                    const Value indices = t.input({3, 2}, listed({3, 0, 1, 2, 0, 0}), kIndex);
                    const Value updates = t.input({3});
                    t.output(t.net().one(core::ScatterNd{}, {x, indices, updates}));
                    t.expect([](const Tensors& x) -> Tensors {
                      return {at::index_put(x[0], {x[1].select(1, 0), x[1].select(1, 1)}, x[2])};
                    });
                  }});
  rows.push_back({"scatter_nd/sum", {DType::f32, DType::i64}, Tolerance::accumulated, [](Trial& t) {
                    const Value x = t.input({t.dim(4, 5, 7), 3});
                    const Value indices = t.input({6, 1}, whole(0, 4), kIndex);
                    const Value updates = t.input({6, 3});
                    t.output(
                        t.net().one(core::ScatterNd{ScatterReduce::sum}, {x, indices, updates}));
                    t.expect([](const Tensors& x) -> Tensors {
                      return {at::index_add(x[0], 0, x[1].select(1, 0), x[2])};
                    });
                  }});
}

void add_one_hot_rows(Rows& rows) {
  for (const std::int64_t axis : {0, 1, 2}) {
    rows.push_back({"one_hot/axis" + std::to_string(axis), kAll, Tolerance::exact, [=](Trial& t) {
                      const Value ids = t.input({t.dim(1, 3, 4), 2}, whole(0, 5), kIndex);
                      const Value on = t.net().scalar(1, t.dtype());
                      const Value off = t.net().scalar(0, t.dtype());
                      t.output(t.net().one(core::OneHot{5, axis}, {ids, on, off}));
                      t.expect([=, type = t.scalar_type()](const Tensors& x) -> Tensors {
                        return {at::one_hot(x[0], 5).movedim(-1, axis).to(type)};
                      });
                    }});
  }
}

void add_data_dependent_rows(Rows& rows) {
  rows.push_back(
      {"non_zero/plain", kAll, Tolerance::exact, [](Trial& t) {
         const Value x = t.input({t.dim(1, 3, 4), 5}, whole(-1, 2));
         t.output(t.net().one(core::NonZero{}, {x}));
         t.expect([](const Tensors& x) -> Tensors { return {at::stack(at::nonzero_numpy(x[0]))}; });
       }});
  rows.push_back(
      {"non_zero/masked_select", kF32, Tolerance::exact, [](Trial& t) {
         core::NetworkBuilder& net = t.net();
         const Extent n = t.dim(1, 3, 4);
         const Value x = t.input({n, 5});
         const Value mask = t.input({n, 5}, booleans(), DType::b);
         const Value places = net.transpose(net.one(core::NonZero{}, {mask}), {1, 0});
         t.output(net.one(core::GatherNd{}, {x, places}));
         t.expect([](const Tensors& x) -> Tensors { return {at::masked_select(x[0], x[1])}; });
       }});
  // Two clusters: box 1 lies in box 0, box 3 in box 2, box 4 alone; the scores order them 0 2 4
  // 1 3.
  for (const BoxForm form : {BoxForm::corners, BoxForm::center_size}) {
    const bool corners = form == BoxForm::corners;
    rows.push_back(
        {corners ? "nms/corners" : "nms/center_size", kF32, Tolerance::exact, [=](Trial& t) {
           const Extent n = t.dim(1, 2, 3);
           const std::vector<double> by_corners{0,  0,  10, 10, 0,  0,  10, 9,  20, 20,
                                                30, 30, 20, 20, 30, 29, 50, 50, 60, 60};
           const std::vector<double> by_center{5,  5,  10, 10,   5,  4.5, 10, 9,  25, 25,
                                               10, 10, 25, 24.5, 10, 9,   55, 55, 10, 10};
           const Value boxes = t.input({n, 5, 4}, listed(corners ? by_corners : by_center));
           const Value scores = t.input({n, 2, 5}, listed({0.9, 0.6, 0.8, 0.5, 0.7,  //
                                                           0.1, 0.6, 0.2, 0.1, 0.95}));
           t.output(t.net().one(core::Nms{2, 0.5, 0.3, form}, {boxes, scores}));
           t.expect([](const Tensors& x) -> Tensors {
             Tensors found;
             for (std::int64_t b = 0; b < x[0].size(0); ++b) {
               found.push_back(at::tensor({b, 0L, 0L, b, 0L, 2L, b, 1L, 4L, b, 1L, 1L}, at::kLong)
                                   .reshape({4, 3}));
             }
             return {at::cat(found)};
           });
         }});
  }
}

}  // namespace

void add_indexing_rows(Rows& rows) {
  add_gather_rows(rows);
  add_scatter_rows(rows);
  add_one_hot_rows(rows);
  add_data_dependent_rows(rows);
}

}  // namespace torch_tensorrt::engines::conformance
