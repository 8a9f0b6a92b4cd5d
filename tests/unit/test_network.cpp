#include <cstring>

#include "core/builder.h"
#include "core/error.h"
#include "examples.h"
#include "harness.h"

namespace {

using namespace torch_tensorrt::core;

Extent dynamic() { return Extent::range(1, 4, 8); }

/// A network under construction with a short way to inputs.
struct Net {
  Network network;
  NetworkBuilder build{network};
  int inputs = 0;

  Value in(DType dtype, Dims dims) {
    return build.input("x" + std::to_string(inputs++), {dtype, std::move(dims)});
  }
  Value f32(Dims dims) { return in(DType::f32, std::move(dims)); }
};

std::string type_of(const Value& value) { return to_text(value.type()); }

TEST(network_adds_layers_in_order) {
  Net n;
  const Value x = n.f32({2, 3});
  const Value y = n.build.softmax(x, 1);
  n.network.mark_output(y.id(), "y");
  CHECK_EQ(n.network.layer_count(), 1);
  CHECK_EQ(n.network.nodes().size(), 2);
  CHECK_EQ(n.network.input_name(0), "x0");
  CHECK(!n.network.input_is_host(0));
  CHECK_EQ(kind_of(n.network.producer(y.id()).layer), "softmax");
  n.network.verify();
}

TEST(network_names_are_unique) {
  Net n;
  const Value x = n.build.input("x", {DType::f32, {2}});
  CHECK_THROWS(n.build.input("x", {DType::f32, {2}}), "input C2: 'x' is the name of two inputs");
  n.network.mark_output(x.id(), "y");
  CHECK_THROWS(n.network.mark_output(x.id(), "y"), "'y' is the name of two outputs");
  CHECK_THROWS(n.network.mark_output(77, "z"), "not a value");
}

TEST(network_C0_operand_counts) {
  Net n;
  const Value x = n.f32({2, 3});
  CHECK_THROWS(n.build.add(Softmax{1}, {}), "softmax C0: 0 operands, expected 'x'");
  CHECK_THROWS(n.build.add(Softmax{1}, {x, x}), "softmax C0: 2 operands");
  CHECK_THROWS(n.build.add(Softmax{1}, {Value(&n.build, kAbsent)}), "operand 0 is absent");
  CHECK_THROWS(n.build.add(Softmax{1}, {Value(&n.build, 9)}), "not a value of this network");
  const Value normalized = n.build.one(LayerNorm{1}, {x});
  CHECK_EQ(n.network.producer(normalized.id()).inputs.size(), 3);
}

TEST(network_error_names_the_origin) {
  Net n;
  const Value x = n.f32({2, 3});
  n.build.set_origin({"head.softmax", "model.py:41"});
  CHECK_THROWS(n.build.softmax(x, 2),
               "softmax C2: axis is 2, expected 0..1 (at model.py:41, head.softmax)");
}

TEST(network_remove_dead_keeps_inputs) {
  Net n;
  const Value x = n.f32({2, 3});
  n.f32({5});
  n.build.softmax(x, 0);
  const Value y = n.build.unary(UnaryOp::exp, x);
  n.network.mark_output(y.id(), "y");
  n.network.remove_dead();
  CHECK_EQ(n.network.inputs().size(), 2);
  CHECK_EQ(n.network.layer_count(), 1);
  CHECK_EQ(n.network.value_count(), 3);
  n.network.verify();
}

TEST(network_examples_cover_every_kind_and_verify) {
  const auto examples = examples::every_kind();
  std::string missing;
  const auto look_for = [&]<std::size_t... I>(std::index_sequence<I...>) {
    const auto look = [&](std::string_view kind) {
      for (const auto& example : examples) {
        if (example.kind == kind) return;
      }
      missing += std::string(kind) + " ";
    };
    (look(std::variant_alternative_t<I, Layer>::kind), ...);
  };
  look_for(std::make_index_sequence<std::variant_size_v<Layer>>());
  CHECK_EQ(missing, "");
  for (const auto& example : examples) example.network.verify();
}

// ---- types ----

TEST(conv_C3_input_channels) {
  Net n;
  const Conv conv{{1, 1}, {0, 0}, {0, 0}, {1, 1}, 1};
  const Value x = n.f32({1, 4, 8, 8});
  CHECK_THROWS(n.build.add(conv, {x, n.f32({6, 3, 3, 3})}),
               "conv C3: weight has 3 input channels, expected 4 (x has 4, groups 1)");
  CHECK_EQ(type_of(n.build.one(conv, {x, n.f32({6, 4, 3, 3})})), "f32[1, 6, 6, 6]");
}

TEST(conv_constraints_by_number) {
  Net n;
  const Value x = n.f32({1, 4, 8, 8}), w = n.f32({6, 4, 3, 3});
  const auto conv = [&](Ints stride, Ints pad, std::int64_t groups, Value a, Value b) {
    return n.build.add(Conv{stride, pad, pad, {1, 1}, groups}, {a, b});
  };
  CHECK_THROWS(conv({1, 1}, {0, 0}, 1, n.f32({4, 8}), w), "conv C1");
  CHECK_THROWS(conv({1, 1}, {0, 0}, 1, n.in(DType::i32, {1, 4, 8, 8}), w), "conv C2");
  CHECK_THROWS(conv({1}, {0, 0}, 1, x, w), "conv C4: stride has 1 entries, expected 2");
  CHECK_THROWS(conv({1, 1}, {-1, 0}, 1, x, w), "conv C4: pad_begin is [-1, 0]");
  CHECK_THROWS(conv({1, 1}, {0, 0}, 0, x, w), "conv C5: groups is 0");
  CHECK_THROWS(conv({1, 1}, {0, 0}, 1, x, n.f32({6, 4, dynamic(), 3})), "conv C6");
  CHECK_THROWS(n.build.add(Conv{{1, 1}, {0, 0}, {0, 0}, {1, 1}, 1}, {x, w, n.f32({5})}), "conv C7");
  CHECK_THROWS(conv({1, 1}, {0, 0}, 1, n.f32({1, 4, 2, 8}), w), "conv C8");
}

TEST(conv_sizes_are_computed_pointwise) {
  Net n;
  const Value x = n.f32({dynamic(), 4, Extent::range(8, 16, 32), 8});
  const Value y = n.build.one(Conv{{2, 1}, {1, 1}, {1, 1}, {1, 1}, 1}, {x, n.f32({6, 4, 3, 3})});
  CHECK_EQ(type_of(y), "f32[1..4..8, 6, 4..8..16, 8]");
}

TEST(pool_ceil_mode_drops_windows_that_start_in_the_padding) {
  Net n;
  const Value x = n.f32({1, 1, 7});
  const Value y = n.build.one(MaxPool{{2}, {2}, {1}, {1}, {1}, true}, {x});
  CHECK_EQ(type_of(y), "f32[1, 1, 4]");
  CHECK_THROWS(n.build.add(MaxPool{{2}, {2}, {2}, {1}, {1}, true}, {x}), "max_pool C4");
}

TEST(binary_C2_broadcasts_dynamic_dimensions) {
  Net n;
  const Value x = n.f32({dynamic(), 1});
  CHECK_EQ(type_of(x + n.f32({1, 5})), "f32[1..4..8, 5]");
  CHECK_EQ(type_of(x + n.f32({4, 1})), "f32[4, 1]");
  CHECK_EQ(type_of(x + n.f32({dynamic(), 3})), "f32[1..4..8, 3]");
  CHECK_THROWS(n.f32({3}) + n.f32({4}), "binary C2: dimensions [3] and [4] do not broadcast");
  CHECK_THROWS(n.f32({Extent::range(2, 3, 4)}) + n.f32({5}), "binary C2");
  CHECK_THROWS(x + n.in(DType::f16, {1, 1}), "binary C1: b is f16, expected f32");
}

TEST(concat_constraints_by_number) {
  Net n;
  const std::vector<Value> different = {n.f32({2, 3}), n.f32({2, 4})};
  CHECK_EQ(type_of(n.build.concat(different, 1)), "f32[2, 7]");
  CHECK_THROWS(n.build.concat(different, 0), "concat C4");
  CHECK_THROWS(n.build.concat(different, 2), "concat C3: axis is 2, expected 0..1");
  CHECK_THROWS(n.build.concat(std::vector<Value>{}, 0), "concat C1");
  CHECK_THROWS(n.build.concat(std::vector<Value>{different[0], n.f32({3})}, 0), "concat C2");
  const std::vector<Value> growing = {n.f32({dynamic()}), n.f32({2}), n.f32({dynamic()})};
  CHECK_EQ(type_of(n.build.concat(growing, 0)), "f32[4..10..18]");
}

TEST(attention_C6_mask_excludes_causal) {
  Net n;
  const Value q = n.f32({1, 2, 3, 4}), mask = n.in(DType::b, {1, 1, 3, 3});
  CHECK_THROWS(n.build.add(Attention{1, Causal::upper_left}, {q, q, q, mask}), "attention C6");
  CHECK_THROWS(n.build.add(Attention{}, {q, n.f32({1, 2, 3, 5}), q}),
               "attention C3: k has 5 at axis 3, expected 4");
}

TEST(matmul_C4_inner_dimensions) {
  Net n;
  CHECK_THROWS(n.build.matmul(n.f32({2, 3}), n.f32({4, 5})),
               "matmul C4: inner dimensions are 3 and 4");
  CHECK_EQ(type_of(n.build.matmul(n.f32({dynamic(), 2, 3}), n.f32({3, 5}))), "f32[1..4..8, 2, 5]");
}

TEST(einsum_types_and_constraints) {
  Net n;
  const Value a = n.f32({2, 3}), b = n.f32({3, 4});
  CHECK_EQ(type_of(n.build.one(Einsum{"ij,jk->ki"}, {a, b})), "f32[4, 2]");
  CHECK_EQ(type_of(n.build.one(Einsum{"ij,jk"}, {a, b})), "f32[2, 4]");
  CHECK_THROWS(n.build.add(Einsum{"Ij,jk->ki"}, {a, b}), "einsum C1");
  CHECK_THROWS(n.build.add(Einsum{"ij,jk->kz"}, {a, b}), "einsum C1");
  CHECK_THROWS(n.build.add(Einsum{"ij,ik->jk"}, {a, b}), "einsum C4");
}

// ---- host values ----

TEST(content_follows_shapes_through_host_arithmetic) {
  Net n;
  const Value x = n.f32({dynamic(), 3, 8, 8});
  const Size batch = n.build.size(x, 0);
  CHECK(std::holds_alternative<Value>(batch));
  CHECK_EQ(std::get<std::int64_t>(n.build.size(x, 1)), 3);
  const Size doubled = n.build.mul(batch, std::int64_t{2});
  const Size rest = n.build.sub(doubled, std::int64_t{1});
  CHECK(*std::get<Value>(rest).content() == Content{Extent::range(1, 7, 15)});
  CHECK_EQ(std::get<std::int64_t>(n.build.floor_div(std::int64_t{-7}, std::int64_t{2})), -4);
  CHECK_EQ(std::get<std::int64_t>(n.build.remainder(std::int64_t{-7}, std::int64_t{4})), 1);
  const Value y = n.build.reshape(x, {doubled, std::int64_t{-1}, std::int64_t{4}});
  CHECK_EQ(type_of(y), "f32[2..8..16, 24, 4]");
}

TEST(content_shape_of_is_made_once_per_value) {
  Net n;
  const Value x = n.f32({dynamic(), dynamic()});
  n.build.sizes(x);
  std::size_t count = 0;
  for (const Node& node : n.network.nodes())
    count += std::holds_alternative<ShapeOf>(node.layer) ? 1 : 0;
  CHECK_EQ(count, 1);
}

TEST(content_static_select_and_compare_fold) {
  Net n;
  const Value x = n.f32({dynamic(), 3});
  const Value three = n.build.value(n.build.size(x, 1));
  const Value small = n.build.compare(CompareOp::lt, three, n.build.scalar_i64(5));
  const Value chosen = n.build.select(small, three, n.build.value(n.build.size(x, 0)));
  CHECK_EQ(std::get<std::int64_t>(n.build.as_size(chosen)), 3);
}

TEST(content_stays_dynamic_where_points_agree) {
  Net n;
  const Value x = n.f32({dynamic()});
  const Size size = n.build.size(x, 0);
  const Size zero = n.build.sub(size, size);
  CHECK(std::holds_alternative<Value>(zero));
  CHECK(*std::get<Value>(zero).content() == Content{Extent::range(0, 0, 0)});
}

TEST(content_of_host_inputs) {
  Net n;
  const Value known = n.build.input("n", {DType::i64, {}}, true, {Extent::range(2, 3, 4)});
  const Value unknown = n.build.input("m", {DType::i64, {}}, true);
  const Value x = n.build.broadcast(n.f32({1, 1}), {known, unknown});
  CHECK_EQ(type_of(x), "f32[2..3..4, 0..1..2147483647]");
  CHECK_THROWS(n.build.input("k", {DType::f32, {}}, true), "input C3");
  CHECK_THROWS(n.build.input("k", {DType::i64, {2}}, true, {Extent(1)}), "input C5");
}

TEST(content_division_by_zero_is_unknown) {
  Net n;
  const Value zero = n.build.scalar_i64(0);
  CHECK(n.build.binary(BinaryOp::div, n.build.scalar_i64(3), zero).content() == nullptr);
  CHECK_THROWS(n.build.floor_div(std::int64_t{3}, std::int64_t{0}), "floor_div(3, 0)");
}

TEST(reshape_constraints_and_cancelling_sizes) {
  Net n;
  const Value x = n.f32({dynamic(), 4, 8});
  const Size batch = n.build.size(x, 0);
  CHECK_EQ(type_of(n.build.reshape(x, {batch, std::int64_t{-1}})), "f32[1..4..8, 32]");
  CHECK_EQ(type_of(n.build.reshape(x, {std::int64_t{-1}, std::int64_t{8}})), "f32[4..16..32, 8]");
  const Value s = n.f32({2, 6});
  CHECK_THROWS(n.build.reshape(s, {std::int64_t{5}, std::int64_t{2}}),
               "reshape C2: x has 12 elements");
  CHECK_THROWS(n.build.reshape(s, {std::int64_t{5}, std::int64_t{-1}}), "reshape C3");
  CHECK_THROWS(n.build.reshape(s, {std::int64_t{-1}, std::int64_t{-1}}), "reshape C1");
  CHECK_THROWS(n.build.reshape(s, {std::int64_t{-2}}), "reshape C1");
}

TEST(slice_bounds_and_unknown_sizes) {
  Net n;
  const Value x = n.f32({dynamic(), 6});
  CHECK_EQ(type_of(n.build.slice(x, 1, std::int64_t{1}, std::int64_t{3})), "f32[1..4..8, 3]");
  CHECK_EQ(type_of(n.build.slice(x, 1, std::int64_t{5}, std::int64_t{3}, std::int64_t{-2})),
           "f32[1..4..8, 3]");
  CHECK_THROWS(n.build.slice(x, 1, std::int64_t{4}, std::int64_t{3}),
               "slice C4: reads 4..6 of axis 1, expected within 0..5");
  CHECK_THROWS(n.build.slice(x, 1, std::int64_t{0}, std::int64_t{3}, std::int64_t{0}), "slice C3");
  const Value unknown = n.build.input("m", {DType::i64, {}}, true);
  CHECK_EQ(type_of(n.build.slice(x, 0, std::int64_t{0}, unknown)), "f32[0..1..8, 6]");
}

TEST(data_dependent_sizes_are_bounded) {
  Net n;
  CHECK_EQ(type_of(n.build.one(NonZero{}, {n.f32({dynamic(), 6})})), "i64[2, 0..24..48]");
}

// ---- builder ----

TEST(builder_aligns_constants_without_a_layer) {
  Net n;
  const Value x = n.f32({2, 3});
  const Value y = n.build.binary(BinaryOp::mul, x, n.build.scalar(2, DType::f32));
  CHECK_EQ(type_of(y), "f32[2, 3]");
  for (const Node& node : n.network.nodes()) CHECK(!std::holds_alternative<Unsqueeze>(node.layer));
  CHECK_EQ(type_of(n.f32({3}) + x), "f32[2, 3]");
}

TEST(builder_scalars_have_every_type) {
  Net n;
  const auto bits = [&](double value, DType dtype) {
    const Tensor* tensor = n.network.constant(n.build.scalar(value, dtype, 1).id());
    std::uint64_t out = 0;
    std::memcpy(&out, tensor->bytes.data(), tensor->bytes.size());
    return out;
  };
  CHECK_EQ(bits(1, DType::f16), 0x3c00);
  CHECK_EQ(bits(65504, DType::f16), 0x7bff);
  CHECK_EQ(bits(65520, DType::f16), 0x7c00);
  CHECK_EQ(bits(0x1p-24, DType::f16), 1);
  CHECK_EQ(bits(0x1p-14, DType::f16), 0x0400);
  CHECK_EQ(bits(-2, DType::bf16), 0xc000);
  CHECK_EQ(bits(2, DType::b), 1);
  CHECK_EQ(bits(-1, DType::i8), 0xff);
  CHECK_EQ(bits(200, DType::u8), 200);
  CHECK_THROWS(bits(300, DType::u8), "constant 300 does not fit u8");
  CHECK_THROWS(bits(1, DType::i4), "a scalar constant cannot be i4");
}

TEST(builder_vector_mixes_numbers_and_values) {
  Net n;
  const Value x = n.f32({dynamic(), 6});
  const Value v = n.build.vector({std::int64_t{2}, n.build.size(x, 0), std::int64_t{-1}});
  CHECK(*v.content() == Content{Extent(2), dynamic(), Extent(-1)});
  CHECK_EQ(std::get<std::int64_t>(n.build.element(v, 2)), -1);
  CHECK(std::holds_alternative<Value>(n.build.element(v, 1)));
}

// ---- control ----

TEST(plugin_constraints_by_number) {
  Net n;
  const Value x = n.f32({2, 3});
  const auto plugin = [&](std::vector<PluginField> fields, std::vector<TensorType> results,
                          std::int64_t shape_inputs = 0, std::string version = "1") {
    return n.build.add(Plugin{"Scale", std::move(version), "", std::move(fields),
                              std::move(results), shape_inputs},
                       {x, n.in(DType::i64, {2})});
  };
  const TensorType y{DType::f32, {Extent::range(1, 2, 4)}};
  CHECK_THROWS(plugin({}, {y}, 0, ""), "plugin C1: the plugin is 'Scale' of version ''");
  CHECK_THROWS(plugin({{"a", "b"}, {"a", "c"}}, {y}), "plugin C2: field 'a' is named twice");
  CHECK_THROWS(plugin({{"a", Tensor{DType::b, {}, Blob::of({std::byte{1}})}}}, {y}),
               "plugin C2: field 'a' is b, expected characters or f32, f16, bf16, f64, i64, i32");
  CHECK_THROWS(plugin({{"a", Tensor{DType::i32, {}, Blob::of({std::byte{1}})}}}, {y}),
               "plugin C2: the data has 1 bytes, expected 4");
  CHECK_THROWS(plugin({}, {y}, 3), "plugin C3: shape_inputs is 3, expected 0..2");
  CHECK_THROWS(plugin({}, {y}, 2), "plugin C3: xs[0] is f32, expected i32 or i64");
  CHECK_THROWS(plugin({}, {}), "plugin C4: 0 results, expected 1..4096");
  CHECK_THROWS(plugin({}, {{DType::f32, {Extent::range(3, 2, 4)}}}), "plugin C4: a result is");
  CHECK_EQ(type_of(plugin({}, {y, {DType::i64, {}}}, 1).front()), "f32[1..2..4]");
}

TEST(loop_C4_body_outputs_fit) {
  Net n;
  auto body = std::make_shared<Network>();
  NetworkBuilder inside(*body);
  inside.input("i", {DType::i64, {}});
  const Value x = inside.input("x", {DType::f32, {3}});
  body->mark_output(x.id(), "condition");
  const Value go = n.in(DType::b, {});
  const Value start = n.f32({3});
  const Value trips = n.build.scalar_i64(4);
  CHECK_THROWS(n.build.add(Loop{1, body}, {trips, go, start}),
               "loop C4: body has 1 outputs, expected at least 2");
  CHECK_THROWS(n.build.add(Loop{1, nullptr}, {trips, go, start}), "loop C1: body is missing");
  CHECK_THROWS(n.build.add(Loop{1, body}, {trips, go, n.f32({4})}), "loop C3");
}

}  // namespace
