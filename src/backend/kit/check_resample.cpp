// What padding, resampling and the pools with windows of unlike sizes demand.
#include <cmath>
#include <limits>

#include "kit/check.hpp"

namespace oncilla::kit {
namespace {

constexpr int64_t kMaxPad = int64_t{1} << 48;
// Kernels compute positions along one spatial dim in 32 bits, and a few sums of them.
constexpr int64_t kMaxExtent = std::numeric_limits<int32_t>::max();

void check_sizes(const Rules& r, const Named& t) {
  for (size_t i = 2; i < t->rank(); ++i)
    r.holds(t->dims[i] <= kMaxExtent, t.name, " has size ", t->dims[i], " in spatial dim ", i - 2, ", above ", kMaxExtent);
}

// x [N, C, ...] and y [N, C, ...] with so many spatial dims; y reads something of x.
void check_images(const Rules& r, const Named& x, const Named& y, uint32_t spatial_rank) {
  r.holds(spatial_rank >= 1 && spatial_rank <= 3, "spatial_rank ", spatial_rank, " is not 1, 2 or 3");
  r.rank(x, spatial_rank + 2);
  r.rank(y, spatial_rank + 2);
  r.dtype(y, x->dtype);
  r.holds(x->dims[0] == y->dims[0] && x->dims[1] == y->dims[1], x, " and ", y, " do not share batch and channels");
  check_sizes(r, x);
  check_sizes(r, y);
  for (size_t i = 2; i < x->rank(); ++i)
    r.holds(x->dims[i] > 0 && y->dims[i] > 0, "spatial dim ", i - 2, " of ", x->dims[i] > 0 ? y : x, " is empty");
}

void check_pad(const Rules& r, const Named& x, const Named& y) {
  const auto attrs = r.desc.attributes<onc_pad_attrs>();
  r.reserved(attrs.reserved);
  r.holds(attrs.mode <= ONC_PAD_CIRCULAR, "mode ", attrs.mode, " is not constant (0), reflect (1), replicate (2) or circular (3)");
  r.holds(x->rank() <= ONC_PAD_RANK, x, " has rank ", x->rank(), ", above ", ONC_PAD_RANK);
  r.rank(y, x->rank());
  r.dtype(y, x->dtype);
  for (size_t i = 0; i < x->rank(); ++i) {
    const int64_t in = x->dims[i], out = y->dims[i], before = attrs.before[i];
    r.holds(before >= -kMaxPad && before <= kMaxPad, "before ", before, " in dim ", i, " is not in ", -kMaxPad, " ... ", kMaxPad);
    r.holds(in <= kMaxPad && out <= kMaxPad, "dim ", i, " of ", in <= kMaxPad ? y : x, " is larger than ", kMaxPad);
    const int64_t after = out - in - before;
    if (attrs.mode == ONC_PAD_CONSTANT || out == 0) continue;
    r.holds(in > 0, "dim ", i, " of ", x, " is empty: there is nothing to pad it with");
    if (attrs.mode == ONC_PAD_REFLECT)
      r.holds(before < in && after < in, "padding ", before, " before and ", after, " after in dim ", i,
              ": reflection needs less than the size ", in);
    if (attrs.mode == ONC_PAD_CIRCULAR)
      r.holds(before <= in && after <= in, "padding ", before, " before and ", after, " after in dim ", i,
              ": circular padding goes around once at most, the size being ", in);
  }
}

void check_upsample(const Rules& r, const Named& x, const Named& y) {
  const auto attrs = r.desc.attributes<onc_upsample_attrs>();
  check_images(r, x, y, attrs.spatial_rank);
  r.floating(x);
  r.holds(attrs.mode <= ONC_INTERPOLATE_NEAREST_EXACT, "mode ", attrs.mode,
          " is not nearest (0), linear (1), cubic (2) or nearest exact (3)");
  const bool smooth = attrs.mode == ONC_INTERPOLATE_LINEAR || attrs.mode == ONC_INTERPOLATE_CUBIC;
  r.flag("align_corners", attrs.align_corners);
  r.flag("antialias", attrs.antialias);
  r.holds(smooth || attrs.align_corners == 0, "align_corners is 1, but mode is nearest");
  r.holds(smooth || attrs.antialias == 0, "antialias is 1, but mode is nearest");
  r.holds(attrs.mode != ONC_INTERPOLATE_CUBIC || attrs.spatial_rank == 2, "spatial_rank is ", attrs.spatial_rank,
          ", but mode cubic has 2");
  r.holds(attrs.antialias == 0 || attrs.spatial_rank == 2, "spatial_rank is ", attrs.spatial_rank, ", but antialias has 2");
  for (size_t i = 0; i < attrs.spatial_rank; ++i)
    r.holds(std::isfinite(attrs.scale[i]) && attrs.scale[i] >= 0, "scale ", attrs.scale[i], " in spatial dim ", i,
            " is neither 0 nor positive and finite");
}

// x [N, C, ...], grid [N, ..., spatial rank], y [N, C, ...].
void check_grid_sample(const Rules& r, const Named& x, const Named& grid, const Named& y) {
  const auto attrs = r.desc.attributes<onc_grid_sample_attrs>();
  r.reserved(attrs.reserved);
  r.floating(x);
  r.holds(x->rank() == 4 || x->rank() == 5, "x has rank ", x->rank(), ", not 4 or 5");
  const uint32_t spatial_rank = x->rank() - 2;
  r.dtype(grid, x->dtype);
  r.rank(grid, x->rank());
  r.holds(grid->dims.back() == spatial_rank, grid, " has ", grid->dims.back(), " coordinates for ", spatial_rank, " spatial dims");
  r.holds(grid->dims[0] == x->dims[0], x, " and ", grid, " do not share the batch: ", x->dims[0], " and ", grid->dims[0]);
  Dims dims{x->dims[0], x->dims[1]};
  dims.insert(dims.end(), grid->dims.begin() + 1, grid->dims.end() - 1);
  r.dtype(y, x->dtype);
  r.dims(y, dims);
  check_sizes(r, x);
  check_sizes(r, y);
  for (size_t i = 2; i < x->rank(); ++i) r.holds(x->dims[i] > 0, "spatial dim ", i - 2, " of ", x, " is empty");
  r.holds(attrs.mode <= ONC_INTERPOLATE_CUBIC, "mode ", attrs.mode, " is not nearest (0), linear (1) or cubic (2)");
  r.holds(attrs.mode != ONC_INTERPOLATE_CUBIC || spatial_rank == 2, "mode cubic has 2 spatial dims, not ", spatial_rank);
  r.holds(attrs.border <= ONC_BORDER_REFLECT, "border ", attrs.border, " is not zeros (0), clamp (1) or reflect (2)");
  r.flag("align_corners", attrs.align_corners);
}

void check_adaptive(const Rules& r, const Named& x, const Named& y) {
  r.min_rank(x, 3);
  r.holds(x->rank() <= 5, "x has rank ", x->rank(), ", above 5");
  check_images(r, x, y, x->rank() - 2);
}

}  // namespace

namespace rules {

void pad(const Rules& r) { check_pad(r, r.in(0, "x"), r.out(0, "y")); }

void pad_grad(const Rules& r) {
  const Named grad_out = r.in(0, "grad_out"), grad_in = r.out(0, "grad_in");
  r.floating(grad_out);
  check_pad(r, grad_in, grad_out);
}

void upsample(const Rules& r) { check_upsample(r, r.in(0, "x"), r.out(0, "y")); }

void upsample_grad(const Rules& r) { check_upsample(r, r.out(0, "grad_in"), r.in(0, "grad_out")); }

void grid_sample(const Rules& r) { check_grid_sample(r, r.in(0, "x"), r.in(1, "grid"), r.out(0, "y")); }

void grid_sample_grad(const Rules& r) {
  const Named grad_out = r.in(0, "grad_out"), x = r.in(1, "x"), grid = r.in(2, "grid");
  const Named grad_x = r.maybe_out(0, "grad_x"), grad_grid = r.maybe_out(1, "grad_grid");
  check_grid_sample(r, x, grid, grad_out);
  r.holds(grad_x || grad_grid, "all outputs are absent");
  r.dtype(grad_x, x->dtype);
  r.dims(grad_x, x->dims);
  r.dtype(grad_grid, grid->dtype);
  r.dims(grad_grid, grid->dims);
}

void adaptive_avg_pool(const Rules& r) {
  const Named x = r.in(0, "x"), y = r.out(0, "y");
  r.floating(x);
  check_adaptive(r, x, y);
}

void adaptive_avg_pool_grad(const Rules& r) {
  const Named grad_out = r.in(0, "grad_out"), grad_in = r.out(0, "grad_in");
  r.floating(grad_in);
  check_adaptive(r, grad_in, grad_out);
}

void adaptive_max_pool(const Rules& r) {
  const Named x = r.in(0, "x"), y = r.out(0, "y"), index = r.out(1, "index");
  r.floating(x);
  check_adaptive(r, x, y);
  r.dtype(index, ONC_I64);
  r.dims(index, y->dims);
}

void fractional_max_pool(const Rules& r) {
  const auto attrs = r.desc.attributes<onc_fractional_pool_attrs>();
  const Named x = r.in(0, "x"), samples = r.in(1, "samples"), y = r.out(0, "y"), index = r.out(1, "index");
  r.reserved(attrs.reserved);
  r.floating(x);
  r.holds(attrs.spatial_rank == 2 || attrs.spatial_rank == 3, "spatial_rank ", attrs.spatial_rank, " is not 2 or 3");
  check_images(r, x, y, attrs.spatial_rank);
  r.dtype(samples, x->dtype);
  r.dims(samples, {x->dims[0], x->dims[1], attrs.spatial_rank});
  r.dtype(index, ONC_I64);
  r.dims(index, y->dims);
  for (size_t i = 0; i < attrs.spatial_rank; ++i) {
    const int64_t in = x->dims[2 + i], out = y->dims[2 + i], kernel = attrs.kernel[i];
    r.holds(kernel >= 1 && kernel <= in, "kernel size ", kernel, " in spatial dim ", i, " is not in 1 ... ", in);
    // Windows may overlap, but the last begins in - kernel behind the first.
    r.holds(out - 1 <= in - kernel, "output size ", out, " in spatial dim ", i, " needs an input of ", out + kernel - 1, ", not ",
            in);
  }
}

}  // namespace rules
}  // namespace oncilla::kit
