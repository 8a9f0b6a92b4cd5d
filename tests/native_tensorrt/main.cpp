// Plays scripts on the test double: what the player calls has to be what the script says.
//
//   torchtrt_tensorrt_double [folder]
//
// The scripts are some that have every method, and those of the networks in the folder, which
// `torchtrt_conformance --dump` wrote.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/artifact.h"
#include "core/error.h"
#include "double.h"
#include "engines.h"
#include "engines/tensorrt/emitter.h"
#include "engines/tensorrt/native/player.h"
#include "engines/tensorrt/support.h"

namespace torch_tensorrt::tests {

namespace {

using namespace engines::tensorrt;  // NOLINT

/// Writes scripts call by call.
class Writer {
 public:
  Ref call(Ref object, std::string name, std::vector<Argument> arguments) {
    const Ref result{script.object_count++};
    script.steps.push_back(
        {Step::Kind::call, result, object, std::move(name), std::move(arguments)});
    return result;
  }
  void run(Ref object, std::string name, std::vector<Argument> arguments) {
    script.steps.push_back({Step::Kind::call, {}, object, std::move(name), std::move(arguments)});
  }
  void set(Ref object, std::string name, Argument value) {
    script.steps.push_back({Step::Kind::set, {}, object, std::move(name), {std::move(value)}});
  }

  Ref add(std::string name, std::vector<Argument> arguments) {
    return call(kNetwork, std::move(name), std::move(arguments));
  }
  Ref output(Ref layer, std::int64_t index = 0) { return call(layer, "get_output", {index}); }
  Ref input(const std::string& name, DType dtype, const Ints& shape) {
    return add("add_input", {name, dtype, shape});
  }
  WeightsRef weights(DType dtype, std::int64_t count) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(core::byte_size(dtype, count)));
    script.weights.push_back({dtype, core::Blob::of(std::move(bytes))});
    return {static_cast<std::int64_t>(script.weights.size()) - 1};
  }

  Script script;
};

std::int64_t i(std::int64_t value) { return value; }

// ---- Scripts, which together have every method and attribute -----------------------------------

void set_window(Writer& w, Ref layer) {
  w.set(layer, "stride_nd", Ints{2, 2});
  w.set(layer, "pre_padding", Ints{1, 0});
  w.set(layer, "post_padding", Ints{0, 1});
  w.set(layer, "padding_nd", Ints{1, 1});
  w.set(layer, "padding_mode", Symbol{"PaddingMode", "EXPLICIT_ROUND_UP"});
}

