// The problems of attention and of its gradient.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "ops/cases.hpp"

namespace oncilla::test {

struct AttentionProblem {
  int64_t batch, heads, groups, length, keys, size, value_size;
  const char* mask = "";  // "", "shown", "added", each perhaps with " of keys" (one row for all) or " rows" (some rows hidden)
  bool causal = false;
  double dropout = 0;
  Layout layout = Layout::contiguous;
};

inline std::vector<AttentionProblem> attention_problems() {
  const Layout plain = Layout::contiguous;
  return {{1, 1, 1, 1, 1, 1, 1},
          {1, 1, 1, 5, 7, 5, 7},
          {2, 2, 2, 7, 5, 13, 1},
          {1, 2, 1, 13, 33, 7, 5, "", true},
          {1, 2, 2, 33, 13, 5, 33, "", true},
          {2, 4, 2, 17, 19, 5, 7},
          {1, 3, 1, 9, 40, 33, 13, "added"},
          {1, 2, 2, 5, 65, 13, 7, "shown"},
          {2, 2, 1, 7, 33, 5, 13, "shown of keys"},
          {2, 2, 2, 7, 33, 5, 13, "added of keys", true},
          {1, 2, 2, 13, 7, 5, 5, "shown rows"},
          {1, 2, 2, 13, 7, 5, 5, "added rows"},
          {1, 1, 1, 33, 64, 33, 65},
          {1, 1, 1, 65, 65, 64, 64, "", true},
          {1, 2, 2, 7, 37, 5, 7, "", false, 0.25},
          {2, 4, 1, 9, 21, 5, 7, "shown", true, 0.5},
          {1, 1, 1, 5, 7, 3, 3, "", false, 1},
          {2, 2, 2, 5, 7, 5, 7, "added", false, 0, Layout::reversed},
          {2, 2, 1, 7, 35, 5, 7, "shown", true, 0, Layout::swapped},
          {1, 2, 2, 5, 7, 13, 11, "", false, 0, Layout::strided},
          {1, 2, 2, 5, 7, 13, 11, "", false, 0, Layout::padded},
          {2, 4, 2, 1, 70, 67, 77, "shown"},
          {1, 2, 1, 3, 45, 64, 150, "added", true, 0.25},
          {0, 2, 2, 5, 7, 5, 7, "", false, 0, plain},
          {1, 2, 2, 0, 7, 5, 7, "", false, 0, plain},
          {1, 2, 2, 5, 0, 5, 7, "", false, 0, plain},
          {1, 1, 1, 5, 7, 0, 3, "", false, 0, plain}};
}

inline Case attention_case(uint32_t dtype, const AttentionProblem& p) {
  const std::string mask = p.mask;
  const bool of_keys = mask.ends_with(" of keys"), rows = mask.ends_with(" rows"), shown = mask.starts_with("shown");
  Case c;
  c.op = ONC_OP_ATTENTION;
  c.name = std::string("attention/") + dtype_name(dtype) + " " + dims_name({p.batch, p.heads, p.groups}) + " of " +
           dims_name({p.length, p.keys, p.size, p.value_size}) + (mask.empty() ? "" : " " + mask) + (p.causal ? " causal" : "");
  if (p.dropout != 0) c.name += " dropout " + std::to_string(p.dropout).substr(0, 4);
  if (p.layout != Layout::contiguous) c.name += std::string(" ") + layout_name(p.layout);
  onc_attention_attrs attrs{};
  attrs.causal = p.causal;
  attrs.dropout = p.dropout != 0;
  c.set_attrs(attrs);
  const auto like = [&](int64_t heads, int64_t length, int64_t size) {
    return tensor(dtype, {p.batch, heads, length, size}, Domain::unit, p.layout);
  };
  c.in = {like(p.heads, p.length, p.size), like(p.groups, p.keys, p.size), like(p.groups, p.keys, p.value_size), absent()};
  if (!mask.empty()) {
    // Broadcast over heads too, or over all but the keys. Hidden rows: a period of three rows of which one sees nothing.
    Fill fill = shown ? Fill(Domain::boolean) : Fill(Domain::any);
    if (rows) {
      std::vector<double> values;
      for (int64_t i = 0; i < 3 * p.keys; ++i) values.push_back(i / p.keys == 1 ? (shown ? 0 : -INFINITY) : (shown ? 1 : 0.5));
      fill = list(values);
    }
    c.in[3] = tensor(shown ? uint32_t{ONC_BOOL} : dtype, {p.batch, p.heads, p.length, p.keys}, fill, p.layout, of_keys ? 7 : 2);
  }
  const uint32_t statistics = dtype == ONC_F64 ? ONC_F64 : ONC_F32;
  c.out = {like(p.heads, p.length, p.value_size), tensor(statistics, {p.batch, p.heads, p.length})};
  c.labels = {"y", "lse"};
  c.scalars = {scalar(0.4), scalar(p.dropout), scalar_int(0x123456789abcdef), scalar_int(77)};
  return c;
}

}  // namespace oncilla::test
