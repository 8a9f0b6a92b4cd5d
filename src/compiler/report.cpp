#include "compiler/report.h"

#include <algorithm>
#include <iomanip>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/error.h"

namespace torch_tensorrt::compiler {
namespace {

std::string place(const core::Origin& origin) {
  return origin.scope.empty() ? origin.location : origin.location + " (" + origin.scope + ")";
}

/// A reason short enough for the one-line summary.
std::string brief(const std::string& reason) {
  constexpr std::size_t kLength = 80;
  return reason.size() <= kLength ? reason : reason.substr(0, kLength) + "...";
}

}  // namespace

std::size_t Report::total_ops() const {
  return static_cast<std::size_t>(
      std::count_if(nodes.begin(), nodes.end(), [](const auto& n) { return !n.host; }));
}

std::size_t Report::engine_ops() const {
  return static_cast<std::size_t>(std::count_if(
      nodes.begin(), nodes.end(), [](const auto& n) { return !n.host && n.engine >= 0; }));
}

std::string Report::summary() const {
  std::ostringstream out;
  out << (engines.empty() ? "no engine" : engines.front().plugin) << ": " << engines.size()
      << (engines.size() == 1 ? " engine, " : " engines, ") << engine_ops() << " of " << total_ops()
      << " ops";
  std::map<std::pair<std::string, std::string>, int> left;
  for (const NodeReport& node : nodes) {
    if (!node.host && node.engine < 0) ++left[{node.op, brief(node.reason)}];
  }
  std::string between = "; PyTorch: ";
  for (const auto& [key, count] : left) {
    out << between << key.first << " x" << count << " (" << key.second << ")";
    between = ", ";
  }
  return std::move(out).str();
}

std::string Report::to_text() const {
  std::ostringstream out;
  out << summary() << '\n';
  for (std::size_t i = 0; i < engines.size(); ++i) {
    const EngineReport& engine = engines[i];
    out << "\nengine " << i << ": " << engine.name << ", " << engine.plugin << ' ' << engine.version
        << ", " << engine.layers << " layers\n";
    for (const auto& input : engine.inputs) out << "  in   " << input << '\n';
    for (const auto& output : engine.outputs) out << "  out  " << output << '\n';
  }
  std::size_t width = 0;
  for (const NodeReport& node : nodes) width = std::max(width, node.op.size());
  out << "\nops in PyTorch:\n";
  bool any = false;
  for (const NodeReport& node : nodes) {
    if (node.host || node.engine >= 0) continue;
    any = true;
    out << "  " << std::left << std::setw(static_cast<int>(width) + 2) << node.op << node.code
        << ": " << node.reason;
    if (const auto at = place(node.origin); !at.empty()) out << "  # " << at;
    out << '\n';
  }
  if (!any) out << "  none\n";
  return std::move(out).str();
}

std::string Report::to_json() const {
  nlohmann::ordered_json json;
  json["summary"] = summary();
  json["total_ops"] = total_ops();
  json["engine_ops"] = engine_ops();
  json["engines"] = nlohmann::ordered_json::array();
  for (const EngineReport& engine : engines) {
    json["engines"].push_back({{"name", engine.name},
                               {"plugin", engine.plugin},
                               {"version", engine.version},
                               {"layers", engine.layers},
                               {"inputs", engine.inputs},
                               {"outputs", engine.outputs},
                               {"network", engine.network}});
  }
  json["nodes"] = nlohmann::ordered_json::array();
  for (const NodeReport& node : nodes) {
    nlohmann::ordered_json entry = {{"op", node.op}, {"engine", node.engine}};
    if (node.host) entry["host"] = true;
    if (!node.code.empty()) entry["code"] = node.code, entry["reason"] = node.reason;
    if (!node.origin.location.empty()) entry["location"] = node.origin.location;
    if (!node.origin.scope.empty()) entry["module"] = node.origin.scope;
    json["nodes"].push_back(std::move(entry));
  }
  return json.dump();
}

Report Report::from_json(const std::string& text) try {
  const auto json = nlohmann::json::parse(text);
  Report report;
  for (const auto& entry : json.at("engines")) {
    report.engines.push_back({.name = entry.at("name"),
                              .plugin = entry.at("plugin"),
                              .version = entry.at("version"),
                              .layers = entry.at("layers"),
                              .inputs = entry.at("inputs"),
                              .outputs = entry.at("outputs"),
                              .network = entry.at("network")});
  }
  for (const auto& entry : json.at("nodes")) {
    report.nodes.push_back(
        {.op = entry.at("op"),
         .origin = {.scope = entry.value("module", ""), .location = entry.value("location", "")},
         .engine = entry.at("engine"),
         .code = entry.value("code", ""),
         .reason = entry.value("reason", ""),
         .host = entry.value("host", false)});
  }
  return report;
} catch (const nlohmann::json::exception& error) {
  throw core::invalid_argument("report is no JSON of a compilation report: ", error.what());
}

}  // namespace torch_tensorrt::compiler