Script images() {
  Writer w;
  const Ref x = w.input("x", DType::f32, {-1, 4, 8, 8});
  w.set(x, "name", std::string("image"));
  w.set(x, "dtype", DType::f32);
  w.set(kNetwork, "name", std::string("images"));

  const Ref convolution =
      w.add("add_convolution_nd",
            {x, i(4), Ints{3, 3}, w.weights(DType::f32, 72), w.weights(DType::f32, 4)});
  set_window(w, convolution);
  w.set(convolution, "dilation_nd", Ints{1, 2});
  w.set(convolution, "num_groups", i(2));
  w.set(convolution, "num_output_maps", i(4));
  w.set(convolution, "kernel_size_nd", Ints{3, 3});
  w.set(convolution, "name", std::string("conv"));
  w.set(convolution, "metadata", std::string("[conv]"));
  const Ref deconvolution =
      w.add("add_deconvolution_nd",
            {w.output(convolution), i(4), Ints{2, 2}, w.weights(DType::f16, 64), WeightsRef{}});
  set_window(w, deconvolution);
  w.set(deconvolution, "dilation_nd", Ints{1, 1});
  w.set(deconvolution, "num_groups", i(1));
  const Ref bare = w.add("add_convolution_nd",
                         {x, i(2), Ints{1, 1}, w.weights(DType::f32, 8)});  // without a bias
  const Ref pooling = w.add(
      "add_pooling_nd", {w.output(deconvolution), Symbol{"PoolingType", "AVERAGE"}, Ints{2, 2}});
  set_window(w, pooling);
  w.set(pooling, "average_count_excludes_padding", false);
  w.set(pooling, "type", Symbol{"PoolingType", "MAX_AVERAGE_BLEND"});
  w.set(pooling, "blend_factor", 0.5);
  w.set(pooling, "window_size_nd", Ints{3, 3});
  const Ref lrn = w.add("add_lrn", {w.output(pooling), i(5), 1e-4, 0.75, 1.0});
  w.set(lrn, "alpha", 0.125);
  w.set(lrn, "beta", 0.25);
  w.set(lrn, "k", i(2));
  w.set(lrn, "window_size", i(3));
  const Ref resize = w.add("add_resize", {w.output(lrn)});
  w.set(resize, "shape", Ints{1, 4, 16, 16});
  w.set(resize, "scales", Ints{1, 1, 2, 2});
  w.set(resize, "resize_mode", Symbol{"InterpolationMode", "CUBIC"});
  w.set(resize, "coordinate_transformation",
        Symbol{"ResizeCoordinateTransformation", "HALF_PIXEL"});
  w.set(resize, "nearest_rounding", Symbol{"ResizeRoundMode", "HALF_DOWN"});
  w.set(resize, "selector_for_single_pixel", Symbol{"ResizeSelector", "UPPER"});
  w.set(resize, "cubic_coeff", -0.75);
  w.set(resize, "exclude_outside", true);
  const Ref grid = w.add("add_grid_sample", {w.output(resize), w.output(bare)});
  w.set(grid, "interpolation_mode", Symbol{"InterpolationMode", "LINEAR"});
  w.set(grid, "align_corners", true);
  w.set(grid, "sample_mode", Symbol{"SampleMode", "REFLECT"});
  const Ref nms = w.add("add_nms", {w.output(grid), x, x});
  w.set(nms, "bounding_box_format", Symbol{"BoundingBoxFormat", "CENTER_SIZES"});
  w.set(nms, "topk_box_limit", i(100));
  w.set(nms, "indices_type", DType::i64);
  w.run(nms, "set_input", {i(3), x});
  w.add("add_nms", {x, x, x, DType::i64});
  w.run(kNetwork, "mark_output", {w.output(nms, 1)});
  return w.script;
}

Script pointwise() {
  Writer w;
  const Ref x = w.input("x", DType::f16, {2, 3});
  const Ref activation = w.add("add_activation", {x, Symbol{"ActivationType", "ELU"}});
  w.set(activation, "type", Symbol{"ActivationType", "GELU_TANH"});
  w.set(activation, "alpha", 0.1);
  w.set(activation, "beta", 1.0);
  const Ref slope = w.output(w.add("add_constant", {Ints{1, 3}, w.weights(DType::f16, 3)}));
  const Ref packed = w.add("add_constant", {Ints{3}, w.weights(DType::i4, 3)});
  w.set(packed, "shape", Ints{1, 3});
  const Ref prelu = w.add("add_parametric_relu", {w.output(activation), slope});
  const Ref unary = w.add("add_unary", {w.output(prelu), Symbol{"UnaryOperation", "ISNAN"}});
  w.set(unary, "op", Symbol{"UnaryOperation", "EXP"});
  const Ref sum =
      w.add("add_elementwise", {w.output(unary), x, Symbol{"ElementWiseOperation", "SUM"}});
  w.set(sum, "op", Symbol{"ElementWiseOperation", "FLOOR_DIV"});
  const Ref cast = w.add("add_cast", {w.output(sum), DType::b});
  w.set(cast, "to_type", DType::bf16);
  const Ref select = w.add("add_select", {w.output(cast), x, x});
  const Ref same = w.add("add_identity", {w.output(select)});
  const Ref scale = w.output(w.add("add_constant", {Ints{}, w.weights(DType::f32, 1)}));
  const Ref quantize = w.add("add_quantize", {w.output(same), scale, DType::i8});
  w.set(quantize, "axis", i(1));
  w.set(quantize, "to_type", DType::f8);
  const Ref dequantize = w.add("add_dequantize", {w.output(quantize), scale, DType::f16});
  w.set(dequantize, "axis", i(0));
  w.set(dequantize, "to_type", DType::f32);
  w.set(dequantize, "block_shape", Ints{1, 2});
  const Ref assertion = w.add("add_assertion", {w.output(cast), std::string("sizes differ")});
  w.set(assertion, "message", std::string("\"quoted\""));
  const Ref fill = w.add("add_fill", {Ints{4}, Symbol{"FillOperation", "LINSPACE"}});
  w.set(fill, "alpha", 0.5);
  w.set(fill, "beta", 0.25);
  w.set(fill, "operation", Symbol{"FillOperation", "RANDOM_NORMAL"});
  w.set(fill, "shape", Ints{5});
  const Ref range = w.add("add_fill", {Ints{1}, Symbol{"FillOperation", "LINSPACE"}, DType::i64});
  w.set(range, "alpha", i(0));
  w.set(range, "beta", i(1));
  w.set(range, "to_type", DType::i32);
  w.run(range, "set_input", {i(0), slope});
  const Ref cumulative =
      w.add("add_cumulative", {x, slope, Symbol{"CumulativeOperation", "SUM"}, false, true});
  w.set(cumulative, "exclusive", true);
  w.set(cumulative, "reverse", false);
  w.set(cumulative, "op", Symbol{"CumulativeOperation", "SUM"});
  w.run(kNetwork, "mark_output", {w.output(dequantize)});
  return w.script;
}

