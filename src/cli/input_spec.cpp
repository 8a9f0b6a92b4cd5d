#include "cli/input_spec.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <vector>

#include "cli/arguments.h"
#include "core/text.h"

namespace torch_tensorrt::cli {
namespace {

using core::text;
using Shape = std::vector<std::int64_t>;

struct DtypeName {
  std::string_view name;
  at::ScalarType type;
};
constexpr auto kDtypes = std::to_array<DtypeName>(
    {{"float", at::kFloat},   {"float32", at::kFloat}, {"f32", at::kFloat},
     {"fp32", at::kFloat},    {"half", at::kHalf},     {"float16", at::kHalf},
     {"f16", at::kHalf},      {"fp16", at::kHalf},     {"bfloat16", at::kBFloat16},
     {"bf16", at::kBFloat16}, {"double", at::kDouble}, {"float64", at::kDouble},
     {"f64", at::kDouble},    {"fp64", at::kDouble},   {"char", at::kChar},
     {"int8", at::kChar},     {"i8", at::kChar},       {"byte", at::kByte},
     {"uint8", at::kByte},    {"u8", at::kByte},       {"int", at::kInt},
     {"int32", at::kInt},     {"i32", at::kInt},       {"long", at::kLong},
     {"int64", at::kLong},    {"i64", at::kLong},      {"bool", at::kBool},
     {"b", at::kBool}});

struct FormatName {
  std::string_view name;
  bool channels_last;
};
constexpr auto kFormats = std::to_array<FormatName>({{"linear", false},
                                                     {"nchw", false},
                                                     {"chw", false},
                                                     {"contiguous", false},
                                                     {"nhwc", true},
                                                     {"hwc", true},
                                                     {"channels_last", true}});

/// Sizes beyond this are slips of the keyboard, and their products overflow.
constexpr std::int64_t kLargestDim = std::int64_t{1} << 40;

template <typename Rows>
std::string names_of(const Rows& rows) {
  std::vector<std::string_view> names;
  for (const auto& row : rows) names.push_back(row.name);
  return core::join(names, " ");
}

/// Recursive descent over the text; `at_` is the next character.
class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  compiler::InputSpec spec() {
    compiler::InputSpec spec;
    if (peek() == '[') {
      take();
      spec.min = tuple();
      expect(';', "';' and the usual shape");
      spec.opt = tuple();
      expect(';', "';' and the largest shape");
      spec.max = tuple();
      check_range(spec);
      expect(']', "']'");
    } else {
      spec.min = spec.opt = spec.max = tuple();
    }
    if (peek() == '@') {
      take();
      spec.dtype = lookup(kDtypes, "dtype").type;
    }
    if (peek() == '%') {
      take();
      spec.channels_last = lookup(kFormats, "format").channels_last;
    }
    if (peek() != '\0') fail("expected '@dtype', '%format' or the end");
    return spec;
  }

 private:
  char peek() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void take() { ++at_; }

  void expect(char wanted, std::string_view what) {
    if (peek() != wanted) fail(text("expected ", what));
    take();
  }

  Shape tuple() {
    Shape shape;
    if (peek() != '(') fail("expected '(' and sizes, as in (1,3,224,224)");
    take();
    if (peek() == ')') {
      take();
      return shape;
    }
    shape.push_back(size());
    while (peek() == ',') {
      take();
      shape.push_back(size());
    }
    expect(')', "',' or ')'");
    return shape;
  }

  std::int64_t size() {
    if (!std::isdigit(static_cast<unsigned char>(peek()))) fail("expected a size, 0 or more");
    const std::size_t start = at_;
    std::int64_t value = 0;
    for (; at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])); ++at_) {
      value = value * 10 + (text_[at_] - '0');
      if (value > kLargestDim) {
        at_ = start;
        fail(text("expected a size of at most ", kLargestDim));
      }
    }
    return value;
  }

  template <typename Rows>
  const typename Rows::value_type& lookup(const Rows& rows, std::string_view what) {
    peek();
    const std::size_t start = at_;
    std::string word;
    for (; at_ < text_.size(); ++at_) {
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (!std::isalnum(c) && c != '_') break;
      word += static_cast<char>(std::tolower(c));
    }
    const auto found =
        std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.name == word; });
    if (found == rows.end()) {
      at_ = start;
      fail(text("expected a ", what, ", one of ", names_of(rows)));
    }
    return *found;
  }

  void check_range(const compiler::InputSpec& spec) {
    bool ordered = spec.min.size() == spec.opt.size() && spec.opt.size() == spec.max.size();
    for (std::size_t i = 0; ordered && i < spec.min.size(); ++i) {
      ordered = spec.min[i] <= spec.opt[i] && spec.opt[i] <= spec.max[i];
    }
    if (!ordered) fail("expected shapes of one rank with smallest <= usual <= largest");
  }

  [[noreturn]] void fail(const std::string& expected) {
    throw UsageError(text("input spec '", text_, "': ", expected, "\n  ", text_, "\n  ",
                          std::string(at_, ' '), '^'));
  }

  const std::string& text_;
  std::size_t at_ = 0;
};

}  // namespace

compiler::InputSpec parse_input_spec(const std::string& text) { return Parser(text).spec(); }

}  // namespace torch_tensorrt::cli
