// What docs/testing.md promises of the container's reader, each gate with a planted bug that it
// finds.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <random>
#include <string>

#include "container/golden.h"
#include "container/memory.h"
#include "container/mutate.h"
#include "core/builder.h"
#include "core/bytes.h"
#include "core/error.h"
#include "unit/harness.h"

namespace container {
namespace {

using namespace torch_tensorrt::core;

using Parser = std::function<Artifact(const Blob&)>;

Artifact parse(const Blob& bytes) { return Artifact::from_bytes(bytes); }

/// A planted bug: checksums are made to fit, as a reader would do that does not look at them.
Artifact parse_without_checksums(const Blob& bytes) {
  Bytes sealed(bytes.bytes().begin(), bytes.bytes().end());
  seal(sealed);
  return Artifact::from_bytes(Blob::of(std::move(sealed)));
}

/// A planted bug: takes what the header claims before it looks at what is there.
Artifact parse_trusting_sizes(const Blob& bytes) {
  std::uint64_t claimed = 0;
  if (bytes.size() >= 32) std::memcpy(&claimed, bytes.data() + 24, sizeof claimed);
  const Bytes buffer(std::min<std::uint64_t>(claimed, std::uint64_t{1} << 28));
  return Artifact::from_bytes(bytes);
}

struct Count {
  std::size_t tried = 0, equal = 0, different = 0, unclear = 0;

  /// Parses, and counts what came of it.
  void add(const Parser& parser, const Blob& bytes, const Bytes& golden) {
    ++tried;
    try {
      const bool same = parser(bytes).to_bytes() == golden;
      ++(same ? equal : different);
    } catch (const Error& error) {
      const bool clear = error.kind() == ErrorKind::incompatible &&
                         std::string_view(error.what()).starts_with("engine artifact: ");
      if (!clear) ++unclear;
    }
  }
};

/// All values of every byte, or one other value of each.
Count edit_every_byte(const Parser& parser, bool all_values) {
  Count count;
  for (Bytes bytes : golden_files()) {
    const Bytes golden = bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const auto before = std::to_integer<unsigned>(bytes[i]);
      const unsigned first = all_values ? 1 : 1 + static_cast<unsigned>(i * 37 % 255);
      const unsigned last = all_values ? 255 : first;
      for (unsigned change = first; change <= last; ++change) {
        bytes[i] = static_cast<std::byte>(before ^ change);
        count.add(parser, view(bytes), golden);
      }
      bytes[i] = static_cast<std::byte>(before);
    }
  }
  return count;
}

Count truncate_everywhere(const Parser& parser) {
  Count count;
  for (const Bytes& bytes : golden_files()) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      count.add(parser, view(bytes).slice(0, size), bytes);
    }
  }
  return count;
}

void report(const char* what, const Count& count) {
  std::printf("%s: %zu tried, %zu accepted as equal, %zu as another, %zu refused unclearly\n", what,
              count.tried, count.equal, count.different, count.unclear);
}

TEST(goldens_are_read_as_what_they_were) {
  const std::vector<Bytes> files = golden_files();
  const std::vector<Golden> made = make_goldens();
  CHECK_EQ(files.size(), made.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    CHECK(parse(view(files[i])).to_bytes() == made[i].artifact.to_bytes());
  }
}

TEST(every_one_byte_edit_is_refused_or_equal) {
  const Count count = edit_every_byte(parse, harness::long_run());
  report("one-byte edits", count);
  CHECK_EQ(count.different + count.unclear, 0);
}

TEST(one_byte_edits_find_a_reader_without_checksums) {
  CHECK(edit_every_byte(parse_without_checksums, false).different > 0);
}

TEST(every_truncation_is_refused) {
  const Count count = truncate_everywhere(parse);
  report("truncations", count);
  CHECK_EQ(count.equal + count.different + count.unclear, 0);
}

