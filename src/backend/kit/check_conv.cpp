// What convolution and its gradients demand: attributes in range, and output sizes that follow from them.
#include "kit/check_window.hpp"

namespace oncilla::kit {
namespace {

// x [N, C, ...], w [K, C/groups, ...], y [N, K, ...], in whatever roles the op gives them.
void check_conv(const Rules& r, const Named& x, const Named& w, const Named& y) {
  const auto attrs = r.desc.attributes<onc_conv_attrs>();
  r.holds(attrs.spatial_rank >= 1 && attrs.spatial_rank <= 3, "spatial_rank ", attrs.spatial_rank, " is not 1, 2 or 3");
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

}  // namespace

namespace rules {

void conv(const Rules& r) {
  const Named x = r.in(0, "x"), w = r.in(1, "w"), bias = r.maybe_in(2, "bias"), y = r.out(0, "y");
  check_conv(r, x, w, y);
  const bool half = x->dtype == ONC_F16 || x->dtype == ONC_BF16;
  r.holds(!bias || bias->dtype == x->dtype || (half && bias->dtype == ONC_F32), "bias is ", dtype_name(bias ? bias->dtype : 0),
          ", not ", dtype_name(x->dtype), half ? " or float32" : "");
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

}  // namespace rules
}  // namespace oncilla::kit
