// The cache of compiled engines: what is found is what was put, whatever became of the files, and
// no two computations share a key.

#include "core/engine_cache.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "container/forge.h"
#include "container/mutate.h"
#include "container/scratch.h"
#include "core/builder.h"
#include "core/files.h"
#include "core/log.h"
#include "unit/harness.h"

namespace container {
namespace {

using namespace torch_tensorrt::core;
namespace fs = std::filesystem;

/// Warnings are expected here by the thousand.
class Silence {
 public:
  Silence() : before_(reportable_log_level()) { set_reportable_log_level(LogLevel::error); }
  ~Silence() { set_reportable_log_level(before_); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  LogLevel before_;
};

Bytes content_of(const std::string& key) {
  Bytes out;
  for (int i = 0; i < 300; ++i) {
    const Bytes part = bytes_of(key + std::to_string(i));
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

bool holds(const std::optional<Blob>& found, const Bytes& expected) {
  return found && std::ranges::equal(found->bytes(), expected);
}

fs::path file_of(const fs::path& folder, const std::string& key) {
  return folder / (key + ".engine");
}

void overwrite(const fs::path& path, const Bytes& bytes) {
  fs::remove_all(path);
  write_atomically(path, [&](std::ostream& out) {
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
  });
}

/// Something else in the place of an entry; `kind` chooses what.
void spoil(const fs::path& path, const fs::path& other, std::size_t kind, Random& random) {
  Bytes bytes = read_file(path);
  switch (kind % 9) {
    case 0:  // one bit
      bytes[random() % bytes.size()] ^= static_cast<std::byte>(1u << (random() % 8));
      return overwrite(path, bytes);
    case 1:
      bytes.resize(random() % bytes.size());
      return overwrite(path, bytes);
    case 2:
      return overwrite(path, {});
    case 3:
      bytes.insert(bytes.end(), 1 + random() % 100, std::byte{0});
      return overwrite(path, bytes);
    case 4: {
      const Bytes before = bytes;
      while (bytes == before) mutate_bytes(bytes, random);
      return overwrite(path, bytes);
    }
    case 5:  // another entry, whole
      return overwrite(path, read_file(other));
    case 6:
      fs::remove(path);
      fs::create_directories(path / "inside");
      return;
    case 7:
      fs::remove(path);
      return fs::create_symlink(other, path);
    default:
      fs::remove(path);
      ::mkfifo(path.c_str(), 0600);
  }
}

struct Outcome {
  int rebuilt = 0, wrong = 0, errors = 0;
};

/// What a cache's reader hands out; a test plants another.
using Find = std::function<std::optional<Blob>(const EngineCache&, const std::string&)>;

Outcome use_spoiled_entries(const Find& find, int count) {
  const Silence silence;
  const Scratch scratch;
  const EngineCache cache(scratch.folder());
  Random random(5);
  Outcome out;
  cache.put("other", content_of("other"));
  for (int i = 0; i < count; ++i) {
    try {
      const std::string key = "openvino-" + std::to_string(i % 7);
      cache.put(key, content_of(key));
      spoil(file_of(scratch.folder(), key), file_of(scratch.folder(), "other"),
            static_cast<std::size_t>(i), random);
      const auto found = find(cache, key);
      if (found) {
        out.wrong += !holds(found, content_of(key));
        continue;
      }
      cache.put(key, content_of(key));
      out.rebuilt += holds(cache.find(key), content_of(key));
    } catch (const std::exception& error) {
      if (++out.errors == 1) std::printf("%s\n", error.what());
    }
  }
  std::printf("spoiled entries: %d rebuilt, %d wrong, %d errors\n", out.rebuilt, out.wrong,
              out.errors);
  return out;
}

TEST(spoiled_entries_are_built_again) {
  const Outcome out = use_spoiled_entries(
      [](const EngineCache& cache, const std::string& key) { return cache.find(key); }, 1'000);
  CHECK_EQ(out.rebuilt, 1'000);
  CHECK_EQ(out.wrong + out.errors, 0);
}

TEST(spoiled_entries_find_a_reader_without_checksums) {
  const Find trusting = [](const EngineCache& cache,
                           const std::string& key) -> std::optional<Blob> {
    const fs::path path = file_of(cache.folder(), key);
    if (!fs::is_regular_file(fs::symlink_status(path))) return std::nullopt;
    Bytes bytes = read_file(path);
    if (bytes.size() < 48) return std::nullopt;
    return Blob::of({bytes.begin() + 48, bytes.end()});
  };
  CHECK(use_spoiled_entries(trusting, 50).wrong > 0);
}

// ---- several processes ----

/// Processes that put, find and remove the same keys for a while; the sum of what they found wrong.
int wrong_in_processes(const Find& find,
                       const std::function<void(const EngineCache&, const std::string&)>& put) {
  const Scratch scratch;
  std::vector<pid_t> children;
  for (unsigned seed = 0; seed < 4; ++seed) {
    children.push_back(in_child([&] {
      set_reportable_log_level(LogLevel::internal_error);
      const EngineCache cache(scratch.folder());
      Random random(seed);
      int wrong = 0;
      const int turns = harness::long_run() ? 20'000 : 1'000;
      for (int i = 0; i < turns; ++i) {
        const std::string key = "openvino-" + std::to_string(random() % 50);
        if (const auto found = find(cache, key)) {
          wrong += !holds(found, content_of(key));
        } else {
          put(cache, key);
        }
        if (random() % 5 == 0) cache.remove(key);
      }
      return std::min(wrong, 98);
    }));
  }
  int wrong = 0;
  for (const pid_t child : children) wrong += wait_for(child);
  return wrong;
}

std::optional<Blob> find_in(const EngineCache& cache, const std::string& key) {
  return cache.find(key);
}

TEST(processes_that_share_a_cache_find_nothing_wrong) {
  CHECK_EQ(
      wrong_in_processes(find_in, [](const EngineCache& cache,
                                     const std::string& key) { cache.put(key, content_of(key)); }),
      0);
}

TEST(processes_find_a_cache_that_mixes_keys_up) {
  CHECK(wrong_in_processes(find_in, [](const EngineCache& cache, const std::string& key) {
          cache.put(key, content_of(key == "openvino-7" ? "openvino-8" : key));
        }) > 0);
}

// ---- whose folder ----

TEST(the_folder_is_its_owners_alone) {
  const Silence silence;
  const Scratch scratch;
  const EngineCache cache(scratch.folder() / "made" / "here");
  cache.put("key", bytes_of("content"));
  const auto mode = [](const fs::path& path) {
    return static_cast<unsigned>(fs::status(path).permissions());
  };
  CHECK_EQ(mode(cache.folder()), 0700u);
  CHECK_EQ(mode(file_of(cache.folder(), "key")), 0600u);
  CHECK(cache.find("key").has_value());
  for (const auto open : {fs::perms::group_write, fs::perms::others_write}) {
    fs::permissions(cache.folder(), fs::perms::owner_all | open);
    CHECK(!cache.find("key").has_value());
    CHECK(cache.refusal().find("may be written to by others") != std::string::npos);
    fs::permissions(cache.folder(), fs::perms::owner_all);
  }
  CHECK(cache.refusal().empty());
}

TEST(the_folder_of_another_user_is_not_used) {
  if (::geteuid() != 0) SKIP("only root can give a folder away");
  const Silence silence;
  const Scratch scratch;
  const EngineCache cache(scratch.folder());
  cache.put("key", bytes_of("content"));
  CHECK(cache.find("key").has_value());
  CHECK_EQ(::chown(scratch.folder().c_str(), 12345, 12345), 0);
  CHECK(!cache.find("key").has_value());
  CHECK(cache.refusal().find("belongs to user 12345") != std::string::npos);
}

TEST(keys_lead_nowhere_else) {
  const Scratch scratch;
  const EngineCache cache(scratch.folder() / "cache");
  for (const char* key : {"../outside", "", "a/b", ".", "A"}) {
    cache.put(key, bytes_of("content"));
    CHECK(!cache.find(key).has_value());
    CHECK(!cache.remove(key));
  }
  CHECK(fs::is_empty(scratch.folder()));
}

TEST(a_folder_that_cannot_be_made_costs_only_the_cache) {
  const Silence silence;
  const EngineCache cache("/proc/none/cache");
  cache.put("key", bytes_of("content"));
  CHECK(!cache.find("key").has_value());
  CHECK(cache.entries().empty());
}

TEST(the_least_recently_used_entries_make_room) {
  const Scratch scratch;
  const EngineCache cache(scratch.folder(), 4'000);
  const auto age = [&](const std::string& key, int hours) {
    fs::last_write_time(file_of(scratch.folder(), key),
                        fs::file_time_type::clock::now() - std::chrono::hours(hours));
  };
  for (const char* key : {"a", "b", "c"}) cache.put(key, Bytes(1'000));
  age("a", 3);
  age("b", 2);
  age("c", 1);
  CHECK(cache.find("a").has_value());
  cache.put("d", Bytes(1'500));
  std::set<std::string> keys;
  for (const auto& entry : cache.entries()) keys.insert(entry.key);
  CHECK_EQ(keys, std::set<std::string>{"a", "c", "d"});
}

TEST(what_a_killed_process_left_behind_goes) {
  const Scratch scratch;
  const EngineCache cache(scratch.folder());
  const fs::path old = scratch.folder() / "a.engine.unfinished-1",
                 young = scratch.folder() / "a.engine.unfinished-2";
  overwrite(old, bytes_of("x"));
  overwrite(young, bytes_of("x"));
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(2));
  cache.put("key", bytes_of("content"));
  CHECK(!fs::exists(old));
  CHECK(fs::exists(young));
  CHECK_EQ(cache.entries().size(), 1);
}

// ---- keys ----

TEST(builds_of_an_engine_are_told_apart) {
  const auto digits = [](const std::string& id) {
    return std::ranges::all_of(id, [](unsigned char digit) { return std::isxdigit(digit) != 0; });
  };
  const std::string ours = build_id(reinterpret_cast<const void*>(&bytes_of));
  CHECK_EQ(ours.size(), 40);
  CHECK(digits(ours));
  // The same of any place in it, and not that of another library, by a function that no sanitizer
  // replaces.
  CHECK_EQ(build_id(reinterpret_cast<const void*>(&engine_cache_key)), ours);
  CHECK(build_id(reinterpret_cast<const void*>(&std::srand)) != ours);
  const int on_the_stack = 0;
  CHECK_EQ(build_id(&on_the_stack), "");
}

using Circumstances = std::vector<std::string>;
using Key = std::function<std::string(const Network&, const Circumstances&)>;

std::string key_of(const Network& network, const Circumstances& circumstances) {
  return engine_cache_key("openvino", network, circumstances);
}

/// Everything that a computation is made of, chosen at random from small ranges, so that many
/// differ in one thing alone.
struct Choice {
  std::array<std::size_t, 10> at{};
  friend auto operator<=>(const Choice&, const Choice&) = default;

  /// Another one that differs in one thing, or in none.
  Choice mutant(Random& random) const {
    Choice out = *this;
    out.at[random() % out.at.size()] = random() % 4;
    return out.canonical();
  }

  Network network(const std::string& input) const {
    Network network;
    NetworkBuilder net(network);
    const auto rows = static_cast<std::int64_t>(2 + at[0]);
    const Extent batch =
        at[1] == 0 ? Extent(4) : Extent::range(1, 4, 4 + static_cast<std::int64_t>(at[1]));
    const DType dtype = std::array{DType::f32, DType::f16, DType::bf16, DType::f64}[at[2]];
    const Value x = net.input(input, {dtype, {batch, rows}});
    Bytes weight(static_cast<std::size_t>(rows) * 16 * 8, std::byte{1});
    weight.resize(static_cast<std::size_t>(rows) * 16 * size_of(dtype));
    weight[at[3]] = std::byte{2};  // one byte of a weight
    const Value w = net.constant({dtype, {rows, 16}, Blob::of(std::move(weight))});
    const Value y = net.matmul(x, w);
    const auto op = std::array{ActivationOp::relu, ActivationOp::sigmoid, ActivationOp::tanh,
                               ActivationOp::leaky_relu}[at[4]];
    const Value a = net.activation(op, y, static_cast<double>(at[5]));
    const Value b = net.softmax(y, at[6] % 2 == 0 ? 1 : 0);
    // One edge, and the order of the results.
    const Value sum = at[7] % 2 == 0 ? a + b : a + a;
    network.mark_output((at[6] < 2 ? sum : b).id(), "first");
    network.mark_output((at[6] < 2 ? b : sum).id(), "second");
    return network;
  }

  Circumstances circumstances() const {
    const std::string one(at[8], 'a'), other(at[9], 'a');
    return {"2026.4.1", one, other};
  }

 private:
  /// Which operand an addition takes is a choice between two.
  Choice canonical() const {
    Choice out = *this;
    out.at[7] %= 2;
    return out;
  }
  static std::size_t size_of(DType dtype) {
    return dtype == DType::f64 ? 8 : dtype == DType::f32 ? 4 : 2;
  }
};

struct Clashes {
  std::size_t tried = 0, collisions = 0, misses = 0;
};

/// Keys of `count` different computations, each a mutant of an earlier one and made a second time
/// under other names.
Clashes compare_keys(const Key& key, std::size_t count) {
  Random random(11);
  std::map<Choice, std::string> keys;
  std::map<std::string, Choice> computations;
  std::vector<Choice> all = {Choice{}};
  Clashes out;
  while (keys.size() < count) {
    const Choice choice = all[random() % all.size()].mutant(random);
    if (keys.contains(choice)) continue;
    all.push_back(choice);
    const std::string made = key(choice.network("x"), choice.circumstances());
    if (key(choice.network("renamed"), choice.circumstances()) != made) ++out.misses;
    keys[choice] = made;
    if (!computations.emplace(made, choice).second) ++out.collisions;
  }
  out.tried = keys.size();
  std::printf("keys: %zu computations, %zu collisions, %zu misses\n", out.tried, out.collisions,
              out.misses);
  return out;
}

TEST(different_computations_have_different_keys) {
  const Clashes out = compare_keys(key_of, 10'000);
  CHECK_EQ(out.collisions + out.misses, 0);
}

TEST(mutants_find_keys_whose_parts_run_together) {
  const Key joined = [](const Network& network, const Circumstances& circumstances) {
    std::string all;
    for (const std::string& part : circumstances) all += part;
    return key_of(network, {all});
  };
  CHECK(compare_keys(joined, 1'000).collisions > 0);
}

TEST(mutants_find_keys_that_leave_weights_out) {
  const Key structure_only = [](const Network& network, const Circumstances& circumstances) {
    const Network::Binary binary = network.to_binary();
    std::string key(reinterpret_cast<const char*>(binary.structure.data()),
                    binary.structure.size());
    for (const std::string& part : circumstances) key += '|' + part;
    return key;
  };
  const Clashes out = compare_keys(structure_only, 1'000);
  CHECK(out.collisions > 0);
  CHECK(out.misses > 0);
}

}  // namespace
}  // namespace container