TEST(truncations_find_a_reader_that_fills_up) {
  const std::size_t whole = golden_files()[0].size();
  const Parser filling = [&](const Blob& bytes) {
    Bytes filled(bytes.bytes().begin(), bytes.bytes().end());
    filled.resize(std::max(whole, filled.size()));
    return Artifact::from_bytes(Blob::of(std::move(filled)));
  };
  CHECK(truncate_everywhere(filling).different + truncate_everywhere(filling).equal > 0);
}

// ---- no changed byte reaches an engine ----

/// Stands for an engine: notes whether the bytes that it gets are the ones that were written.
struct EngineDouble {
  std::size_t changed = 0;

  void load(const Artifact& artifact, const Artifact& golden) {
    for (std::size_t i = 0; i < artifact.plans.size(); ++i) {
      const auto payload = artifact.plans[i].payload.bytes();
      if (!std::ranges::equal(payload, golden.plans.at(i).payload.bytes())) ++changed;
    }
    if (artifact.network && artifact.network->digest() != golden.network->digest()) ++changed;
  }
};

/// Flips one bit behind the table in each of `flips` copies.
std::size_t changed_bytes_at_an_engine(const Parser& parser, std::size_t flips) {
  EngineDouble engine;
  Random random(1);
  std::vector<Bytes> files = golden_files();
  std::vector<Artifact> goldens;
  for (const Bytes& file : files) goldens.push_back(parse(Blob::of(file)));
  for (std::size_t i = 0; i < flips; ++i) {
    const std::size_t which = i % files.size();
    Bytes& bytes = files[which];
    const std::size_t head = kHeader + sections_of(bytes).size() * kEntry + kDigest;
    const std::size_t at = head + random() % (bytes.size() - head);
    const auto bit = static_cast<std::byte>(1u << (random() % 8));
    bytes[at] ^= bit;
    try {
      engine.load(parser(view(bytes)), goldens[which]);
    } catch (const Error&) {  // refused: no engine sees it
    }
    bytes[at] ^= bit;
  }
  return engine.changed;
}

