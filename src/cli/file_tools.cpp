#include "cli/file_tools.h"

#include <torch/script.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <utility>

#include "cli/archive.h"
#include "cli/arguments.h"
#include "cli/modules.h"
#include "core/artifact.h"
#include "core/engine_cache.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "runtime/engine.h"
#include "torch_tensorrt/torch_tensorrt.h"

namespace torch_tensorrt::cli {
namespace {

using core::Artifact;
using core::text;
using Words = std::vector<std::string>;

constexpr const char* kHelp = R"(torchtrtc inspect FILE...
        Print the engines inside: inputs, outputs, layers, weights, built plans
torchtrtc verify FILE...
        Check every byte that a checksum covers, and every engine; one line a file
torchtrtc diff FILE FILE
        Print in what their engines differ
torchtrtc strip plans|network INPUT OUTPUT
        Leave out of every engine its built plans (they are built again where it is loaded) or its
        network (only machines that a plan was built for can then load it)
torchtrtc cache ls|info [--folder=FOLDER]
torchtrtc cache rm [--folder=FOLDER] all|KEY...
        List, sum up or remove what the cache of compiled engines holds
torchtrtc info
        Print the versions of Torch-TensorRT, PyTorch and the engines, and which of these run here

FILE is a file of torchtrtc, torch.jit.save or torch.export.save, or the bytes of one engine. None is
loaded to be looked at: no engine is built, and nothing in the file is run. strip loads the module,
but no engine.

A model file with the name of a tool is given as ./inspect, and one whose name begins with - behind --.

Exit codes: 0 done, 1 a file is damaged or cannot be read or written, 2 the command line is wrong,
3 (diff) the files differ.
)";

struct Engine {
  std::string place;
  Artifact artifact;
};

std::vector<Engine> parse(const Contents& contents) {
  std::vector<Engine> engines;
  for (const FoundEngine& found : contents.engines) {
    try {
      engines.push_back({found.place, Artifact::from_bytes(found.bytes)});
    } catch (const core::Error& error) {
      if (found.place.empty()) throw;
      throw core::incompatible("record '", found.place, "': ", error.what());
    }
  }
  return engines;
}

/// A line for a terminal: names in a file may hold anything, also what moves the cursor.
std::string printable(std::string_view line) {
  std::ostringstream out;
  for (const char c : line) {
    if (' ' <= c && c <= '~') {
      out << c;
    } else {
      out << "\\x" << std::hex << std::setw(2) << std::setfill('0')
          << static_cast<unsigned>(static_cast<unsigned char>(c));
    }
  }
  return std::move(out).str();
}

template <typename... Parts>
void say(const Parts&... parts) {
  std::cout << printable(text(parts...)) << '\n';
}

std::size_t weight_bytes(const core::Network& network) {
  std::size_t size = 0;
  for (const core::Blob& weight : network.to_binary().weights) size += weight.size();
  return size;
}

std::string counted(std::size_t count, std::string_view what) {
  return text(count, ' ', what, count == 1 ? "" : "s");
}

std::string to_line(const core::IoEntry& entry) {
  return text(entry.name, ": ", core::to_text(entry.type), entry.host ? " (host)" : "");
}

std::string to_line(const core::Plan& plan) {
  return text(plan.engine, ' ', plan.version, " for ", plan.device, ", ",
              counted(plan.payload.size(), "byte"));
}

std::string network_line(const Artifact& artifact) {
  if (!artifact.network) return "none";
  return text(counted(artifact.network->layer_count(), "layer"), ", ",
              counted(weight_bytes(*artifact.network), "byte"), " of weights");
}

// ---- inspect and verify ----

void print(const Engine& engine) {
  const Artifact& artifact = engine.artifact;
  say("  engine ", artifact.name, engine.place.empty() ? "" : " in ", engine.place);
  say("    made by ", artifact.producer, " for ", artifact.preferred_engine);
  for (const core::IoEntry& entry : artifact.inputs) say("    input ", to_line(entry));
  for (const core::IoEntry& entry : artifact.outputs) say("    output ", to_line(entry));
  say("    network: ", network_line(artifact));
  for (const core::Plan& plan : artifact.plans) say("    plan ", to_line(plan));
}

std::string summary(const Contents& contents) {
  const bool archive = contents.kind == FileKind::archive;
  return text(counted(contents.size, "byte"), ", ",
              archive ? text("archive of ", counted(contents.records, "record"), " with ",
                             counted(contents.engines.size(), "engine"))
                      : std::string("engine"));
}

/// Calls `look` with each file; those that cannot be read are told, and the others still looked at.
template <typename Look>
int for_each_file(const Words& paths, Look look) {
  int code = kDone;
  for (const std::string& path : paths) {
    try {
      const Contents contents = read_contents(path);
      look(path, contents, parse(contents));
    } catch (const core::Error& error) {
      std::cout << path << ": ";
      say(error.what());
      code = kFailed;
    }
  }
  return code;
}

int inspect(const Words& paths) {
  return for_each_file(paths,
                       [](const std::string& path, const Contents& contents, const auto& engines) {
                         std::cout << path << ": " << summary(contents) << '\n';
                         for (const Engine& engine : engines) print(engine);
                       });
}

int verify(const Words& paths) {
  return for_each_file(paths, [](const std::string& path, const Contents& contents, const auto&) {
    std::cout << path << ": sound, " << summary(contents) << '\n';
  });
}

// ---- diff ----

class Diff {
 public:
  void compare(std::string_view what, const std::string& a, const std::string& b) {
    if (a != b) add(text(what, ": ", a, " -> ", b));
  }
  /// Lists of lines: what is only in the first, and only in the second.
  void compare(std::string_view what, const Words& a, const Words& b) {
    for (const std::string& line : a) {
      if (std::ranges::find(b, line) == b.end()) add(text("- ", what, line));
    }
    for (const std::string& line : b) {
      if (std::ranges::find(a, line) == a.end()) add(text("+ ", what, line));
    }
    if (a != b && std::ranges::is_permutation(a, b)) add(text(what, "in another order"));
  }
  void add(std::string line) { lines_.push_back(std::move(line)); }
  const Words& lines() const { return lines_; }

