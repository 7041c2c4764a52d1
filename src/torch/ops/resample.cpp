// Resampling: interpolation to a size (nearest, linear, cubic; one to three spatial dims) and at the points of a grid.
#include "torch/kernel.hpp"

#include <ATen/native/GridSamplerUtils.h>
#include <c10/util/OptionalArrayRef.h>

#include <ATen/ops/_upsample_bicubic2d_aa_backward_meta.h>
#include <ATen/ops/_upsample_bicubic2d_aa_backward_ops.h>
#include <ATen/ops/_upsample_bicubic2d_aa_meta.h>
#include <ATen/ops/_upsample_bicubic2d_aa_ops.h>
#include <ATen/ops/_upsample_bilinear2d_aa_backward_meta.h>
#include <ATen/ops/_upsample_bilinear2d_aa_backward_ops.h>
#include <ATen/ops/_upsample_bilinear2d_aa_meta.h>
#include <ATen/ops/_upsample_bilinear2d_aa_ops.h>
#include <ATen/ops/_upsample_nearest_exact1d_backward_meta.h>
#include <ATen/ops/_upsample_nearest_exact1d_backward_ops.h>
#include <ATen/ops/_upsample_nearest_exact1d_meta.h>
#include <ATen/ops/_upsample_nearest_exact1d_ops.h>
#include <ATen/ops/_upsample_nearest_exact2d_backward_meta.h>
#include <ATen/ops/_upsample_nearest_exact2d_backward_ops.h>
#include <ATen/ops/_upsample_nearest_exact2d_meta.h>
#include <ATen/ops/_upsample_nearest_exact2d_ops.h>
#include <ATen/ops/_upsample_nearest_exact3d_backward_meta.h>
#include <ATen/ops/_upsample_nearest_exact3d_backward_ops.h>
#include <ATen/ops/_upsample_nearest_exact3d_meta.h>
#include <ATen/ops/_upsample_nearest_exact3d_ops.h>
#include <ATen/ops/grid_sampler_2d_backward_ops.h>
#include <ATen/ops/grid_sampler_2d_ops.h>
#include <ATen/ops/grid_sampler_3d_backward_ops.h>
#include <ATen/ops/grid_sampler_3d_ops.h>
#include <ATen/ops/upsample_bicubic2d_backward_meta.h>
#include <ATen/ops/upsample_bicubic2d_backward_ops.h>
#include <ATen/ops/upsample_bicubic2d_meta.h>
#include <ATen/ops/upsample_bicubic2d_ops.h>
#include <ATen/ops/upsample_bilinear2d_backward_meta.h>
#include <ATen/ops/upsample_bilinear2d_backward_ops.h>
#include <ATen/ops/upsample_bilinear2d_meta.h>
#include <ATen/ops/upsample_bilinear2d_ops.h>
#include <ATen/ops/upsample_linear1d_backward_meta.h>
#include <ATen/ops/upsample_linear1d_backward_ops.h>
#include <ATen/ops/upsample_linear1d_meta.h>
#include <ATen/ops/upsample_linear1d_ops.h>
#include <ATen/ops/upsample_nearest1d_backward_meta.h>
#include <ATen/ops/upsample_nearest1d_backward_ops.h>
#include <ATen/ops/upsample_nearest1d_meta.h>
#include <ATen/ops/upsample_nearest1d_ops.h>
#include <ATen/ops/upsample_nearest2d_backward_meta.h>
#include <ATen/ops/upsample_nearest2d_backward_ops.h>
#include <ATen/ops/upsample_nearest2d_meta.h>
#include <ATen/ops/upsample_nearest2d_ops.h>
#include <ATen/ops/upsample_nearest3d_backward_meta.h>
#include <ATen/ops/upsample_nearest3d_backward_ops.h>
#include <ATen/ops/upsample_nearest3d_meta.h>
#include <ATen/ops/upsample_nearest3d_ops.h>
#include <ATen/ops/upsample_trilinear3d_backward_meta.h>
#include <ATen/ops/upsample_trilinear3d_backward_ops.h>
#include <ATen/ops/upsample_trilinear3d_meta.h>
#include <ATen/ops/upsample_trilinear3d_ops.h>
#include <ATen/ops/zeros_like.h>

