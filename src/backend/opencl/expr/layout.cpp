#include "expr/layout.hpp"

#include <algorithm>
#include <numeric>

namespace oncilla::ocl {

namespace {

int64_t product(const kit::Dims& dims, size_t begin, size_t end) {
  int64_t n = 1;
  for (size_t d = begin; d < end; ++d) n *= dims[d];
  return n;
}

// Where a dim belongs: by the lead operand's stride, or, where that broadcasts, by the largest stride of the others.
int64_t rank_of(const std::vector<Strides>& strides, size_t lead, size_t d) {
  if (lead < strides.size() && strides[lead][d] != 0) return strides[lead][d];
  int64_t most = 0;
  for (const Strides& s : strides) most = std::max(most, s[d]);
  return most;
}

// The dims [begin, end) without those of size 1, ordered, joined; appended to `out`.
void collapse_part(const kit::Dims& dims, const std::vector<Strides>& strides, size_t begin, size_t end, bool reorder, size_t lead,
                   Layout& out) {
  std::vector<size_t> kept;
  for (size_t d = begin; d < end; ++d) {
    if (dims[d] != 1) kept.push_back(d);
  }
  if (reorder) {
    std::stable_sort(kept.begin(), kept.end(),
                     [&](size_t x, size_t y) { return rank_of(strides, lead, x) > rank_of(strides, lead, y); });
  }
  const size_t first = out.dims.size();
  for (size_t d : kept) {
    const auto joins = [&](size_t o) { return out.strides[o].back() == strides[o][d] * dims[d]; };
    bool join = out.dims.size() > first;
    for (size_t o = 0; join && o < strides.size(); ++o) join = joins(o);
    if (join) {
      out.dims.back() *= dims[d];
      for (size_t o = 0; o < strides.size(); ++o) out.strides[o].back() = strides[o][d];
    } else {
      out.dims.push_back(dims[d]);
      for (size_t o = 0; o < strides.size(); ++o) out.strides[o].push_back(strides[o][d]);
    }
  }
}

}  // namespace

int64_t Layout::kept_numel() const { return product(dims, 0, kept()); }
int64_t Layout::reduced_numel() const { return product(dims, kept(), dims.size()); }

Layout collapse(const kit::Dims& dims, size_t reduced, std::vector<Strides> strides, const Order& order) {
  Layout out;
  out.strides.resize(strides.size());
  const size_t kept = dims.size() - reduced;
  collapse_part(dims, strides, 0, kept, true, order.lead, out);
  const size_t boundary = out.dims.size();
  collapse_part(dims, strides, kept, dims.size(), order.reduced_free, order.lead, out);
  out.reduced = out.dims.size() - boundary;
  return out;
}

int64_t reach(const kit::Dims& dims, const Strides& strides) {
  int64_t at = 0;
  for (size_t d = 0; d < dims.size(); ++d) at += std::max<int64_t>(0, dims[d] - 1) * strides[d];
  return at;
}

}  // namespace oncilla::ocl