 private:
  Words lines_;
};

template <typename T>
Words to_lines(const std::vector<T>& list) {
  Words lines;
  for (const T& element : list) lines.push_back(to_line(element));
  return lines;
}

Words to_lines(const std::optional<core::Network>& network) {
  std::istringstream in(network ? network->to_text() : std::string());
  Words lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

Diff compare(const Artifact& a, const Artifact& b) {
  Diff diff;
  diff.compare("name", a.name, b.name);
  diff.compare("made by", a.producer, b.producer);
  diff.compare("for", a.preferred_engine, b.preferred_engine);
  diff.compare("alternates", text(a.alternates), text(b.alternates));
  diff.compare("input ", to_lines(a.inputs), to_lines(b.inputs));
  diff.compare("output ", to_lines(a.outputs), to_lines(b.outputs));
  diff.compare("network", network_line(a), network_line(b));
  diff.compare("", to_lines(a.network), to_lines(b.network));
  diff.compare("plan ", to_lines(a.plans), to_lines(b.plans));
  // Contents that the lines above do not show.
  if (diff.lines().empty() && a.to_bytes() != b.to_bytes()) diff.add("plans of other content");
  return diff;
}

int diff(const Words& paths) {
  const auto a = parse(read_contents(paths[0])), b = parse(read_contents(paths[1]));
  int code = kDone;
  if (a.size() != b.size()) {
    std::cout << counted(a.size(), "engine") << " -> " << counted(b.size(), "engine") << '\n';
    code = kDiffers;
  }
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const Diff found = compare(a[i].artifact, b[i].artifact);
    if (found.lines().empty()) continue;
    code = kDiffers;
    say("engine ", a[i].artifact.name);
    for (const std::string& line : found.lines()) say("  ", line);
  }
  return code;
}

// ---- strip ----

Artifact stripped(Artifact artifact, bool plans) {
  if (plans) {
    if (!artifact.network) {
      throw core::invalid_argument("engine ", artifact.name,
                                   " has no network, so nothing would be left without its plans");
    }
    artifact.plans.clear();
    return artifact;
  }
  std::erase_if(artifact.plans, [](const core::Plan& plan) { return plan.payload.empty(); });
  if (artifact.plans.empty()) {
    throw core::invalid_argument("engine ", artifact.name, " for ", artifact.preferred_engine,
                                 " is built from its network wherever it is loaded: it has no "
                                 "plan that could do without");
  }
  artifact.network.reset();
  return artifact;
}

torch::jit::Module strip_module(const std::string& path, bool plans) {
  const runtime::WithoutLoading engines_stay_bytes;
  torch::jit::Module module = load_module(path);
  const auto type = c10::getCustomClassType<c10::intrusive_ptr<runtime::Engine>>();
  for (torch::jit::Module part : module.modules()) {
    for (const auto& attribute : part.named_attributes(/*recurse=*/false)) {
      if (!attribute.value.isCustomClass() || *attribute.value.type() != *type) continue;
      const auto engine = attribute.value.toCustomClass<runtime::Engine>();
      part.setattr(attribute.name,
                   torch::make_custom_class<runtime::Engine>(stripped(engine->artifact(), plans),
                                                             runtime::LoadOptions{}));
    }
  }
  return module;
}

void write_bytes(const std::string& path, const std::vector<std::byte>& bytes) {
  core::write_atomically(path, [&](std::ostream& out) {
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
  });
}

int strip(const Words& words) {
  if (words[0] != "plans" && words[0] != "network") {
    throw UsageError(text("strip: got '", words[0], "', expected plans or network"));
  }
  check_output(words[2]);
  const bool plans = words[0] == "plans";
  const Contents contents = read_contents(words[1]);
  const std::vector<Engine> engines = parse(contents);
  if (contents.kind == FileKind::engine) {
    write_bytes(words[2], stripped(engines.front().artifact, plans).to_bytes());
  } else {
    save_module(words[2], strip_module(words[1], plans));
  }
  return kDone;
}

// ---- cache ----

std::string date_of(std::time_t time) {
  std::tm local{};
  char out[32];
  ::localtime_r(&time, &local);
  return {out, std::strftime(out, sizeof out, "%Y-%m-%d %H:%M", &local)};
}

int list_cache(const core::EngineCache& cache) {
  for (const core::EngineCache::Entry& entry : cache.entries()) {
    std::cout << entry.key << "  " << date_of(entry.used) << "  " << counted(entry.size, "byte")
              << '\n';
  }
  return kDone;
}

int sum_up_cache(const core::EngineCache& cache) {
  std::uintmax_t size = 0;
  const auto entries = cache.entries();
  for (const auto& entry : entries) size += entry.size;
  std::cout << cache.folder().string() << ": " << counted(entries.size(), "engine") << ", "
            << counted(size, "byte") << " of at most " << cache.capacity() << '\n';
  const std::string why = cache.refusal();
  if (!why.empty()) std::cout << "not used: " << why << '\n';
  return why.empty() ? kDone : kFailed;
}

int remove_from_cache(const core::EngineCache& cache, Words keys) {
  if (keys == Words{"all"}) {
    keys.clear();
    for (const auto& entry : cache.entries()) keys.push_back(entry.key);
  }
  int code = kDone;
  for (const std::string& key : keys) {
    if (cache.remove(key)) continue;
    std::cout << "no engine '" << key << "' in " << cache.folder().string() << '\n';
    code = kFailed;
  }
  return code;
}

/// Takes --folder=FOLDER out of the words.
std::string folder_of_cache(Words& words) {
  constexpr std::string_view kFolder = "--folder=";
  const auto is_folder = [&](const std::string& word) { return word.starts_with(kFolder); };
  const auto count = std::ranges::count_if(words, is_folder);
  if (count == 0) return runtime::user_cache_dir();
  const std::string folder = std::ranges::find_if(words, is_folder)->substr(kFolder.size());
  if (count > 1 || folder.empty()) {
    throw UsageError("cache: expected one folder in --folder=FOLDER");
  }
  if (!std::filesystem::is_directory(folder)) {
    throw core::invalid_argument("cache: there is no folder '", folder, "'");
  }
  std::erase_if(words, is_folder);
  return folder;
}

int cache(Words words) {
  const std::string folder = folder_of_cache(words);
  if (folder.empty())
    throw core::unavailable("there is no engine cache: its folder is not writable");
  const core::EngineCache engines(folder);
  const std::string what = words.empty() ? "" : words[0];
  if (what == "ls" && words.size() == 1) return list_cache(engines);
  if (what == "info" && words.size() == 1) return sum_up_cache(engines);
  if (what == "rm" && words.size() > 1) {
    return remove_from_cache(engines, {words.begin() + 1, words.end()});
  }
  throw UsageError("cache: expected ls, info, or rm with keys or all; cache -h explains them");
}

int info(const Words& /*words*/) {
  dump_build_info();
  return kDone;
}

// ---- choosing ----

struct Tool {
  std::string_view name, takes;
  std::size_t least, most;
  int (*run)(const Words&);
};

constexpr std::size_t kAny = static_cast<std::size_t>(-1);
const Tool kTools[] = {
    {"inspect", "files", 1, kAny, inspect},
    {"verify", "files", 1, kAny, verify},
    {"diff", "two files", 2, 2, diff},
    {"strip", "plans or network, INPUT and OUTPUT", 3, 3, strip},
    {"cache", "ls, info or rm", 1, kAny, [](const Words& words) { return cache(words); }},
    {"info", "nothing behind it", 0, 0, info}};

const Tool* find_tool(const Words& words) {
  const auto found = std::ranges::find_if(
      kTools, [&](const Tool& t) { return !words.empty() && words[0] == t.name; });
  return found == std::end(kTools) ? nullptr : found;
}

}  // namespace

bool is_file_tool(const Words& words) { return find_tool(words) != nullptr; }

int run_file_tool(const Words& words) {
  const Tool& tool = *find_tool(words);
  Words rest(words.begin() + 1, words.end());
  const auto flags_end = std::ranges::find(rest, "--");
  for (auto word = rest.begin(); word != flags_end; ++word) {
    if (*word == "-h" || *word == "--help") {
      std::cout << kHelp;
      return kDone;
    }
    const bool folder = tool.name == "cache" && word->starts_with("--folder");
    if (word->size() > 1 && word->front() == '-' && !folder) {
      throw UsageError(text(tool.name, ": unknown flag '", *word, "'; ", tool.name,
                            " -h explains what it takes"));
    }
  }
  if (flags_end != rest.end()) rest.erase(flags_end);
  if (rest.size() < tool.least || rest.size() > tool.most) {
    throw UsageError(text(tool.name, ": expected ", tool.takes, ", got ",
                          counted(rest.size(), "argument"), "; ", tool.name, " -h explains them"));
  }
  try {
    return tool.run(rest);
  } catch (const core::Error& error) {
    throw core::Error(error.kind(), printable(error.what()));
  }
}

}  // namespace torch_tensorrt::cli