#include <array>

#include "torch/shaped.hpp"
#include "torch/spatial.hpp"

namespace oncilla::adapter {
namespace {

// --- to a size

using Sizes = c10::SymIntArrayRef;
using Factor = std::optional<double>;

template <class... Factors>
onc_upsample_attrs attributes(uint32_t mode, bool align_corners, bool antialias, Factors... factors) {
  onc_upsample_attrs out{};
  out.spatial_rank = sizeof...(factors);
  out.mode = mode;
  out.align_corners = align_corners;
  out.antialias = antialias;
  const std::array<Factor, sizeof...(factors)> given{factors...};
  for (size_t d = 0; d < given.size(); ++d) {
    // Factors of PyTorch are output over input.
    if (given[d] && *given[d] > 0) out.scale[d] = 1.0 / *given[d];
  }
  return out;
}

at::Tensor& resample(uint32_t code, const at::Tensor& from, const onc_upsample_attrs& attrs, at::Tensor& to) {
  if (to.numel() == 0) return to;
  Op op(code);
  op.in(in_ref(from)).out(out_ref(to)).attrs(attrs);
  run(op, from.device().index());
  return to;
}

// One op and its gradient; a factor for each spatial dim.
template <class Meta, class GradMeta, uint32_t kMode, class... Factors>
struct Nearest {
  static at::Tensor& forward(const at::Tensor& x, Sizes size, Factors... factors, at::Tensor& out) {
    need_floating(x, "resampling");
    Shaped<Meta> shaped({out});
    shaped.meta(x, C10_AS_INTARRAYREF_SLOW(size), factors...);
    return resample(ONC_OP_UPSAMPLE, x, attributes(kMode, false, false, factors...), out);
  }
  static at::Tensor& backward(const at::Tensor& grad, Sizes size, Sizes input_size, Factors... factors, at::Tensor& grad_in) {
    need_floating(grad, "resampling");
    Shaped<GradMeta> shaped({grad_in});
    shaped.meta(grad, C10_AS_INTARRAYREF_SLOW(size), C10_AS_INTARRAYREF_SLOW(input_size), factors...);
    return resample(ONC_OP_UPSAMPLE_GRAD, grad, attributes(kMode, false, false, factors...), grad_in);
  }
};
template <class Meta, class GradMeta, uint32_t kMode, bool kAntialias, class... Factors>
struct Smooth {
  static at::Tensor& forward(const at::Tensor& x, Sizes size, bool align_corners, Factors... factors, at::Tensor& out) {
    need_floating(x, "resampling");
    Shaped<Meta> shaped({out});
    shaped.meta(x, C10_AS_INTARRAYREF_SLOW(size), align_corners, factors...);
    return resample(ONC_OP_UPSAMPLE, x, attributes(kMode, align_corners, kAntialias, factors...), out);
  }
  static at::Tensor& backward(const at::Tensor& grad, Sizes size, Sizes input_size, bool align_corners, Factors... factors,
                              at::Tensor& grad_in) {
    need_floating(grad, "resampling");
    Shaped<GradMeta> shaped({grad_in});
    shaped.meta(grad, C10_AS_INTARRAYREF_SLOW(size), C10_AS_INTARRAYREF_SLOW(input_size), align_corners, factors...);
    return resample(ONC_OP_UPSAMPLE_GRAD, grad, attributes(kMode, align_corners, kAntialias, factors...), grad_in);
  }
};

using Nearest1d = Nearest<at::meta::structured_upsample_nearest1d, at::meta::structured_upsample_nearest1d_backward,
                          ONC_INTERPOLATE_NEAREST, Factor>;
using Nearest2d = Nearest<at::meta::structured_upsample_nearest2d, at::meta::structured_upsample_nearest2d_backward,
                          ONC_INTERPOLATE_NEAREST, Factor, Factor>;
using Nearest3d = Nearest<at::meta::structured_upsample_nearest3d, at::meta::structured_upsample_nearest3d_backward,
                          ONC_INTERPOLATE_NEAREST, Factor, Factor, Factor>;
using Exact1d = Nearest<at::meta::structured__upsample_nearest_exact1d, at::meta::structured__upsample_nearest_exact1d_backward,
                        ONC_INTERPOLATE_NEAREST_EXACT, Factor>;
using Exact2d = Nearest<at::meta::structured__upsample_nearest_exact2d, at::meta::structured__upsample_nearest_exact2d_backward,
                        ONC_INTERPOLATE_NEAREST_EXACT, Factor, Factor>;
using Exact3d = Nearest<at::meta::structured__upsample_nearest_exact3d, at::meta::structured__upsample_nearest_exact3d_backward,
                        ONC_INTERPOLATE_NEAREST_EXACT, Factor, Factor, Factor>;
using Linear1d = Smooth<at::meta::structured_upsample_linear1d, at::meta::structured_upsample_linear1d_backward,
                        ONC_INTERPOLATE_LINEAR, false, Factor>;
using Linear2d = Smooth<at::meta::structured_upsample_bilinear2d, at::meta::structured_upsample_bilinear2d_backward,
                        ONC_INTERPOLATE_LINEAR, false, Factor, Factor>;
using Linear3d = Smooth<at::meta::structured_upsample_trilinear3d, at::meta::structured_upsample_trilinear3d_backward,
                        ONC_INTERPOLATE_LINEAR, false, Factor, Factor, Factor>;
using Cubic2d = Smooth<at::meta::structured_upsample_bicubic2d, at::meta::structured_upsample_bicubic2d_backward,
                       ONC_INTERPOLATE_CUBIC, false, Factor, Factor>;
using LinearFiltered2d = Smooth<at::meta::structured__upsample_bilinear2d_aa, at::meta::structured__upsample_bilinear2d_aa_backward,
                                ONC_INTERPOLATE_LINEAR, true, Factor, Factor>;
using CubicFiltered2d = Smooth<at::meta::structured__upsample_bicubic2d_aa, at::meta::structured__upsample_bicubic2d_aa_backward,
                               ONC_INTERPOLATE_CUBIC, true, Factor, Factor>;

// --- at the points of a grid

template <int64_t kRank>
onc_grid_sample_attrs grid_attributes(const at::Tensor& x, const at::Tensor& grid, int64_t mode, int64_t border,
                                      bool align_corners) {
  need_floating(x, "grid sampling");
  at::native::check_grid_sampler_common(x, grid);
  if constexpr (kRank == 2) {
    at::native::check_grid_sampler_2d(x, grid);
  } else {
    at::native::check_grid_sampler_3d(x, grid, mode);
  }
  TORCH_CHECK(x.scalar_type() == grid.scalar_type(), "grid_sampler(): expected input and grid to have same dtype, but input has ",
              x.dtype(), " and grid has ", grid.dtype());
  // PyTorch counts bilinear, nearest, bicubic; and zeros, border, reflection as here.
  constexpr std::array<uint32_t, 3> kModes = {ONC_INTERPOLATE_LINEAR, ONC_INTERPOLATE_NEAREST, ONC_INTERPOLATE_CUBIC};
  TORCH_CHECK(mode >= 0 && mode < 3 && border >= 0 && border < 3, "grid_sampler(): no such mode ", mode, " or padding ", border);
  onc_grid_sample_attrs out{};
  out.mode = kModes[static_cast<size_t>(mode)];
  out.border = static_cast<uint32_t>(border);
  out.align_corners = align_corners;
  return out;
}

template <int64_t kRank>
at::Tensor grid_sample(const at::Tensor& x, const at::Tensor& grid, int64_t mode, int64_t border, bool align_corners) {
  const onc_grid_sample_attrs attrs = grid_attributes<kRank>(x, grid, mode, border, align_corners);
  std::vector<int64_t> sizes{x.size(0), x.size(1)};
  sizes.insert(sizes.end(), grid.sizes().begin() + 1, grid.sizes().end() - 1);
  const at::Tensor out = at::empty(sizes, x.options());
  if (out.numel() == 0) return out;
  Op op(ONC_OP_GRID_SAMPLE);
  op.in(in_ref(x)).in(in_ref(grid)).out(out_ref(out)).attrs(attrs);
  run(op, x.device().index());
  return out;
}

template <int64_t kRank>
std::tuple<at::Tensor, at::Tensor> grid_sample_grad(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& grid,
                                                    int64_t mode, int64_t border, bool align_corners, std::array<bool, 2> mask) {
  const onc_grid_sample_attrs attrs = grid_attributes<kRank>(x, grid, mode, border, align_corners);
  constexpr auto kDense = c10::MemoryFormat::Contiguous;
  if (grad.numel() == 0) return {mask[0] ? at::zeros_like(x, {}, kDense) : at::Tensor(), at::zeros_like(grid, {}, kDense)};
  // PyTorch always computes the gradient of the grid.
  const at::Tensor grad_x = mask[0] ? at::empty(x.sizes(), x.options()) : at::Tensor();
  const at::Tensor grad_grid = at::empty(grid.sizes(), grid.options());
  Op op(ONC_OP_GRID_SAMPLE_GRAD);
  op.in(in_ref(grad)).in(in_ref(x)).in(in_ref(grid));
  maybe_out(op, grad_x).out(out_ref(grad_grid)).attrs(attrs);
  run(op, x.device().index());
  return {grad_x, grad_grid};
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::upsample_nearest1d_out, Nearest1d::forward>(m);
  kernel<at::_ops::upsample_nearest1d_backward_grad_input, Nearest1d::backward>(m);
  kernel<at::_ops::upsample_nearest2d_out, Nearest2d::forward>(m);
  kernel<at::_ops::upsample_nearest2d_backward_grad_input, Nearest2d::backward>(m);
  kernel<at::_ops::upsample_nearest3d_out, Nearest3d::forward>(m);
  kernel<at::_ops::upsample_nearest3d_backward_grad_input, Nearest3d::backward>(m);
  kernel<at::_ops::_upsample_nearest_exact1d_out, Exact1d::forward>(m);
  kernel<at::_ops::_upsample_nearest_exact1d_backward_grad_input, Exact1d::backward>(m);
  kernel<at::_ops::_upsample_nearest_exact2d_out, Exact2d::forward>(m);
  kernel<at::_ops::_upsample_nearest_exact2d_backward_grad_input, Exact2d::backward>(m);
  kernel<at::_ops::_upsample_nearest_exact3d_out, Exact3d::forward>(m);
  kernel<at::_ops::_upsample_nearest_exact3d_backward_grad_input, Exact3d::backward>(m);
  kernel<at::_ops::upsample_linear1d_out, Linear1d::forward>(m);
  kernel<at::_ops::upsample_linear1d_backward_grad_input, Linear1d::backward>(m);
  kernel<at::_ops::upsample_bilinear2d_out, Linear2d::forward>(m);
  kernel<at::_ops::upsample_bilinear2d_backward_grad_input, Linear2d::backward>(m);
  kernel<at::_ops::upsample_trilinear3d_out, Linear3d::forward>(m);
  kernel<at::_ops::upsample_trilinear3d_backward_grad_input, Linear3d::backward>(m);
  kernel<at::_ops::upsample_bicubic2d_out, Cubic2d::forward>(m);
  kernel<at::_ops::upsample_bicubic2d_backward_grad_input, Cubic2d::backward>(m);
  kernel<at::_ops::_upsample_bilinear2d_aa_out, LinearFiltered2d::forward>(m);
  kernel<at::_ops::_upsample_bilinear2d_aa_backward_grad_input, LinearFiltered2d::backward>(m);
  kernel<at::_ops::_upsample_bicubic2d_aa_out, CubicFiltered2d::forward>(m);
  kernel<at::_ops::_upsample_bicubic2d_aa_backward_grad_input, CubicFiltered2d::backward>(m);
  kernel<at::_ops::grid_sampler_2d, grid_sample<2>>(m);
  kernel<at::_ops::grid_sampler_2d_backward, grid_sample_grad<2>>(m);
  kernel<at::_ops::grid_sampler_3d, grid_sample<3>>(m);
  kernel<at::_ops::grid_sampler_3d_backward, grid_sample_grad<3>>(m);
}

}  // namespace oncilla::adapter
