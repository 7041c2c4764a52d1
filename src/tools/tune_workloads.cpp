#include "tools/tune_workloads.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <stdexcept>

#include "ops/convolution.hpp"

namespace oncilla::tools {
namespace {

using test::Case;
using test::Domain;
using test::Layout;

constexpr const char* kFloat32 = "float32";

// The parameters of a line.
class Line {
 public:
  explicit Line(const std::string& text) {
    std::istringstream words(text.substr(0, text.find('#')));
    words >> kind_;
    for (std::string word; words >> word;) {
      const size_t equals = word.find('=');
      if (equals != std::string::npos) values_[word.substr(0, equals)] = word.substr(equals + 1);
      if (equals != std::string::npos) name_ += " " + word;
    }
    name_ = kind_ + name_;
  }
  const std::string& kind() const { return kind_; }
  const std::string& name() const { return name_; }
  std::string text(const char* name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? "" : found->second;
  }
  int64_t size(const char* name, int64_t otherwise = 0) const {
    const std::string value = text(name);
    return value.empty() ? otherwise : std::stoll(value);
  }
  std::string dtype() const {
    const std::string name = text("dtype");
    return name.empty() ? kFloat32 : name == "f64" ? "float64" : name == "f16" ? "float16" : name == "bf16" ? "bfloat16" : name;
  }

 private:
  std::string kind_, name_;
  std::map<std::string, std::string> values_;
};

uint32_t dtype_of(const std::string& name) {
  for (const uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    if (name == test::dtype_name(dtype)) return dtype;
  }
  throw std::runtime_error("\"" + name + "\" is not tuned");
}

Case matmul_case(const Line& line, uint32_t dtype) {
  const int64_t batch = line.size("batch", 0), m = line.size("m"), n = line.size("n"), k = line.size("k");
  const auto dims = [&](int64_t rows, int64_t columns) {
    return batch > 0 ? test::Dims{batch, rows, columns} : test::Dims{rows, columns};
  };
  const auto layout = [&](const char* side) { return line.text(side) == "t" ? Layout::swapped : Layout::contiguous; };
  Case c;
  c.op = ONC_OP_MATMUL;
  c.in = {test::tensor(dtype, dims(m, k), Domain::small_int, layout("a")),
          test::tensor(dtype, dims(k, n), Domain::small_int, layout("b")), test::absent()};
  c.out = {test::tensor(dtype, dims(m, n))};
  c.scalars = {test::scalar(1), test::scalar(0)};
  return c;
}

Case conv_case(const Line& line, uint32_t dtype) {
  const int64_t h = line.size("h"), r = line.size("r");
  const test::ConvShape shape{{line.size("n"), line.size("c"), h, line.size("w", h)},
                              {line.size("k"), r, line.size("s", r)},
                              {line.size("stride", 1)},
                              {line.size("pad", 0)},
                              {line.size("dilation", 1)},
                              static_cast<uint32_t>(line.size("groups", 1))};
  const std::string direction = line.text("dir");
  Case c = direction == "fwd"        ? test::conv_case(dtype, shape, test::Bias::none, true)
           : direction == "bwd-data" ? test::conv_gradient_case(dtype, shape, test::Wrt::input)
                                     : test::conv_gradient_case(dtype, shape, test::Wrt::weight);
  // Values do not matter, so that no forward has to feed them.
  c.forward.reset();
  c.feeds.clear();
  c.gradients.clear();
  for (test::Tensor& t : c.in) t.fill = Domain::small_int;
  return c;
}

struct Kind {
  const char* name;
  Case (*make)(const Line& line, uint32_t dtype);
};
constexpr Kind kKinds[] = {{"matmul", matmul_case}, {"conv", conv_case}};

}  // namespace

std::vector<Workload> workloads(const std::vector<std::string>& dtypes) {
  std::vector<Workload> found;
  for (const EmbeddedFile& file : bench_cases()) {
    std::istringstream lines(std::string(file.text, file.bytes));
    for (std::string text; std::getline(lines, text);) {
      const Line line(text);
      const auto kind = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& k) { return line.kind() == k.name; });
      if (kind == std::end(kKinds)) continue;
      for (const std::string& dtype : dtypes) {
        if (line.dtype() != kFloat32 && line.dtype() != dtype) continue;
        Case c = kind->make(line, dtype_of(dtype));
        c.name = line.name() + (dtype == line.dtype() ? "" : " as " + dtype);
        found.push_back({c.name, std::move(c)});
      }
    }
  }
  return found;
}

const std::vector<std::string>& tuned_ops() {
  static const std::vector<std::string> names = {"matmul", "conv", "conv_grad_input", "conv_grad_weight"};
  return names;
}

const std::vector<std::string>& tuned_dtypes() {
  static const std::vector<std::string> names = {"float32", "float64", "float16", "bfloat16"};
  return names;
}

}  // namespace oncilla::tools
