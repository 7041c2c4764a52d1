// What convolution and pooling demand: attributes in range, and output sizes that follow from them.
#include <limits>

#include "kit/check.hpp"

namespace oncilla::kit {
namespace {

// Attributes and window sizes beyond it would overflow the arithmetic below, and describe no image.
constexpr int64_t kMaxExtent = std::numeric_limits<int32_t>::max();

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }  // b > 0

void check_spatial_rank(const Rules& r, uint32_t rank) {
  r.holds(rank >= 1 && rank <= 3, "spatial_rank ", rank, " is not 1, 2 or 3");
  support(rank == 2, "[", r.desc.name(), "] spatial_rank ", rank, " is not served yet: 2 is");
}

// One spatial dim of a sliding window.
struct Window {
  size_t dim;
  int64_t in, out, kernel, stride, pad, dilation;
  // Positions between the first window's start and the last possible one; negative if the window does not fit.
  int64_t room() const { return in + 2 * pad - dilation * (kernel - 1) - 1; }
};

void check_window(const Rules& r, const Window& w) {
  r.holds(w.kernel >= 1 && w.kernel <= kMaxExtent, "kernel size ", w.kernel, " in spatial dim ", w.dim, " is not in 1 ... ",
          kMaxExtent);
  r.holds(w.stride >= 1 && w.stride <= kMaxExtent, "stride ", w.stride, " in spatial dim ", w.dim, " is not in 1 ... ", kMaxExtent);
  r.holds(w.pad >= 0 && w.pad <= kMaxExtent, "pad ", w.pad, " in spatial dim ", w.dim, " is not in 0 ... ", kMaxExtent);
  r.holds(w.dilation >= 1 && w.dilation <= kMaxExtent, "dilation ", w.dilation, " in spatial dim ", w.dim, " is not in 1 ... ",
          kMaxExtent);
}

// x [N, C, ...], w [K, C/groups, ...], y [N, K, ...], in whatever roles the op gives them.
void check_conv(const Rules& r, const Named& x, const Named& w, const Named& y) {
  const auto attrs = r.desc.attributes<onc_conv_attrs>();
  check_spatial_rank(r, attrs.spatial_rank);
  const uint32_t rank = attrs.spatial_rank + 2;
  r.floating(x);
  r.dtype(w, x->dtype);
  r.dtype(y, x->dtype);
  r.rank(x, rank);
  r.rank(w, rank);
  r.rank(y, rank);
  const int64_t groups = attrs.groups, channels = x->dims[1], filters = w->dims[0];
  r.holds(groups >= 1, "groups is ", groups);
  r.holds(channels % groups == 0, channels, " input channels do not divide into ", groups, " groups");
  r.holds(filters % groups == 0, filters, " output channels do not divide into ", groups, " groups");
  r.holds(w->dims[1] == channels / groups, w, " does not match ", channels, " input channels in ", groups, " groups");
  r.holds(y->dims[0] == x->dims[0], x, " and ", y, " do not share the batch: ", x->dims[0], " and ", y->dims[0]);
  r.holds(y->dims[1] == filters, y, " does not have the ", filters, " channels of ", w);
  for (size_t i = 0; i < attrs.spatial_rank; ++i) {
    const Window v{i, x->dims[2 + i], y->dims[2 + i], w->dims[2 + i], attrs.stride[i], attrs.pad[i], attrs.dilation[i]};
    check_window(r, v);
    r.holds(v.room() >= 0, "a kernel of ", v.kernel, " with dilation ", v.dilation, " does not fit in ", v.in, " with pad ", v.pad,
            " in spatial dim ", i);
    const int64_t expected = v.room() / v.stride + 1;
    r.holds(v.out == expected, "output size ", v.out, " in spatial dim ", i, " is not ", expected);
  }
}

// x [N, C, ...] and y [N, C, ...], in whatever roles the op gives them.
void check_pool(const Rules& r, const Named& x, const Named& y, bool average) {
  const auto attrs = r.desc.attributes<onc_pool_attrs>();
  check_spatial_rank(r, attrs.spatial_rank);
  const uint32_t rank = attrs.spatial_rank + 2;
  r.floating(x);
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

void conv(const Rules& r) {
  const Named x = r.in(0, "x"), w = r.in(1, "w"), bias = r.maybe_in(2, "bias"), y = r.out(0, "y");
  check_conv(r, x, w, y);
  r.dtype(bias, x->dtype);
  r.dims(bias, {w->dims[0]});
}

void conv_grad_input(const Rules& r) {
  const Named grad_out = r.in(0, "grad_out"), w = r.in(1, "w"), grad_in = r.out(0, "grad_in");
  check_conv(r, grad_in, w, grad_out);
}

void conv_grad_weight(const Rules& r) {
  const Named grad_out = r.in(0, "grad_out"), x = r.in(1, "x"), grad_w = r.out(0, "grad_w");
  check_conv(r, x, grad_w, grad_out);
}

void max_pool(const Rules& r) {
  const Named x = r.in(0, "x"), y = r.out(0, "y"), index = r.maybe_out(1, "index");
  check_pool(r, x, y, false);
  r.dtype(index, ONC_I64);
  r.dims(index, y->dims);
}

void max_pool_grad(const Rules& r) {
  const Named grad_out = r.in(0, "grad_out"), index = r.in(1, "index"), grad_in = r.out(0, "grad_in");
  check_pool(r, grad_in, grad_out, false);
  r.dtype(index, ONC_I64);
  r.dims(index, grad_out->dims);
}

void avg_pool(const Rules& r) { check_pool(r, r.in(0, "x"), r.out(0, "y"), true); }

void avg_pool_grad(const Rules& r) { check_pool(r, r.out(0, "grad_in"), r.in(0, "grad_out"), true); }

}  // namespace rules
}  // namespace oncilla::kit
