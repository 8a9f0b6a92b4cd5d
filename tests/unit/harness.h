#pragma once

// The unit tests' own small harness:
//
//   TEST(relu_keeps_dtype) { CHECK_EQ(infer(relu).dtype, DType::f32); }
//
// A failed check is printed with its file:line and ends its test; the other tests still run.

#if __has_include(<c10/util/Logging.h>)
#include <c10/util/Logging.h>  // before the macros below: it has some of the same names
#endif

#include <exception>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace harness {

struct Test {
  std::string name;
  std::function<void()> body;
};

/// What ends a test: a failed check, or a reason to skip it.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct Skipped : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::vector<Test>& tests();
/// Did the caller ask for what takes minutes?
bool& long_run();
/// Runs all tests, or those whose names contain one of the parts; "--long" among them asks for the
/// long run. Prints the counts; 0 where none failed.
int run_tests(std::vector<std::string> parts);
inline bool add_test(std::string name, std::function<void()> body) {
  tests().push_back({std::move(name), std::move(body)});
  return true;
}

/// A value as text for a failure message; types that cannot be streamed print as "<?>".
template <typename T>
std::string show(const T& value) {
  std::ostringstream out;
  if constexpr (std::is_same_v<T, bool>) {
    out << (value ? "true" : "false");
  } else if constexpr (requires { out << value; }) {
    out << value;
  } else if constexpr (std::is_enum_v<T>) {
    out << static_cast<long long>(value);
  } else if constexpr (requires {
                         value.begin();
                         value.end();
                       }) {
    out << '[';
    for (const auto& element : value) out << show(element) << ' ';
    out << ']';
  } else {
    out << "<?>";
  }
  return std::move(out).str();
}

[[noreturn]] void fail(const char* file, int line, const std::string& what);

template <typename T>
inline constexpr bool is_number =
    std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char>;

/// Integers compare by value, whatever their signs and sizes.
template <typename A, typename B>
bool equal(const A& a, const B& b) {
  if constexpr (is_number<A> && is_number<B>) {
    return std::cmp_equal(a, b);
  } else {
    return a == b;
  }
}

/// Streamed, not joined with +: GCC 12 warns falsely of joins whose lengths it knows.
template <typename... Parts>
std::string joined(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return std::move(out).str();
}

template <typename A, typename B>
void check_eq(const A& a, const B& b, const char* text, const char* file, int line) {
  if (!equal(a, b)) {
    fail(file, line, joined(text, "\n    got      ", show(a), "\n    expected ", show(b)));
  }
}

template <typename Body>
void check_throws(Body body, std::string_view part, const char* text, const char* file, int line) {
  try {
    body();
  } catch (const std::exception& error) {
    if (std::string_view(error.what()).find(part) != std::string_view::npos) return;
    fail(file, line,
         joined(text, " threw\n    got      ", error.what(), "\n    expected a text with ", part));
  }
  fail(file, line, joined(text, " did not throw"));
}

}  // namespace harness

#define TEST(name)                                                                         \
  static void test_##name();                                                               \
  static const bool added_##name [[maybe_unused]] = harness::add_test(#name, test_##name); \
  static void test_##name()

#undef CHECK
#undef CHECK_EQ

/// Variadic so that an expression may hold commas outside of parentheses.
#define CHECK(...)                                                       \
  do {                                                                   \
    if (!(__VA_ARGS__)) harness::fail(__FILE__, __LINE__, #__VA_ARGS__); \
  } while (false)

/// Got, then expected.
#define CHECK_EQ(a, ...) \
  harness::check_eq((a), (__VA_ARGS__), #a " == " #__VA_ARGS__, __FILE__, __LINE__)

/// The expression throws a std::exception whose text contains `part`.
#define CHECK_THROWS(expression, part) \
  harness::check_throws([&] { (void)(expression); }, part, #expression, __FILE__, __LINE__)

/// Ends the test as skipped: what it needs is not on this machine.
#define SKIP(reason) throw harness::Skipped(reason)
