// What ATTENTION and its gradient share: the weights of one query row, from the definition.
#pragma once

#include <cstdint>
#include <vector>

#include "plan.hpp"

namespace oncilla::reference {

class Attention {
 public:
  // q, k, v and mask are inputs first, first + 1, ... of the descriptor.
  Attention(const Call& call, size_t first);

  // Of query row (b, h, i), over all keys: the softmax and what dropout makes of it. Fills lse.
  struct Row {
    std::vector<double> softmax, weight;  // 0 for hidden keys
    std::vector<double> kept;             // d weight / d softmax: 0, or 1 / (1 - dropout)
    double lse = 0;
  };
  Row row(int64_t b, int64_t h, int64_t i) const;

  size_t query(int64_t b, int64_t h, int64_t i) const { return static_cast<size_t>(((b * heads + h) * length + i) * size); }
  size_t key(int64_t b, int64_t h, int64_t j) const { return static_cast<size_t>(((b * groups + group(h)) * keys + j) * size); }
  size_t value(int64_t b, int64_t h, int64_t j) const {
    return static_cast<size_t>(((b * groups + group(h)) * keys + j) * value_size);
  }
  size_t result(int64_t b, int64_t h, int64_t i) const { return static_cast<size_t>(((b * heads + h) * length + i) * value_size); }

  int64_t batch, heads, length, size, groups, keys, value_size;
  double scale;
  std::vector<double> q, k, v;

 private:
  int64_t group(int64_t h) const { return h / (heads / groups); }
  const Call& call_;
  bool causal_, dropout_, boolean_;
  std::vector<double> added_;
  std::vector<int64_t> shown_;
};

}  // namespace oncilla::reference