Script layout() {
  Writer w;
  const Ref x = w.input("x", DType::f32, {2, -1, 4});
  const Ref indices = w.input("indices", DType::i64, {3});
  const Ref shuffle = w.add("add_shuffle", {x});
  w.set(shuffle, "first_transpose", Ints{2, 0, 1});
  w.set(shuffle, "reshape_dims", Ints{0, -1});
  w.set(shuffle, "second_transpose", Ints{1, 0});
  w.set(shuffle, "zero_is_placeholder", false);
  w.run(shuffle, "set_input", {i(1), indices});
  const Ref slice = w.add("add_slice", {x, Ints{0, 0, 1}, Ints{2, 1, 2}, Ints{1, 1, 1}});
  w.set(slice, "start", Ints{0, 0, 0});
  w.set(slice, "shape", Ints{1, 1, 1});
  w.set(slice, "stride", Ints{1, 2, -1});
  w.set(slice, "axes", Ints{0, 1, 2});
  w.set(slice, "mode", Symbol{"SampleMode", "FILL"});
  w.run(slice, "set_input", {i(4), x});
  const Ref joined = w.add("add_concatenation", {std::vector<Ref>{x, w.output(slice), x}});
  w.set(joined, "axis", i(1));
  const Ref squeeze = w.add("add_squeeze", {x, indices});
  const Ref unsqueeze = w.add("add_unsqueeze", {w.output(squeeze), indices});
  const Ref shape = w.add("add_shape", {w.output(unsqueeze)});
  const Ref gather = w.add("add_gather_v2", {w.output(shape), indices, Symbol{"GatherMode", "ND"}});
  w.set(gather, "axis", i(1));
  w.set(gather, "num_elementwise_dims", i(1));
  w.set(gather, "mode", Symbol{"GatherMode", "DEFAULT"});
  const Ref scatter = w.add("add_scatter", {x, indices, x, Symbol{"ScatterMode", "ELEMENT"}});
  w.set(scatter, "axis", i(2));
  w.set(scatter, "mode", Symbol{"ScatterMode", "ND"});
  const Ref one_hot = w.add("add_one_hot", {indices, x, x, i(-1)});
  w.set(one_hot, "axis", i(1));
  const Ref reversed = w.add("add_reverse_sequence", {x, indices});
  w.set(reversed, "batch_axis", i(1));
  w.set(reversed, "sequence_axis", i(0));
  w.add("add_non_zero", {x});
  const Ref non_zero = w.add("add_non_zero", {x, DType::i64});
  w.set(non_zero, "indices_type", DType::i32);
  w.run(kNetwork, "set_weights_name", {w.weights(DType::u8, 2), std::string("bytes")});
  w.run(kNetwork, "mark_output", {w.output(joined)});
  return w.script;
}

