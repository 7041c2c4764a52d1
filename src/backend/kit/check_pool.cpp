// What pooling demands: attributes in range, and output sizes that follow from them.
#include "kit/check_window.hpp"

namespace oncilla::kit {
namespace {

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }  // b > 0

void check_spatial_rank(const Rules& r, uint32_t rank) {
  r.holds(rank >= 1 && rank <= 3, "spatial_rank ", rank, " is not 1, 2 or 3");
}

// x [N, C, ...] and y [N, C, ...], in whatever roles the op gives them.
void check_pool(const Rules& r, const Named& x, const Named& y, bool average) {
  const auto attrs = r.desc.attributes<onc_pool_attrs>();
  check_spatial_rank(r, attrs.spatial_rank);
  const uint32_t rank = attrs.spatial_rank + 2;
  r.dtype(y, x->dtype);
  r.rank(x, rank);
  r.rank(y, rank);
  r.holds(x->dims[0] == y->dims[0] && x->dims[1] == y->dims[1], x, " and ", y, " do not share batch and channels");
  r.flag("count_include_pad", attrs.count_include_pad);
  r.holds(attrs.divisor_override >= 0, "divisor_override ", attrs.divisor_override, " is negative");
  for (size_t i = 0; i < attrs.spatial_rank; ++i) {
    const Window v{i, x->dims[2 + i], y->dims[2 + i], attrs.kernel[i], attrs.stride[i], attrs.pad[i], attrs.dilation[i]};
    check_window(r, v);
    const int64_t extent = v.dilation * (v.kernel - 1) + 1;
    r.holds(v.pad <= extent / 2, "pad ", v.pad, " in spatial dim ", i, " is above half of the window's ", extent);
    r.holds(!average || v.dilation == 1, "dilation ", v.dilation, " in spatial dim ", i, ": average pooling has none");
    // Rounding down or up (ceil mode) are both in use.
    const int64_t least = floor_div(v.room(), v.stride) + 1, most = floor_div(v.room() + v.stride - 1, v.stride) + 1;
    r.holds(v.out >= 1 && v.out >= least && v.out <= most, "output size ", v.out, " in spatial dim ", i, " is not in ",
            std::max<int64_t>(least, 1), " ... ", most, " of a window of ", extent, " over ", v.in, " with pad ", v.pad,
            " and stride ", v.stride);
    r.holds((v.out - 1) * v.stride < v.in + v.pad, "output size ", v.out, " in spatial dim ", i,
            ": the last window begins behind the input of ", v.in, " with pad ", v.pad, " and stride ", v.stride);
  }
}

}  // namespace

namespace rules {

void max_pool(const Rules& r) {
  const Named x = r.in(0, "x"), y = r.out(0, "y"), index = r.maybe_out(1, "index");
  r.holds(x->dtype != ONC_BOOL, "x is bool, which has no maximum");
  check_pool(r, x, y, false);
  r.dtype(index, ONC_I64);
  r.dims(index, y->dims);
}

void max_pool_grad(const Rules& r) {
  const Named grad_out = r.in(0, "grad_out"), index = r.in(1, "index"), grad_in = r.out(0, "grad_in");
  r.floating(grad_out);
  check_pool(r, grad_in, grad_out, false);
  r.dtype(index, ONC_I64);
  r.dims(index, grad_out->dims);
}

void avg_pool(const Rules& r) {
  const Named x = r.in(0, "x"), y = r.out(0, "y");
  r.floating(x);
  check_pool(r, x, y, true);
}

void avg_pool_grad(const Rules& r) {
  const Named grad_out = r.in(0, "grad_out"), grad_in = r.out(0, "grad_in");
  r.floating(grad_in);
  check_pool(r, grad_in, grad_out, true);
}

}  // namespace rules
}  // namespace oncilla::kit
