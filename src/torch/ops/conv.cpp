// Convolutions, plain and transposed, forward and backward, through CONV, CONV_GRAD_INPUT and CONV_GRAD_WEIGHT. PyTorch makes 1-D
// ones 2-D.
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/sum.h>

#include "torch/kernel.hpp"

namespace oncilla::adapter {
namespace {

using Sizes = c10::SymIntArrayRef;

struct Settings {
  std::vector<int64_t> stride, pad, dilation, output_pad;
  int64_t groups;
  bool transposed;
};

std::vector<int64_t> spread(Sizes sizes, size_t rank) {
  const auto ints = C10_AS_INTARRAYREF_SLOW(sizes);
  std::vector<int64_t> out(rank, ints.empty() ? 0 : ints[0]);
  if (ints.size() == rank) out.assign(ints.begin(), ints.end());
  return out;
}

Settings settings(const at::Tensor& x, Sizes stride, Sizes pad, Sizes dilation, bool transposed, Sizes output_pad,
                  const c10::SymInt& groups) {
  const size_t rank = static_cast<size_t>(x.dim() - 2);
  return {spread(stride, rank),
          spread(pad, rank),
          spread(dilation, rank),
          spread(output_pad, rank),
          groups.guard_int(__FILE__, __LINE__),
          transposed};
}

onc_conv_attrs attributes(const Settings& s) {
  onc_conv_attrs out{};
  out.spatial_rank = static_cast<uint32_t>(s.stride.size());
  out.groups = static_cast<uint32_t>(s.groups);
  for (size_t d = 0; d < s.stride.size(); ++d) {
    out.stride[d] = s.stride[d];
    out.pad[d] = s.pad[d];
    out.dilation[d] = s.dilation[d];
  }
  return out;
}

void need_served(const at::Tensor& x) {
  if (x.dim() < 3 || x.dim() > 5) throw Declined(std::to_string(x.dim() - 2) + "-D convolution");
  need_dtype(x.scalar_type());
  if (!x.is_floating_point()) throw Declined(std::string("convolution in ") + c10::toString(x.scalar_type()));
}

std::vector<int64_t> output_size(const at::Tensor& x, const at::Tensor& w, const Settings& s) {
  std::vector<int64_t> out{x.size(0), s.transposed ? w.size(1) * s.groups : w.size(0)};
  for (size_t d = 0; d < s.stride.size(); ++d) {
    const int64_t in = x.size(static_cast<int64_t>(d) + 2), reach = s.dilation[d] * (w.size(static_cast<int64_t>(d) + 2) - 1);
    out.push_back(s.transposed ? (in - 1) * s.stride[d] - 2 * s.pad[d] + reach + 1 + s.output_pad[d]
                               : (in + 2 * s.pad[d] - reach - 1) / s.stride[d] + 1);
  }
  return out;
}

void run_conv(uint32_t number, const at::Tensor& a, const at::Tensor& b, const at::Tensor& bias, const at::Tensor& out,
              const Settings& s) {
  if (out.numel() == 0) return;
  Op op(number);
  op.in(in_ref(a)).in(in_ref(b));
  if (number == ONC_OP_CONV) maybe_in(op, bias);
  op.out(out_ref(out)).attrs(attributes(s));
  run(op, out.device().index());
}

at::Tensor forward(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias, const Settings& s) {
  const at::Tensor out = at::empty(output_size(x, w, s), x.options());
  if (!s.transposed) {
    run_conv(ONC_OP_CONV, x, w, bias, out, s);
    return out;
  }
  run_conv(ONC_OP_CONV_GRAD_INPUT, x, w, {}, out, s);
  if (!bias.defined()) return out;
  std::vector<int64_t> channels(static_cast<size_t>(x.dim()), 1);
  channels[1] = -1;
  return out.add_(bias.view(channels));
}

// PyTorch allows an output padding of a stride and more where the dilation is greater. That is the convolution of an input with as
// many zeros behind it: a tensor is given them, and the settings keep what is left.
at::Tensor with_zeros_behind(const at::Tensor& x, Settings& s) {
  std::vector<int64_t> pads;
  bool any = false;
  for (size_t d = s.stride.size(); d-- > 0;) {
    const int64_t rows = s.transposed ? s.output_pad[d] / s.stride[d] : 0;
    s.output_pad[d] -= rows * s.stride[d];
    pads.insert(pads.end(), {0, rows});
    any = any || rows > 0;
  }
  return any ? at::constant_pad_nd(x, pads, 0) : x;
}

at::Tensor on_cpu(const at::Tensor& t) { return t.defined() ? t.cpu() : t; }

at::Tensor convolution(const at::Tensor& input, const at::Tensor& weight, const std::optional<at::Tensor>& bias, Sizes stride,
                       Sizes pad, Sizes dilation, bool transposed, Sizes output_pad, c10::SymInt groups) {
  const Settings s = settings(input, stride, pad, dilation, transposed, output_pad, groups);
  const at::Tensor b = bias.value_or(at::Tensor());
  TORCH_CHECK(weight.device() == input.device() && (!b.defined() || b.device() == input.device()),
              "Expected all tensors to be on the same device, but found at least two devices, ", input.device(), " and ",
              weight.device() != input.device() ? weight.device() : b.device(), "!");
  try {
    need_served(input);
    Settings kernel = s;
    const at::Tensor x = with_zeros_behind(input, kernel);
    return forward(x.contiguous(), weight.contiguous(), b.defined() ? b.contiguous() : b, kernel);
  } catch (const Declined& declined) {
    // No CPU kernel has this op's name: PyTorch's own convolution stands in.
    note_fallback("aten::convolution_overrideable", declined.what());
    return at::convolution(on_cpu(input), on_cpu(weight), b.defined() ? std::optional(on_cpu(b)) : std::nullopt, s.stride, s.pad,
                           s.dilation, transposed, s.output_pad, s.groups)
        .to(input.device());
  }
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(const at::Tensor& grad_given, const at::Tensor& input,
                                                                    const at::Tensor& weight, Sizes stride, Sizes pad,
                                                                    Sizes dilation, bool transposed, Sizes output_pad,
                                                                    c10::SymInt groups, std::array<bool, 3> mask) {
  const Settings s = settings(input, stride, pad, dilation, transposed, output_pad, groups);
  Settings kernel = s;
  at::Tensor grad_input, grad_weight, grad_bias;
  try {
    need_served(input);
    const at::Tensor grad = grad_given.contiguous(), x = with_zeros_behind(input, kernel).contiguous(), w = weight.contiguous();
    if (mask[0]) {
      grad_input = at::empty(x.sizes(), x.options());
      run_conv(transposed ? ONC_OP_CONV : ONC_OP_CONV_GRAD_INPUT, grad, w, {}, grad_input, kernel);
      for (int64_t d = 2; d < x.dim(); ++d) grad_input = grad_input.narrow(d, 0, input.size(d));
    }
    if (mask[1]) {
      grad_weight = at::empty(w.sizes(), w.options());
      // A transposed convolution's weight gradient swaps the roles of input and output.
      if (x.numel() == 0 || grad.numel() == 0) {
        grad_weight.zero_();
      } else if (transposed) {
        run_conv(ONC_OP_CONV_GRAD_WEIGHT, x, grad, {}, grad_weight, kernel);
      } else {
        run_conv(ONC_OP_CONV_GRAD_WEIGHT, grad, x, {}, grad_weight, kernel);
      }
    }
    if (mask[2]) {
      std::vector<int64_t> all_but_channels{0};
      for (int64_t d = 2; d < grad.dim(); ++d) all_but_channels.push_back(d);
      grad_bias = at::sum(grad, all_but_channels);
    }
  } catch (const Declined& declined) {
    note_fallback("aten::convolution_backward_overrideable", declined.what());
    const int64_t channels = transposed ? weight.size(1) * s.groups : weight.size(0);
    auto [gi, gw, gb] =
        at::convolution_backward(on_cpu(grad_given), on_cpu(input), on_cpu(weight), at::OptionalIntArrayRef({channels}), s.stride,
                                 s.pad, s.dilation, transposed, s.output_pad, s.groups, mask);
    if (mask[0]) grad_input = gi.to(input.device());
    if (mask[1]) grad_weight = gw.to(input.device());
    if (mask[2]) grad_bias = gb.to(input.device());
  }
  return {grad_input, grad_weight, grad_bias};
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("convolution_overrideable", &convolution);
  m.impl("convolution_backward_overrideable", &convolution_backward);
}

}  // namespace oncilla::adapter