Script reductions() {
  Writer w;
  const Ref x = w.input("x", DType::bf16, {2, 8, 4});
  const Ref y = w.input("y", DType::bf16, {2, 4, 8});
  const Ref product = w.add("add_matrix_multiply", {x, Symbol{"MatrixOperation", "NONE"}, y,
                                                    Symbol{"MatrixOperation", "TRANSPOSE"}});
  w.set(product, "op0", Symbol{"MatrixOperation", "TRANSPOSE"});
  w.set(product, "op1", Symbol{"MatrixOperation", "VECTOR"});
  const Ref einsum = w.add("add_einsum", {std::vector<Ref>{x, y}, std::string("bij,bjk->bik")});
  w.set(einsum, "equation", std::string("bij,bjk->bki"));
  const Ref reduce = w.add("add_reduce", {x, Symbol{"ReduceOperation", "AVG"}, i(6), true});
  w.set(reduce, "op", Symbol{"ReduceOperation", "PROD"});
  w.set(reduce, "axes", i(3));
  w.set(reduce, "keep_dims", false);
  const Ref softmax = w.add("add_softmax", {x});
  w.set(softmax, "axes", i(4));
  w.add("add_topk", {x, Symbol{"TopKOperation", "MIN"}, i(2), i(2)});
  const Ref topk = w.add("add_topk", {x, Symbol{"TopKOperation", "MAX"}, i(3), i(4), DType::i64});
  w.set(topk, "op", Symbol{"TopKOperation", "MIN"});
  w.set(topk, "k", i(1));
  w.set(topk, "axes", i(2));
  w.set(topk, "indices_type", DType::i32);
  w.run(topk, "set_input", {i(1), y});
  const Ref old_norm = w.add("add_normalization", {x, y, y, i(6)});
  w.set(old_norm, "num_groups", i(2));
  const Ref norm = w.add("add_normalization_v2", {w.output(old_norm), y, y, i(4)});
  w.set(norm, "epsilon", 1e-5);
  w.set(norm, "axes", i(2));
  w.run(kNetwork, "mark_output", {w.output(topk, 1)});
  return w.script;
}

Script attention() {
  Writer w;
  const Ref q = w.input("q", DType::f16, {1, 8, 16, 64});
  const Ref attention =
      w.add("add_attention", {q, q, q, Symbol{"AttentionNormalizationOp", "SOFTMAX"}, true});
  w.set(attention, "causal", false);
  w.set(attention, "mask", q);
  w.set(attention, "decomposable", true);
  w.set(attention, "name", std::string("attention"));
  w.set(attention, "metadata", std::string("[attention]"));
  w.set(attention, "norm_op", Symbol{"AttentionNormalizationOp", "NONE"});
  w.set(attention, "normalization_quantize_scale", q);
  w.set(attention, "normalization_quantize_to_type", DType::f8);
  w.run(attention, "set_input", {i(1), q});
  const Ref rotary = w.add("add_rotary_embedding", {w.output(attention), q, q, true, i(64)});
  w.set(rotary, "interleaved", false);
  w.set(rotary, "rotary_embedding_dim", i(32));
  w.run(rotary, "set_input", {i(3), q});
  const Ref cache = w.add("add_kv_cache_update", {q, q, q, Symbol{"KVCacheMode", "LINEAR"}});
  w.set(cache, "cache_mode", Symbol{"KVCacheMode", "LINEAR"});
  w.run(kNetwork, "mark_output", {w.output(cache)});
  return w.script;
}

Script later_attention() {
  Writer w;
  const Ref q = w.input("q", DType::f16, {1, 8, 16, 64});
  const Ref attention =
      w.add("add_attention_v2", {q, q, q, Symbol{"AttentionNormalizationOp", "SOFTMAX"},
                                 Symbol{"CausalMaskKind", "LOWER_RIGHT"}});
  w.set(attention, "causal_kind", Symbol{"CausalMaskKind", "UPPER_LEFT"});
  w.set(attention, "query_form", Symbol{"AttentionIOForm", "PACKED_NHD"});
  w.set(attention, "key_value_form", Symbol{"AttentionIOForm", "PADDED_BHND"});
  w.set(attention, "query_lengths", q);
  w.set(attention, "key_value_lengths", None());
  w.run(kNetwork, "mark_output", {w.output(attention)});
  return w.script;
}

