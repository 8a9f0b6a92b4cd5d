#include "core/artifact.h"

#include <cstring>

#include "container/forge.h"
#include "core/builder.h"
#include "core/error.h"
#include "unit/examples.h"
#include "unit/harness.h"

namespace {

using namespace torch_tensorrt::core;

Blob blob(std::string_view s) {
  const auto bytes = std::as_bytes(std::span(s));
  return Blob::of({bytes.begin(), bytes.end()});
}

Artifact sample() {
  Artifact artifact;
  artifact.name = "forward_engine_0";
  artifact.producer = "torch_tensorrt 0.1.0";
  artifact.preferred_engine = "openvino";
  Network network;
  NetworkBuilder net(network);
  const Value x = net.input("x", {DType::f32, {Extent::range(1, 4, 8), 40}});
  const Blob weight = Blob::of(std::vector<std::byte>(40 * 40 * 4, std::byte{1}));
  const Value w = net.constant({DType::f32, {40, 40}, weight});
  const Value again = net.constant(
      {DType::f32, {40, 40}, Blob::of({weight.bytes().begin(), weight.bytes().end()})});
  const Value b =
      net.constant({DType::f32, {1, 40}, Blob::of(std::vector<std::byte>(160, std::byte{2}))});
  network.mark_output((net.matmul(net.matmul(x, w), again) + b).id(), "y");
  artifact.inputs = {{"x", x.type(), false}};
  artifact.outputs = {{"y", network.type(network.outputs()[0]), false}};
  artifact.network = std::move(network);
  artifact.plans = {{"openvino", "2026.4.1", "avx512", blob("a built engine")},
                    {"reference", "1", "cpu", {}}};
  return artifact;
}

TEST(binary_round_trip_of_every_kind) {
  for (const auto& example : examples::every_kind()) {
    const Network::Binary binary = example.network.to_binary();
    const Network read = Network::from_binary(binary.structure, binary.weights);
    CHECK_EQ(read.to_text(), example.network.to_text());
    CHECK_EQ(read.digest(), example.network.digest());
    CHECK(read.to_binary().structure == binary.structure);
  }
}

TEST(binary_is_cut_or_changed_without_harm) {
  for (const auto& example : examples::every_kind()) {
    Network::Binary binary = example.network.to_binary();
    const std::span<const std::byte> whole(binary.structure);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CHECK_THROWS(Network::from_binary(whole.first(size), binary.weights), "network structure: ");
    }
    for (std::size_t i = 0; i < binary.structure.size(); ++i) {
      const std::byte before = binary.structure[i];
      for (const int mask : {1, 0x80, 0xff}) {
        binary.structure[i] = before ^ static_cast<std::byte>(mask);
        try {  // a change may give another valid network; it must never do anything else
          Network::from_binary(binary.structure, binary.weights).verify();
        } catch (const Error& error) {
          CHECK(error.kind() == ErrorKind::incompatible);
        }
      }
      binary.structure[i] = before;
    }
  }
}

TEST(digest_leaves_names_and_origins_out) {
  const auto make = [](std::string name, Origin origin, double factor) {
    Network network;
    NetworkBuilder net(network);
    net.set_origin(std::move(origin));
    const Value x = net.input(name, {DType::f32, {2}});
    network.mark_output((x * factor).id(), name + "_out");
    return network.digest();
  };
  CHECK_EQ(make("x", {"a", "b"}, 2), make("other", {}, 2));
  CHECK(make("x", {}, 2) != make("x", {}, 3));
}

TEST(artifact_round_trip) {
  const Artifact artifact = sample();
  const std::vector<std::byte> bytes = artifact.to_bytes();
  CHECK(bytes == artifact.to_bytes());
  const Blob file = Blob::of(bytes);
  const Artifact read = Artifact::from_bytes(file);
  CHECK_EQ(read.name, "forward_engine_0");
  CHECK_EQ(read.preferred_engine, "openvino");
  CHECK(read.inputs == artifact.inputs);
  CHECK(read.outputs == artifact.outputs);
  CHECK_EQ(read.network->to_text(), artifact.network->to_text());
  CHECK_EQ(read.plans.size(), 2);
  CHECK_EQ(read.plans[0].device, "avx512");
  CHECK_EQ(read.plans[0].payload.size(), 14);
  CHECK(read.plans[1].payload.empty());
  CHECK(read.to_bytes() == bytes);
}

TEST(artifact_remembers_what_runs_between_engines) {
  Artifact artifact = sample();
  CHECK(!Artifact::from_bytes(Blob::of(artifact.to_bytes())).alternates);
  artifact.alternates = true;
  const container::Bytes bytes = artifact.to_bytes();
  CHECK(Artifact::from_bytes(Blob::of(bytes)).alternates);
  auto sections = container::sections_of(bytes);
  for (auto& section : sections) {
    if (section.kind != container::kManifest) continue;
    std::string text(reinterpret_cast<const char*>(section.content.data()), section.content.size());
    text.replace(text.find("\"alternates\":true") + 13, 4, "null");
    section.content = container::bytes_of(text);
  }
  CHECK_THROWS(Artifact::from_bytes(Blob::of(container::forge(sections))),
               "manifest has alternates null, expected true or no such key");
}

