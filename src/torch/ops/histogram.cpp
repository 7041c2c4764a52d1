// Counts: bincount, and the tables through which PyTorch's histc, histogram and histogramdd reach a device. All end in one SCATTER
// of ones or weights, which adds in a fixed order.
#include "torch/kernel.hpp"

#include <ATen/native/Histogram.h>
#include <ATen/native/Resize.h>
#include <ATen/ops/_histogramdd_bin_edges_native.h>
#include <ATen/ops/_histogramdd_bin_edges_ops.h>
#include <ATen/ops/_histogramdd_from_bin_cts_native.h>
#include <ATen/ops/_histogramdd_from_bin_cts_ops.h>
#include <ATen/ops/_histogramdd_from_bin_tensors_native.h>
#include <ATen/ops/_histogramdd_from_bin_tensors_ops.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/bincount_ops.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/histc_native.h>
#include <ATen/ops/histc_ops.h>
#include <ATen/ops/histogram_native.h>
#include <ATen/ops/histogram_ops.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "torch/arguments.hpp"
#include "torch/indexing.hpp"
#include "torch/pointwise.hpp"

namespace oncilla::adapter {
namespace {

// y[k] = how often k stands in `bin`, or the sum of the weights there. What lies outside does not count.
void count_into(const at::Tensor& bin, const at::Tensor& weights, const at::Tensor& y) {
  if (bin.numel() == 0) {
    y.zero_();
    return;
  }
  if (weights.defined()) {
    scatter_into({}, 0, bin, weights.to(y.scalar_type()), ONC_SCATTER_SUM, true, y);
    return;
  }
  // Integers, since halves and float32 stop counting.
  const at::Tensor counts = at::empty(y.sizes(), bin.options());
  scatter_into({}, 0, bin, at::ones({}, bin.options()).expand(bin.sizes()), ONC_SCATTER_SUM, true, counts);
  y.copy_(counts);
}

at::Tensor bin_count(const at::Tensor& self, const Maybe& given, c10::SymInt sym_least) {
  const int64_t least = sym_least.guard_int(__FILE__, __LINE__);
  TORCH_CHECK(least >= 0, "minlength should be >= 0");
  need_dtype(self.scalar_type());
  if (self.is_floating_point() || self.scalar_type() == at::kBool)
    throw Declined(std::string("a count of ") + c10::toString(self.scalar_type()));
  const at::Tensor weights = given.value_or(at::Tensor());
  if (self.dim() == 1 && self.numel() == 0) return at::zeros({least}, self.options().dtype(at::kLong));
  TORCH_CHECK(self.dim() == 1, "bincount only supports 1-d non-negative integral inputs.");
  TORCH_CHECK(!weights.defined() || (weights.dim() == 1 && weights.numel() == self.numel()),
              "weights should be 1-d and have the same length as input");
  const at::Tensor range = at::stack({at::amin(self), at::amax(self)}).to(at::kLong).cpu();
  TORCH_CHECK(range[0].item<int64_t>() >= 0, "bincount only supports 1-d non-negative integral inputs.");
  const int64_t bins = std::max(range[1].item<int64_t>() + 1, least);
  const auto type = !weights.defined() ? at::kLong : weights.scalar_type() == at::kFloat ? at::kFloat : at::kDouble;
  const at::Tensor out = at::empty({bins}, self.options().dtype(type));
  count_into(as_long(self), weights, out);
  return out;
}

// --- histograms

// The bin of each number by edges; -1 outside of them, and for NaN. The last edge belongs to the last bin.
at::Tensor bins_by_search(const at::Tensor& x, const at::Tensor& edges) {
  const int64_t bins = edges.numel() - 1;
  const at::Tensor above = at::searchsorted(edges, x, false, true), out = at::empty_like(above);
  const at::Tensor low = edges[0], high = edges[bins];
  auto iter = at::TensorIteratorConfig()
                  .add_output(out)
                  .add_const_input(x)
                  .add_const_input(above)
                  .add_const_input(low)
                  .add_const_input(high)
                  .check_all_same_dtype(false)
                  .build();
  pointwise(iter, x.scalar_type(), {}, [&](Ctx& c) {
    const Value inside = logical_and(ge(c.x(0), c.x(2)), le(c.x(0), c.x(3)));
    const Value last = c.s(c10::Scalar(bins)), at = where(lt(c.x(1), last), c.x(1), last) - 1.0;
    return where(inside, at, c.c(-1));
  });
  return out;
}
// The same of equal widths, by division, as histc has it.
at::Tensor bins_by_division(const at::Tensor& x, const at::Tensor& edges) {
  const int64_t bins = edges.numel() - 1;
  const at::Tensor out = at::empty(x.sizes(), x.options().dtype(at::kLong)), low = edges[0], high = edges[bins];
  auto iter = at::TensorIteratorConfig()
                  .add_output(out)
                  .add_const_input(x)
                  .add_const_input(low)
                  .add_const_input(high)
                  .check_all_same_dtype(false)
                  .build();
  pointwise(iter, x.scalar_type(), {}, [bins](Ctx& c) {
    const Value x = c.x(0), first = c.x(1), end = c.x(2), inside = logical_and(ge(x, first), le(x, end));
    const Value at = trunc((x - first) * c.s(c10::Scalar(bins)) / (end - first)), last = c.s(c10::Scalar(bins - 1));
    return where(inside, where(lt(at, last), at, last), c.c(-1));
  });
  return out;
}

// x [..., dims], edges one tensor a dim.
void histogram_of(const at::Tensor& self, const Maybe& weight, bool density, at::Tensor& hist, at::TensorList edges,
                  at::Tensor (*bins_of)(const at::Tensor&, const at::Tensor&)) {
  TORCH_CHECK_NOT_IMPLEMENTED(self.is_floating_point(), "\"histogram\" not implemented for '", self.scalar_type(), "'");
  const int64_t dims = self.size(-1);
  const at::Tensor points = self.reshape({dims == 0 ? 0 : self.numel() / dims, dims});
  if (hist.numel() > 0) {
    at::Tensor bin;
    for (int64_t d = 0; d < dims; ++d) {
      const at::Tensor at = bins_of(points.select(1, d).contiguous(), edges[static_cast<size_t>(d)].contiguous());
      // A point outside in one dim must stay outside: far below zero, whatever is added.
      bin = d == 0 ? at : at::where(bin.lt(0).logical_or(at.lt(0)), -1, bin.mul(hist.size(d)).add(at));
    }
    const at::Tensor y = hist.is_contiguous() ? hist : at::empty(hist.sizes(), hist.options());
    const at::Tensor flat = weight && weight->defined() ? weight->reshape({points.size(0)}) : at::Tensor();
    if (bin.defined()) count_into(bin, flat, y.view({hist.numel()}));
    if (!y.is_same(hist)) hist.copy_(y);
  }
  if (!density) return;
  hist.div_(hist.sum());
  for (int64_t d = 0; d < dims; ++d) {
    std::vector<int64_t> shape(static_cast<size_t>(dims), 1);
    shape[static_cast<size_t>(d)] = -1;
    hist.div_(edges[static_cast<size_t>(d)].diff().reshape(shape));
  }
}
void histogram_by_search(const at::Tensor& self, const Maybe& weight, bool density, at::Tensor& hist, const at::TensorList& edges) {
  histogram_of(self, weight, density, hist, edges, &bins_by_search);
}
// PyTorch's local search near the divided position finds what a whole search does.
void histogram_of_equal_bins(const at::Tensor& self, const Maybe& weight, bool density, at::Tensor& hist,
                             const at::TensorList& edges, bool local_search) {
  histogram_of(self, weight, density, hist, edges, local_search ? &bins_by_search : &bins_by_division);
}
void outer_edges(const at::Tensor& input, const int64_t dims, std::vector<double>& low, std::vector<double>& high) {
  const at::Tensor range = at::stack({at::amin(input, {0}), at::amax(input, {0})}).cpu().to(at::kDouble);
  for (int64_t d = 0; d < dims; ++d) {
    low[static_cast<size_t>(d)] = range[0][d].item<double>();
    high[static_cast<size_t>(d)] = range[1][d].item<double>();
  }
}

using Range = std::optional<at::ArrayRef<double>>;
at::Tensor histc(const at::Tensor& self, int64_t bins, const at::Scalar& low, const at::Scalar& high) {
  need_floating(self, "a histogram");
  return at::native::histogram_histc(self, bins, low, high);
}
at::Tensor& histc_out(const at::Tensor& self, int64_t bins, const at::Scalar& low, const at::Scalar& high, at::Tensor& out) {
  need_floating(self, "a histogram");
  return at::native::histogram_histc_out(self, bins, low, high, out);
}
using Two = std::tuple<at::Tensor, at::Tensor>;
using TwoOut = std::tuple<at::Tensor&, at::Tensor&>;
Two histogram_bins(const at::Tensor& self, int64_t bins, Range range, const Maybe& weight, bool density) {
  need_floating(self, "a histogram");
  return at::native::histogram(self, bins, range, weight, density);
}
TwoOut histogram_bins_out(const at::Tensor& self, int64_t bins, Range range, const Maybe& weight, bool density, at::Tensor& hist,
                          at::Tensor& edges) {
  need_floating(self, "a histogram");
  return at::native::histogram_out(self, bins, range, weight, density, hist, edges);
}
Two histogram_edges(const at::Tensor& self, const at::Tensor& bins, const Maybe& weight, bool density) {
  need_floating(self, "a histogram");
  return at::native::histogram(self, bins, weight, density);
}
TwoOut histogram_edges_out(const at::Tensor& self, const at::Tensor& bins, const Maybe& weight, bool density, at::Tensor& hist,
                           at::Tensor& edges) {
  need_floating(self, "a histogram");
  return at::native::histogram_out(self, bins, weight, density, hist, edges);
}
std::vector<at::Tensor> edges_of_dims(const at::Tensor& self, at::IntArrayRef bins, Range range, const Maybe& weight,
                                      bool density) {
  need_floating(self, "a histogram");
  return at::native::histogramdd_bin_edges(self, bins, range, weight, density);
}
at::Tensor histogram_of_dims(const at::Tensor& self, at::IntArrayRef bins, Range range, const Maybe& weight, bool density) {
  need_floating(self, "a histogram");
  return at::native::_histogramdd(self, bins, range, weight, density);
}
at::Tensor histogram_of_dim_edges(const at::Tensor& self, at::TensorList bins, const Maybe& weight, bool density) {
  need_floating(self, "a histogram");
  return at::native::_histogramdd(self, bins, weight, density);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::bincount, bin_count>(m);
  kernel<at::_ops::histc, histc>(m);
  kernel<at::_ops::histc_out, histc_out>(m);
  kernel<at::_ops::histogram_bin_ct, histogram_bins>(m);
  kernel<at::_ops::histogram_bin_ct_out, histogram_bins_out>(m);
  kernel<at::_ops::histogram_bins_tensor, histogram_edges>(m);
  kernel<at::_ops::histogram_bins_tensor_out, histogram_edges_out>(m);
  kernel<at::_ops::_histogramdd_bin_edges, edges_of_dims>(m);
  kernel<at::_ops::_histogramdd_from_bin_cts, histogram_of_dims>(m);
  kernel<at::_ops::_histogramdd_from_bin_tensors, histogram_of_dim_edges>(m);
}

}  // namespace oncilla::adapter

// PyTorch's histograms read these tables after their checks.
namespace at::native {
REGISTER_PRIVATEUSE1_DISPATCH(histogramdd_stub, &oncilla::adapter::histogram_by_search)
REGISTER_PRIVATEUSE1_DISPATCH(histogramdd_linear_stub, &oncilla::adapter::histogram_of_equal_bins)
REGISTER_PRIVATEUSE1_DISPATCH(histogram_select_outer_bin_edges_stub, &oncilla::adapter::outer_edges)
}  // namespace at::native