Script control_flow() {
  Writer w;
  const Ref x = w.input("x", DType::f32, {4});
  const Ref condition = w.input("condition", DType::b, {});
  const Ref loop = w.add("add_loop", {});
  w.set(loop, "name", std::string("loop"));
  w.call(loop, "add_trip_limit", {x, Symbol{"TripLimit", "COUNT"}});
  w.call(loop, "add_trip_limit", {condition, Symbol{"TripLimit", "WHILE"}});
  w.call(loop, "add_iterator", {x});
  w.call(loop, "add_iterator", {x, i(2)});
  const Ref iterator = w.call(loop, "add_iterator", {x, i(1), true});
  w.set(iterator, "axis", i(0));
  w.set(iterator, "reverse", false);
  const Ref recurrence = w.call(loop, "add_recurrence", {x});
  w.run(recurrence, "set_input", {i(1), w.output(iterator)});
  w.call(loop, "add_loop_output", {w.output(recurrence), Symbol{"LoopOutput", "LAST_VALUE"}});
  const Ref stacked =
      w.call(loop, "add_loop_output", {x, Symbol{"LoopOutput", "CONCATENATE"}, i(1)});
  w.set(stacked, "axis", i(2));
  w.run(stacked, "set_input", {i(1), x});
  const Ref branch = w.add("add_if_conditional", {});
  w.set(branch, "name", std::string("if"));
  w.run(branch, "set_condition", {condition});  // a result that nobody takes
  const Ref inside = w.output(w.call(branch, "add_input", {x}));
  const Ref result = w.output(w.call(branch, "add_output", {inside, x}));
  w.run(kNetwork, "mark_output", {w.output(stacked)});
  w.run(kNetwork, "mark_output", {result});
  return w.script;
}

Script plugins() {
  Writer w;
  const Ref x = w.input("x", DType::f32, {-1, 3});
  const Ref size = w.input("size", DType::i64, {2});
  const Ref creator = w.call(kRegistry, "get_creator",
                             {std::string("Scale"), std::string("1"), std::string("mylib")});
  const std::vector<Field> fields = {
      {"mode", std::string("cubic")},    {"empty", std::string()},
      {"f32", w.weights(DType::f32, 1)}, {"f16", w.weights(DType::f16, 3)},
      {"f64", w.weights(DType::f64, 2)}, {"bf16", w.weights(DType::bf16, 5)},
      {"i64", w.weights(DType::i64, 4)}, {"i32", w.weights(DType::i32, 1)},
      {"i8", w.weights(DType::i8, 7)},
  };
  const Ref plugin = w.call(creator, "create_plugin",
                            {std::string("Scale"), fields, Symbol{"TensorRTPhase", "BUILD"}});
  const Ref layer =
      w.add("add_plugin_v3", {std::vector<Ref>{x, x}, std::vector<Ref>{size}, plugin});
  w.set(layer, "name", std::string("scale"));
  w.output(layer);
  const Ref old_creator =
      w.call(kRegistry, "get_creator", {std::string("Old"), std::string("1"), std::string()});
  const Ref old_plugin =
      w.call(old_creator, "create_plugin", {std::string("Old"), std::vector<Field>()});
  const Ref old_layer = w.add("add_plugin_v2", {std::vector<Ref>{w.output(layer, 1)}, old_plugin});
  w.run(kNetwork, "mark_output", {w.output(old_layer)});
  return w.script;
}

// ---- Checks ------------------------------------------------------------------------------------

int passed = 0, failed = 0;

void report(const std::string& name, bool good, const std::string& details) {
  ++(good ? passed : failed);
  if (!good) std::cout << "FAILED " << name << '\n' << details << '\n';
}