TEST(artifact_weights_are_views_stored_once) {
  const Blob file = Blob::of(sample().to_bytes());
  const Artifact read = Artifact::from_bytes(file);
  const std::byte* first = nullptr;
  for (const Node& node : read.network->nodes()) {
    const auto* constant = std::get_if<Constant>(&node.layer);
    if (constant == nullptr) continue;
    const std::byte* data = constant->value.bytes.data();
    CHECK(file.data() <= data && data < file.data() + file.size());
    CHECK_EQ((data - file.data()) % 64, 0);
    if (constant->value.dims[0] == 40 && first == nullptr) {
      first = data;
    } else if (constant->value.dims[0] == 40) {
      CHECK(first == data);
    }
  }
  CHECK_EQ(read.network->to_binary().weights.size(), 2);
}

TEST(artifact_without_network) {
  Artifact artifact = sample();
  artifact.network.reset();
  const Artifact read = Artifact::from_bytes(Blob::of(artifact.to_bytes()));
  CHECK(!read.network.has_value());
  CHECK_EQ(read.plans.size(), 2);
}

TEST(artifact_of_very_many_layers_is_read) {
  Artifact artifact = sample();
  Network network;
  NetworkBuilder net(network);
  net.set_origin({"decoder.layers.17.attention.projection", "/home/user/project/model.py:1234"});
  Value x = net.input("x", artifact.inputs[0].type);
  for (int i = 0; i < 20'000; ++i) x = net.unary(UnaryOp::neg, x);
  network.mark_output(x.id(), "y");
  artifact.network = std::move(network);
  const Artifact read = Artifact::from_bytes(Blob::of(artifact.to_bytes()));
  CHECK_EQ(read.network->layer_count(), 20'000);
}

TEST(artifact_ends_fit_the_network) {
  Artifact artifact = sample();
  artifact.inputs[0].type.dims[1] = 41;
  CHECK_THROWS(artifact.to_bytes(), "artifact lists inputs 'x' as f32[1..4..8, 41]");
}

TEST(artifact_with_more_behind_it_is_refused) {
  std::vector<std::byte> longer = sample().to_bytes();
  longer.push_back(std::byte{0});
  CHECK_THROWS(Artifact::from_bytes(Blob::of(longer)), "total length at offset 24");
}

/// The sample with `value` at `offset` of header or table. All checks match again.
template <typename T>
Blob forged(std::size_t offset, T value) {
  std::vector<std::byte> bytes = sample().to_bytes();
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  container::seal(bytes);
  return Blob::of(std::move(bytes));
}

constexpr std::size_t entry(std::size_t index) { return 64 + index * 72; }

TEST(artifact_of_other_versions) {
  CHECK_EQ(Artifact::from_bytes(forged(10, std::uint16_t{7})).name, "forward_engine_0");
  CHECK_THROWS(Artifact::from_bytes(forged(8, std::uint16_t{2})),
               "format version at offset 8 is 2, expected 1");
  CHECK_THROWS(Artifact::from_bytes(forged(16, std::uint32_t{1})),
               "flags at offset 16 is 1, expected 0");
  CHECK_THROWS(Artifact::from_bytes(forged(40, std::uint8_t{1})), "reserved bytes at offset 40");
  CHECK_THROWS(Artifact::from_bytes(forged(20, std::uint32_t{5000})), "section count is 5000");
}

TEST(artifact_with_a_forged_table_is_refused) {
  const auto read = [](const Blob& bytes) { return Artifact::from_bytes(bytes); };
  CHECK_THROWS(read(forged(entry(4), std::uint32_t{99})), "section kind 99");
  // Not critical: passed over, so that only the manifest misses its plan.
  CHECK_THROWS(read(forged(entry(4), std::uint64_t{99})), "1 plan sections, expected 2");
  CHECK_THROWS(read(forged(entry(4) + 4, std::uint32_t{2})), "unknown flags");
  CHECK_THROWS(read(forged(entry(1), std::uint32_t{1})), "out of order or occurs twice");
  CHECK_THROWS(read(forged(entry(0) + 8, std::uint64_t{1} << 63)),
               "section at offset 9223372036854775808");
  CHECK_THROWS(read(forged(entry(0) + 32, std::uint32_t{24})), "unknown flags, sizes or alignment");
  CHECK_THROWS(read(forged(entry(0) + 16, ~std::uint64_t{0})), "unknown flags, sizes or alignment");
  std::vector<std::byte> bytes = sample().to_bytes();
  bytes[entry(5) + container::kDigest] ^= std::byte{1};  // the manifest's first
  CHECK_THROWS(read(Blob::of(bytes)), "digest of the section at offset 456");
}

TEST(artifact_that_is_something_else) {
  CHECK_THROWS(Artifact::from_bytes(
                   blob("another file, long enough to be looked at" + std::string(64, ' '))),
               "no magic number at offset 0");
  CHECK_THROWS(Artifact::from_bytes(Blob()), "truncated at offset 0");
}

TEST(artifact_names_are_limited) {
  Artifact artifact = sample();
  artifact.inputs[0].name = std::string(1025, 'x');
  CHECK_THROWS(artifact.to_bytes(), "a name in inputs has 1025 bytes");
  artifact.inputs[0].name = "\xff";
  CHECK_THROWS(artifact.to_bytes(), "not UTF-8");
}

TEST(sha256_of_known_texts) {
  const auto digest = [](std::string_view s) {
    return to_hex(sha256(std::as_bytes(std::span(s))));
  };
  CHECK_EQ(digest(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK_EQ(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK_EQ(digest(std::string(1000, 'a')),
           "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3");
}

}  // namespace
