// Cases of COMPACT.
#include "ops/cases.hpp"

namespace oncilla::test {
namespace {

Case compact_case(int64_t n, const Fill& fill, const std::string& what, Layout layout = Layout::contiguous) {
  Case c;
  c.op = ONC_OP_COMPACT;
  c.name = "compact/nonzero " + std::to_string(n) + what + " " + layout_name(layout);
  onc_no_attrs attrs{};
  c.set_attrs(attrs);
  c.in = {tensor(ONC_BOOL, {n}, fill, layout)};
  c.out = {tensor(ONC_I64, {n}, {}, layout), tensor(ONC_I64, {})};
  return c;
}

}  // namespace

void cases_compact(Cases& cases) {
  for (int64_t n : {0, 1, 2, 5, 7, 11, 13, 63, 64, 65, 255, 256, 257, 511, 513, 1000, 4097, 70001}) {
    cases.push_back(compact_case(n, {}, ""));
    cases.push_back(compact_case(n, list({0}), " all false"));
    cases.push_back(compact_case(n, list({1}), " all true"));
  }
  for (int64_t n : {13, 300, 4099}) {
    cases.push_back(compact_case(n, {}, "", Layout::strided));
    cases.push_back(compact_case(n, list({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}), " sparse"));
    Case broadcast = compact_case(n, list({1}), " one for all");
    broadcast.in[0].broadcast = 1;
    cases.push_back(broadcast);
  }
  Case known = compact_case(6, list({0, 1, 1, 0, 0, 1}), " known");
  known.known = {{0, {1, 2, 5, 6, 6, 6}}, {1, {3}}};
  cases.push_back(known);
}

}  // namespace oncilla::test