std::string first_difference(const std::string& expected, const std::string& got) {
  std::istringstream expected_lines(expected), got_lines(got);
  for (std::string want, have; expected_lines || got_lines;) {
    if (!std::getline(expected_lines, want)) want = "(end)";
    if (!std::getline(got_lines, have)) have = "(end)";
    if (want != have) return "  expected " + want + "\n  got      " + have;
  }
  return "";
}

void expect_same_calls(const std::string& name, const Script& script) {
  std::string details;
  try {
    RecordingNetwork recording(script);
    play(script, recording.network(), recording.registry());
    details = first_difference(normalized(in_single_precision(script).to_text()),
                               normalized(recording.text()));
  } catch (const core::Error& error) {
    details = error.what();
  }
  report(name, details.empty(), details);
}

/// Playing throws an error of that kind which contains `words`.
void expect_error(const std::string& name, const std::function<void(Writer&, Ref)>& write,
                  core::ErrorKind kind, const std::string& words) {
  Writer w;
  write(w, w.input("x", DType::f32, {2, 2}));
  RecordingNetwork recording(w.script);
  std::string details = "no error";
  try {
    play(w.script, recording.network(), recording.registry());
  } catch (const core::Error& error) {
    details = error.what();
    if (error.kind() == kind && details.find(words) != details.npos) details.clear();
  }
  report(name, details.empty(), details);
}

void check_errors() {
  using core::ErrorKind;
  expect_error(
      "unknown method", [](Writer& w, Ref x) { w.add("add_magic", {x}); }, ErrorKind::unsupported,
      "`%2 = network.add_magic(%1)`: INetworkDefinition of TensorRT");
  expect_error(
      "unknown attribute", [](Writer& w, Ref x) { w.set(x, "colour", i(1)); },
      ErrorKind::unsupported, "`%1.colour = 1`: ITensor of TensorRT");
  expect_error(
      "unknown member of an enum",
      [](Writer& w, Ref x) { w.add("add_activation", {x, Symbol{"ActivationType", "SWISH"}}); },
      ErrorKind::unsupported, "has no ActivationType.SWISH");
  expect_error(
      "another enum",
      [](Writer& w, Ref x) { w.add("add_activation", {x, Symbol{"UnaryOperation", "EXP"}}); },
      ErrorKind::internal, "UnaryOperation in place of ActivationType");
  expect_error(
      "too few arguments", [](Writer& w, Ref x) { w.add("add_cast", {x}); }, ErrorKind::internal,
      "has 1 arguments, needs 2");
  expect_error(
      "too many arguments", [](Writer& w, Ref x) { w.add("add_shape", {x, x}); },
      ErrorKind::internal, "has 2 arguments, takes 1");
  expect_error(
      "a layer in place of a tensor",
      [](Writer& w, Ref x) { w.add("add_shape", {w.add("add_identity", {x})}); },
      ErrorKind::internal, "%2 is not a tensor");
  expect_error(
      "a type that TensorRT lacks", [](Writer& w, Ref x) { w.add("add_cast", {x, DType::f64}); },
      ErrorKind::unsupported, "TensorRT has no type f64");
  expect_error(
      "another dtype than expected", [](Writer& w, Ref x) { w.set(x, "dtype", DType::b); },
      ErrorKind::unsupported, "its type is FLOAT");
  expect_error(
      "too many dimensions", [](Writer& w, Ref) { w.input("y", DType::f32, Ints(9, 1)); },
      ErrorKind::unsupported, "9 dimensions, TensorRT takes at most 8");
  expect_error(
      "an integer out of range",
      [](Writer& w, Ref x) { w.set(w.add("add_softmax", {x}), "axes", i(-1)); },
      ErrorKind::internal, "-1 is outside of 0..4294967295");
  expect_error(
      "weights of another size",
      [](Writer& w, Ref) { w.add("add_constant", {Ints{3}, w.weights(DType::f32, 2)}); },
      ErrorKind::internal, "the shape has 3 elements, the weights 2");
  const auto create = [](Writer& w, std::vector<Argument> names, std::vector<Argument> arguments) {
    return w.call(w.call(kRegistry, "get_creator", std::move(names)), "create_plugin",
                  std::move(arguments));
  };
  const std::string name = "Scale", version = "1", ns = "mylib";
  const std::vector<Field> none, fails = {{"fails", std::string("yes")}};
  const Symbol phase{"TensorRTPhase", "BUILD"};
  expect_error(
      "an unknown plugin",
      [&](Writer& w, Ref) { create(w, {name, std::string("2"), ns}, {name, none, phase}); },
      ErrorKind::unsupported,
      "no plugin 'Scale' of version '2' in namespace 'mylib' is registered; nearest: 'Scale' of "
      "version '1' in namespace 'mylib'. Load the library that registers it");
  expect_error(
      "a plugin unlike any other",
      [&](Writer& w, Ref) { create(w, {std::string("x"), ns, ns}, {name, none, phase}); },
      ErrorKind::unsupported, "is registered; registered: 'Scale' of version '1' in");
  expect_error(
      "a creator that makes none",
      [&](Writer& w, Ref) { create(w, {name, version, ns}, {name, fails, phase}); },
      ErrorKind::unsupported, "its creator makes no plugin of these fields");
  expect_error(
      "a creator of the later interface",
      [&](Writer& w, Ref) { create(w, {name, version, ns}, {name, none}); }, ErrorKind::unsupported,
      "its creator makes no IPluginV2; add_plugin_v3 takes others");
  expect_error(
      "a creator of the older interface",
      [&](Writer& w, Ref) {
        create(w, {std::string("Old"), version, std::string()}, {name, none, phase});
      },
      ErrorKind::unsupported, "its creator makes no IPluginV3; add_plugin_v2 takes others");
  expect_error(
      "a plugin of the later interface",
      [&](Writer& w, Ref x) {
        const Ref plugin = create(w, {name, version, ns}, {name, none, phase});
        w.add("add_plugin_v2", {std::vector<Ref>{x}, plugin});
      },
      ErrorKind::internal, "is not such a plugin");
  expect_error(
      "an object that no step gave", [](Writer& w, Ref) { w.set(Ref{7}, "axis", i(0)); },
      ErrorKind::internal, "no step gave its object");
}

}  // namespace