TEST(no_flipped_bit_reaches_an_engine) { CHECK_EQ(changed_bytes_at_an_engine(parse, 10'000), 0); }

TEST(flipped_bits_find_a_reader_without_checksums) {
  CHECK(changed_bytes_at_an_engine(parse_without_checksums, 1'000) > 0);
}

// ---- bounded memory and time ----

struct Hostile {
  std::string name;
  Bytes bytes;
};

std::string repeated(std::string_view part, std::size_t size) {
  std::string out;
  while (out.size() + part.size() <= size) out += part;
  if (!out.empty() && out.back() == ',') out.pop_back();
  return out;
}

Bytes with_manifest(const std::string& manifest) {
  return forge({{kManifest, 1, 8, bytes_of(manifest)}});
}

/// A golden file with another network.
Bytes with_structure(const ByteWriter& structure) {
  std::vector<Section> sections = sections_of(golden_files()[0]);
  sections[1].content.assign(structure.bytes().begin(), structure.bytes().end());
  return forge(sections);
}

/// Writes networks by hand, node after node.
class Structure {
 public:
  explicit Structure(const std::vector<std::string>& strings) {
    number(strings.size());
    for (const std::string& s : strings) {
      number(s.size());
      out_.text(s);
    }
  }
  void number(std::size_t n) { out_.number(static_cast<std::uint32_t>(n)); }
  void wide(std::uint64_t n) { out_.number(n); }
  void byte(std::uint8_t n) { out_.number(n); }
  void repeat(std::size_t times, const std::function<void(Structure&, std::size_t)>& node) {
    for (std::size_t i = 0; i < times; ++i) node(*this, i);
  }
  Bytes container() const { return with_structure(out_); }

 private:
  ByteWriter out_;
};

/// Strings of all structures below, by index.
enum Name : std::uint32_t {
  constant,
  value,
  f32,
  long_name,
  identity,
  i64,
  unary,
  op,
  neg,
  split,
  axis,
  sizes,
  concat
};
std::vector<std::string> names(std::size_t long_size = 1) {
  return {"constant", "value", "f32",   std::string(long_size, 'x'),
          "identity", "i64",   "unary", "op",
          "neg",      "split", "axis",  "sizes",
          "concat"};
}

void put_constant(Structure& s, std::uint32_t scope, std::size_t elements) {
  s.number(constant);
  s.number(0);  // operands
  s.number(1);  // result types
  s.number(i64);
  s.number(1);
  s.byte(0);
  s.wide(elements);
  s.number(scope);
  s.number(scope);
  s.number(1);  // attributes
  s.number(value);
  s.wide(4 + 4 + 8 + 1 + 4 + 8 * elements);
  s.number(i64);
  s.number(1);
  s.wide(elements);
  s.byte(1);
  s.number(8 * elements);
  for (std::size_t i = 0; i < elements; ++i) s.wide(i);
}

/// One long string that every node names as its place.
Bytes string_bomb() {
  Structure s(names(1 << 20));
  constexpr std::size_t kNodes = 5000;
  s.number(kNodes);
  s.repeat(kNodes, [](Structure& t, std::size_t) { put_constant(t, long_name, 1); });
  s.number(0);
  return s.container();
}

/// Nodes of few bytes with results that the host knows element by element.
Bytes content_bomb() {
  Structure s(names());
  constexpr std::size_t kNodes = 200'000;
  s.number(1 + kNodes);
  put_constant(s, long_name, 64);
  s.repeat(kNodes, [](Structure& t, std::size_t) {
    t.number(unary);
    t.number(1);
    t.number(0);
    t.number(1);
    t.number(i64);
    t.number(1);
    t.byte(0);
    t.wide(64);
    t.number(long_name);
    t.number(long_name);
    t.number(1);
    t.number(op);
    t.wide(4);
    t.number(neg);
  });
  s.number(0);
  return s.container();
}

/// A layer with a result for each of its sizes.
Bytes split_bomb() {
  Structure s(names());
  constexpr std::size_t kParts = 300'000;
  s.number(2);
  put_constant(s, long_name, 1);
  s.number(split);
  s.number(1);
  s.number(0);
  s.number(0);
  s.number(long_name);
  s.number(long_name);
  s.number(2);
  s.number(axis);
  s.wide(8);
  s.wide(0);
  s.number(sizes);
  s.wide(4 + 8 * kParts);
  s.number(kParts);
  s.wide(1);
  for (std::size_t i = 1; i < kParts; ++i) s.wide(0);
  s.number(0);
  return s.container();
}

/// A layer that takes one value again and again.
Bytes operand_bomb() {
  Structure s(names());
  constexpr std::size_t kOperands = 4'000'000;
  s.number(2);
  put_constant(s, long_name, 1);
  s.number(concat);
  s.number(kOperands);
  s.repeat(kOperands, [](Structure& t, std::size_t) { t.number(0); });
  s.number(1);
  s.number(i64);
  s.number(1);
  s.byte(0);
  s.wide(kOperands);
  s.number(long_name);
  s.number(long_name);
  s.number(1);
  s.number(axis);
  s.wide(8);
  s.wide(0);
  s.number(0);
  return s.container();
}

/// Very many outputs, each with a name of its own.
Bytes output_bomb() {
  constexpr std::size_t kOutputs = 400'000;
  std::vector<std::string> strings = names();
  const std::size_t first = strings.size();
  for (std::size_t i = 0; i < kOutputs; ++i) strings.push_back(std::to_string(i));
  Structure s(strings);
  s.number(1);
  put_constant(s, long_name, 1);
  s.number(kOutputs);
  s.repeat(kOutputs, [&](Structure& t, std::size_t i) {
    t.number(0);
    t.number(first + i);
  });
  return s.container();
}

std::vector<Hostile> hostile_containers() {
  constexpr std::size_t kMost = (std::size_t{1} << 20) - 200;
  std::vector<Hostile> out;
  out.push_back({"a long string at every node", string_bomb()});
  out.push_back({"many known elements", content_bomb()});
  out.push_back({"a layer of many results", split_bomb()});
  out.push_back({"many operands", operand_bomb()});
  out.push_back({"many outputs", output_bomb()});
  out.push_back({"a manifest of lists", with_manifest('[' + repeated("[],", kMost) + ']')});
  out.push_back({"a manifest of numbers", with_manifest('[' + repeated("0,", kMost) + ']')});
  out.push_back({"a manifest of objects", with_manifest('[' + repeated("{\"\":0},", kMost) + ']')});
  out.push_back({"a manifest of depth", with_manifest(repeated("[", kMost))});
  std::string keys = "{";
  for (std::size_t i = 0; keys.size() < kMost; ++i) keys += '"' + std::to_string(i) + "\":0,";
  keys.back() = '}';
  out.push_back({"a manifest of keys", with_manifest(keys)});
  for (std::size_t i = 0; const Bytes& golden : golden_files()) {
    for (const std::size_t offset : {20, 24, 32, 64 + 8, 64 + 16}) {
      Bytes bytes = golden;
      const std::uint64_t huge = std::uint64_t{1} << 40;
      std::memcpy(bytes.data() + offset, &huge, offset == 20 ? 4 : 8);
      seal(bytes);
      out.push_back(
          {"golden " + std::to_string(i) + " with a huge number at " + std::to_string(offset),
           std::move(bytes)});
    }
    ++i;
  }
  return out;
}

/// The names of those that took more than their own size and 64 MB, or more than two seconds.
std::vector<std::string> over_the_limits(const Parser& parser) {
  std::vector<std::string> over;
  for (const Hostile& hostile : hostile_containers()) {
    const auto start = std::chrono::steady_clock::now();
    const MemoryPeak peak;
    try {
      (void)parser(view(hostile.bytes));
    } catch (const Error&) {  // as it should be; some are only large
    } catch (const std::bad_alloc&) {
      over.push_back(hostile.name);
    }
    const std::size_t bytes = peak.bytes();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("%-45s %9zu bytes: %9zu on the heap, %.2f s\n", hostile.name.c_str(),
                hostile.bytes.size(), bytes, seconds.count());
    if (bytes > hostile.bytes.size() + (std::size_t{64} << 20) || seconds.count() > 2) {
      over.push_back(hostile.name);
    }
  }
  return over;
}

TEST(hostile_containers_take_bounded_memory_and_time) {
  CHECK_EQ(over_the_limits(parse), std::vector<std::string>{});
}

TEST(memory_limit_finds_a_reader_that_trusts_sizes) {
  CHECK(!over_the_limits(parse_trusting_sizes).empty());
}

// ---- mutants ----

std::size_t broken_promises(std::size_t count, const std::function<bool(const Bytes&)>& check) {
  Random random(7);
  std::vector<Bytes> corpus = seeds();
  const std::size_t whole = corpus.size();
  std::size_t broken = 0, accepted = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Bytes mutant = mutate(corpus[random() % corpus.size()], random);
    try {
      if (!check(mutant)) continue;
      ++accepted;
      // Damage upon damage goes deeper; the seeds stay whole.
      if (corpus.size() < 2 * whole) {
        corpus.push_back(std::move(mutant));
      } else {
        corpus[whole + random() % whole] = std::move(mutant);
      }
    } catch (const std::exception& error) {
      if (++broken <= 5) std::printf("mutant %zu: %s\n", i, error.what());
    }
  }
  std::printf("mutants: %zu tried, %zu accepted, %zu broken promises\n", count, accepted, broken);
  return broken;
}

TEST(mutants_are_refused_or_sound) {
  CHECK_EQ(broken_promises(harness::long_run() ? 2'000'000 : 20'000,
                           [](const Bytes& bytes) { return parses_as_promised(bytes); }),
           0);
}

TEST(mutants_find_a_reader_that_ends_on_a_bad_index) {
  const auto check = [](const Bytes& bytes) {
    const std::vector<Section> sections = sections_of(bytes);
    return sections.at(0).content.at(300) == std::byte{0};
  };
  CHECK(broken_promises(2'000, check) > 0);
}

}  // namespace
}  // namespace container
