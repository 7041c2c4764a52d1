// The trace: valid JSON with one host span a run, and where the queue profiles and the work is done one device span, with its
// kernels.
#include "core/trace.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/op.hpp"
#include "fake.hpp"

using namespace oncilla;

namespace {

// A strict reader that only says whether the text is one JSON value.
class Json {
 public:
  static bool valid(const std::string& text) {
    Json json(text);
    return json.value() && (json.space(), json.at_ == text.size());
  }

 private:
  explicit Json(const std::string& text) : text_(text) {}
  void space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool eat(char c) {
    space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool string() {
    if (!eat('"')) return false;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return false;
      if (text_[at_] == '\\' && std::string("\"\\/bfnrtu").find(text_[++at_]) == std::string::npos) return false;
    }
    return eat('"');
  }
  bool number() {
    char* end = nullptr;
    std::strtod(text_.c_str() + at_, &end);
    const bool some = end != text_.c_str() + at_;
    at_ = static_cast<size_t>(end - text_.c_str());
    return some;
  }
  template <class F>
  bool list(char open, char close, F&& item) {
    if (!eat(open)) return false;
    if (eat(close)) return true;
    do {
      if (!item()) return false;
    } while (eat(','));
    return eat(close);
  }
  bool value() {
    space();
    if (at_ >= text_.size()) return false;
    switch (text_[at_]) {
      case '{':
        return list('{', '}', [&] { return string() && eat(':') && value(); });
      case '[':
        return list('[', ']', [&] { return value(); });
      case '"':
        return string();
      default:
        return number();
    }
  }
  const std::string& text_;
  size_t at_ = 0;
};

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

const std::vector<int64_t> kDims{2, 3}, kStrides{3, 1};

void run(Queue& queue, const char* variant = "") {
  Op op(ONC_OP_SOFTMAX);
  op.in({{}, ONC_F32, kDims, kStrides}).no_in().out({{}, ONC_F64, kDims, kStrides});
  if (*variant != '\0') op.variant(variant);
  op.run(queue);
}

}  // namespace

TEST_CASE("trace: the reader refuses what is no JSON") {
  CHECK(Json::valid(R"({"a":[1,2.5e3,"x\n"],"b":{}})"));
  for (const char* bad : {"{", "{\"a\":}", "[1,]", "[1 2]", "\"\n\"", "{} x", ""}) CHECK_FALSE(Json::valid(bad));
}

TEST_CASE("trace: host and device spans") {
  fake::State& driver = fake::reset();
  auto device = fake::device();
  auto plain = device->create_queue(), profiling = device->create_queue(true);
  Trace& trace = Trace::get();
  run(*plain);
  trace.start();
  CHECK(trace.on());
  run(*plain);
  run(*profiling);
  run(*profiling, "odd \"name\"\\\n");
  std::string text = trace.json();
  CHECK(Json::valid(text));
  CHECK(count(text, "\"cat\":\"host\"") == 3);
  CHECK(count(text, "\"cat\":\"device\"") == 0);  // not done yet
  CHECK(count(text, "float32[2, 3], - -> float64[2, 3]") == 3);
  CHECK(count(text, "softmax default") == 2);
  profiling->finish();
  trace.stop();
  run(*profiling);  // not recorded
  text = trace.json();
  CHECK(Json::valid(text));
  CHECK(count(text, "\"cat\":\"host\"") == 3);
  CHECK(count(text, "\"cat\":\"device\"") == 2);
  CHECK(count(text, "\"dur\":0.001") >= 2);  // the fake's nanosecond
  CHECK(count(text, "\"cat\":\"kernel\"") == 4);
  CHECK(count(text, "\"name\":\"second\"") == 2);
  CHECK(count(text, "\"dropped\":0") == 1);
  trace.start();  // begins anew
  CHECK(count(trace.json(), "\"ph\":\"X\"") == 0);
  trace.stop();
  profiling.reset();
  plain.reset();
  device.reset();
  CHECK(driver.events.empty());  // an idle trace holds no device
}

TEST_CASE("trace: kernels lie inside the span of their plan, and plugins of before do without") {
  fake::reset();
  Trace& trace = Trace::get();
  const auto spans = [&](const std::shared_ptr<Device>& device) {
    auto queue = device->create_queue(true);
    trace.start();
    run(*queue);
    queue->finish();
    trace.stop();
    std::vector<TraceSpan> found = trace.spans(0);
    trace.start();
    trace.stop();
    return found;
  };
  const TraceSpan* whole = nullptr;
  int kernels = 0;
  const std::vector<TraceSpan> all = spans(fake::device());
  for (const TraceSpan& span : all) {
    if (span.device == nullptr) continue;
    if (!span.kernel) {
      whole = &span;
      continue;
    }
    ++kernels;
    REQUIRE(whole != nullptr);
    CHECK(span.begin_ns >= whole->begin_ns);
    CHECK(span.end_ns <= whole->end_ns);
    CHECK(span.track == whole->track);
  }
  CHECK(kernels == 2);
  onc_api older = fake::make_table();
  older.n_slots -= 2;
  const std::vector<TraceSpan> before = spans(Device::open(Backend::from_table(&older, "older"), 0));
  CHECK(std::count_if(before.begin(), before.end(), [](const TraceSpan& span) { return span.device != nullptr; }) == 1);
}

TEST_CASE("trace: long runs resolve as they go, and threads have tracks") {
  fake::State& driver = fake::reset();
  auto device = fake::device();
  Trace& trace = Trace::get();
  trace.start();
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      auto queue = device->create_queue(true);
      for (int i = 0; i < 300; ++i) {
        run(*queue);
        queue->finish();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(driver.events.size() < 3 * 300);  // 2 a run, were they all kept
  const std::string text = trace.json();
  CHECK(Json::valid(text));
  CHECK(count(text, "\"cat\":\"host\"") == 900);
  CHECK(count(text, "\"cat\":\"device\"") == 900);
  trace.start();
  trace.stop();
}

TEST_CASE("trace: written to a file, whole or not at all") {
  const std::string path = "trace_test_" + std::to_string(::getpid()) + ".json";
  Trace::get().write(path);
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  CHECK(Json::valid(text.str()));
  std::remove(path.c_str());
  CHECK_THROWS_WITH_AS(Trace::get().write("/nonexistent/trace.json"), doctest::Contains("'/nonexistent/trace.json'"), Error);
}