core::Blob read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(file)), {});
  const auto* bytes = reinterpret_cast<const std::byte*>(content.data());
  return core::Blob::of({bytes, bytes + content.size()});
}

/// Both players replay one script: what holds of the calls here holds of the Python player's.
void check_networks(const std::filesystem::path& folder) {
  constexpr Version version{NV_TENSORRT_MAJOR, NV_TENSORRT_MINOR};
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const core::Artifact artifact = core::Artifact::from_bytes(read_file(entry.path()));
    const auto& nodes = artifact.network->nodes();
    const bool is_taken = std::all_of(nodes.begin(), nodes.end(), [&](const core::Node& node) {
      return supports(*artifact.network, node, version, /*is_rtx=*/false).yes;
    });
    if (is_taken) expect_same_calls(entry.path().filename(), to_script(*artifact.network, version));
  }
}

int run(int argc, char** argv) {
  expect_same_calls("images", images());
  expect_same_calls("pointwise", pointwise());
  expect_same_calls("layout", layout());
  expect_same_calls("reductions", reductions());
  expect_same_calls("attention", attention());
  expect_same_calls("control flow", control_flow());
  expect_same_calls("plugins", plugins());
  report("plugins are destroyed", RecordingNetwork::plugins() == 0, "  some live on");
#if NV_TENSORRT_MAJOR >= 11
  expect_same_calls("later attention", later_attention());
#else
  expect_error(
      "later method", [](Writer& w, Ref) { w.script = later_attention(); },
      core::ErrorKind::unsupported, "has no method add_attention_v2");
#endif
  check_errors();
  check_engines(report);
  if (argc > 1) check_networks(argv[1]);
  std::cout << passed << " passed, " << failed << " failed\n";
  return failed == 0 ? 0 : 1;
}

}  // namespace torch_tensorrt::tests

int main(int argc, char** argv) { return torch_tensorrt::tests::run(argc, argv); }
