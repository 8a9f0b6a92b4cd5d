#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include "core/artifact.h"
#include "core/builder.h"
#include "examples.h"
#include "harness.h"

namespace {

using namespace torch_tensorrt::core;

/// Data of all constants and fields of plugins, by digest.
void collect(const Network& network, std::map<std::string, Blob>& out) {
  const auto add = [&](const Tensor* tensor) {
    if (tensor != nullptr) out[to_hex(sha256(tensor->bytes.bytes()))] = tensor->bytes;
  };
  for (const Node& node : network.nodes()) {
    if (const auto* constant = std::get_if<Constant>(&node.layer)) add(&constant->value);
    const auto* plugin = std::get_if<Plugin>(&node.layer);
    if (plugin == nullptr) continue;
    for (const PluginField& field : plugin->fields) add(std::get_if<Tensor>(&field.value));
  }
}

TEST(text_is_one_line_per_layer) {
  Network network;
  NetworkBuilder net(network);
  const Value x = net.input("x", {DType::f32, {Extent::range(1, 4, 8), 1000}});
  net.set_origin({"head.softmax", "model.py:41"});
  network.mark_output(net.softmax(x, 1).id(), "probabilities");
  CHECK_EQ(network.to_text(),
           "network {\n"
           "  %0: f32[1..4..8, 1000] = input() {name=\"x\", type=f32[1..4..8, 1000], host=false, "
           "content=[]}\n"
           "  %1: f32[1..4..8, 1000] = softmax(%0) {axis=1}  # head.softmax  model.py:41\n"
           "  return %1 \"probabilities\"\n"
           "}\n");
}

TEST(text_round_trip_of_every_kind) {
  for (const auto& example : examples::every_kind()) {
    std::map<std::string, Blob> weights;
    collect(example.network, weights);
    const std::string text = example.network.to_text();
    const Network parsed = Network::parse(
        text, [&](std::string_view digest) { return weights.at(std::string(digest)); });
    CHECK_EQ(parsed.to_text(), text);
    CHECK_EQ(parsed.digest(), example.network.digest());
    parsed.verify();
  }
}

TEST(text_floats_are_exact) {
  const std::vector<float> values = {0.1f,
                                     -0.0f,
                                     std::numeric_limits<float>::denorm_min(),
                                     std::numeric_limits<float>::infinity(),
                                     std::nanf("5"),
                                     16777217.f};
  const auto bytes = std::as_bytes(std::span(values));
  Network network;
  NetworkBuilder net(network);
  network.mark_output(net.constant({DType::f32, {6}, Blob::of({bytes.begin(), bytes.end()})}).id(),
                      "y");
  const Network parsed = Network::parse(network.to_text());
  CHECK(std::memcmp(parsed.constant(0)->bytes.data(), values.data(), bytes.size()) == 0);
}

TEST(text_origins_with_odd_characters) {
  for (const Origin& origin : {Origin{"a  b\n#", " x"}, Origin{"", "model.py:1"}, Origin{"-", "-"},
                               Origin{"s\\x41", ""}}) {
    Network network;
    NetworkBuilder net(network);
    net.set_origin(origin);
    const Value x = net.input("x", {DType::f32, {2}});
    network.mark_output(net.one(NonZero{}, {x}).id(), "y");
    const Network parsed = Network::parse(network.to_text());
    CHECK(parsed.nodes()[1].origin == origin);
  }
}

TEST(text_by_hand_may_leave_defaults_out) {
  const Network network = Network::parse(
      "# a comment\n"
      "network {\n"
      "  # another\n"
      "  %10: f32[2] = input() {name=\"x\", type=f32[2]}\n"
      "  %20: f32[2] = softmax(%10)  # head  model.py:1\n"
      "  return %20 \"y\"\n"
      "}");
  CHECK_EQ(network.outputs().front(), 1);
  CHECK(network.nodes()[1].origin == (Origin{"head", "model.py:1"}));
}

TEST(text_errors_name_the_line) {
  const auto parse = [](const std::string& body) {
    return Network::parse("network {\n" + body + "}\n");
  };
  const std::string input = "  %5: f32[2, 3] = input() {name=\"x\", type=f32[2, 3]}\n";
  CHECK_EQ(parse(input + "return %5 \"y\"").outputs().size(), 1);
  CHECK_THROWS(parse(input + "%6: f32[2, 3] = soft(%5)\n return"),
               "line 3: 'soft' is no layer kind");
  CHECK_THROWS(parse(input + "%6: f32[2, 4] = softmax(%5) {axis=1}\n return"),
               "line 3: %6 is f32[2, 3], the text says f32[2, 4]");
  CHECK_THROWS(parse(input + "%6: f32[2, 3] = softmax(%5) {axis=2}\n return"),
               "line 3: softmax C2");
  CHECK_THROWS(parse(input + "%6: f32[2, 3] = softmax(%4)\n return"), "%4 is not defined");
  CHECK_THROWS(parse(input + "%6: f32[2, 3] = softmax(%5) {axes=1}\n return"),
               "no attribute 'axes'");
  CHECK_THROWS(parse(input + "%6: f32[2, 3] = unary(%5) {op=expp}\n return"),
               "unknown name 'expp'");
  CHECK_THROWS(parse("  %0: f32[20] = constant() {value=f32[20] data=sha256:00}\n return"),
               "no weights were given");
  CHECK_THROWS(parse("  %0: f32[2] = constant() {value=f32[2] data=[1]}\n return"), "constant C1");
  CHECK_THROWS(parse(input + "  return %5 \"y"), "a string has no end");
  CHECK_THROWS(Network::parse(""), "line 1: found the end, expected 'network'");
}

TEST(text_is_cut_anywhere_without_harm) {
  const auto example = examples::every_kind();
  for (const auto& e : example) {
    const std::string text = e.network.to_text();
    for (std::size_t size = 0; size + 2 < text.size(); size += 3) {
      CHECK_THROWS(Network::parse(text.substr(0, size)), "");
    }
  }
}

}  // namespace
