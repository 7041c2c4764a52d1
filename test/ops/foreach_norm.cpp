// Cases of FOREACH_NORM.
#include <cmath>
#include <limits>

#include "ops/cases.hpp"

namespace oncilla::test {
namespace {

constexpr const char* kKinds[] = {"max", "1", "2"};

Case norm_case(const std::string& name, uint32_t kind, uint32_t dtype, const std::vector<int64_t>& sizes, const Fill& fill) {
  Case c;
  c.op = ONC_OP_FOREACH_NORM;
  c.name = std::string("foreach_norm/") + dtype_name(dtype) + " " + kKinds[kind] + " " + name;
  for (const int64_t n : sizes) c.in.push_back(tensor(dtype, {n}, fill));
  c.out = {tensor(dtype == ONC_F64 ? uint32_t{ONC_F64} : uint32_t{ONC_F32}, {static_cast<int64_t>(sizes.size())})};
  onc_foreach_norm_attrs attrs{};
  attrs.kind = kind;
  c.set_attrs(attrs);
  return c;
}

}  // namespace

void cases_foreach_norm(Cases& cases) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::pair<const char*, std::vector<int64_t>>> lists = {
      {"one", {1}},
      {"odd", {5, 7, 11, 13, 17}},
      {"with empty", {0, 3, 0, 0, 4097, 0}},
      {"only empty", {0, 0}},
      {"uneven", {4096, 70001, 1, 8192, 33}},
      {"many", std::vector<int64_t>(300, 19)},
  };
  for (const uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    for (uint32_t kind = 0; kind < 3; ++kind) {
      for (const auto& [name, sizes] : lists) cases.push_back(norm_case(name, kind, dtype, sizes, {}));
      // 3, 4 and zeros; infinities and NaN in the middle and at the end.
      Case known = norm_case("known", kind, dtype, {2, 40, 37, 20, 20}, list({3, -4}));
      for (size_t t = 1; t < 5; ++t) known.in[t].fill = list(std::vector<double>(static_cast<size_t>(known.in[t].dims[0]), 0.0));
      known.in[1].fill.values[17] = -inf;
      known.in[2].fill.values[36] = nan;
      known.in[3].fill.values[3] = nan;
      known.in[3].fill.values[19] = inf;
      known.in[4].fill.values[0] = -0.0;
      const double first[] = {4, 7, 5};
      known.known = {{0, {first[kind], inf, nan, nan, 0}}};
      cases.push_back(known);
    }
    Case shaped = norm_case("of a matrix, into every second place", ONC_NORM_2, dtype, {1, 1, 1}, {});
    shaped.in[0].dims = {3, 5};
    shaped.in[1].dims = {};
    shaped.in[2].dims = {2, 1, 7};
    shaped.out[0].layout = Layout::strided;
    cases.push_back(shaped);
  }
  // Squares of float16 pass its range, those of float32 do not reach theirs here: nothing is lost by accumulating in float32.
  Case large = norm_case("large", ONC_NORM_2, ONC_F16, {1000}, list({60000}));
  large.known = {{0, {60000 * std::sqrt(1000.0)}}};
  cases.push_back(large);
}

}  // namespace oncilla::test
