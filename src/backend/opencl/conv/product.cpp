// Convolution as one matrix product for all images: of channels (and taps) by output places. Where the window is one place, the
// tensors themselves are the operands; where windows neither overlap nor reach beyond the image, a copy whose channels are the taps
// is one; else the product gathers its columns from a padded copy (kernels/matmul_tile.cl, pack_window).
#include <algorithm>
#include <optional>

#include "conv/padded.hpp"
#include "gemm/gemm.hpp"

namespace oncilla::ocl {
namespace {

// Three dims in memory where one stride leads from place to place: `length` places, `step` apart.
struct Places {
  int64_t length = 1, step = 1;
};
std::optional<Places> places_of(const Strides& strides, const Size3& size) {
  Places p;
  for (size_t d = 3; d-- > 0;) {
    if (size[d] == 1) continue;
    if (p.length == 1) p.step = strides[2 + d];
    if (strides[2 + d] != p.step * p.length) return std::nullopt;
    p.length *= size[d];
  }
  return p;
}

// The places of all images: runs of `length`, and the elements from run to run; one run where a stride leads on from image to
// image.
struct Images : Places {
  int64_t between;

  Images(const Places& places, const Strides& strides, int64_t images) : Places(places), between(strides[0]) {
    if (length == 1) step = between;
    if (length == 1 || between == step * length) length *= images;
  }
};

bool pointwise(const ConvGeometry& g) { return volume(g.window) == 1 && g.stride == Size3{1, 1, 1} && g.pad == Size3{}; }

bool one_stride(const Strides& strides, const Size3& size) { return places_of(strides, size).has_value(); }

// Windows of the image side by side. A copy by residues has each tap's inputs in a plane of their own, so that the weights of a
// window of one place over more channels give the same sums; a window of one place in larger steps sees a part of the image.
struct Patches {
  Padded image;
  ConvGeometry geometry;  // pointwise, over the copy

  static std::optional<Patches> of(const ConvGeometry& g, Direction direction) {
    // The copy is of the arithmetic type, which the product takes only where it is the tensors'.
    if (direction == Direction::input || (g.dtype != ONC_F32 && g.dtype != ONC_F64)) return std::nullopt;
    ConvGeometry seen = g;
    for (size_t d = 0; d < 3; ++d) {
      if (g.pad[d] != 0) return std::nullopt;
      if (g.window[d] == 1) {
        seen.x_strides[2 + d] *= g.stride[d], seen.in[d] = g.out[d], seen.stride[d] = 1;
      } else if (g.window[d] != g.stride[d] || g.dilation[d] != 1) {
        return std::nullopt;
      }
    }
    const std::optional<Places> window = places_of(g.w_strides, g.window);
    if (!window || (window->length > 1 && g.w_strides[1] != window->step * window->length)) return std::nullopt;
    Patches p{padded_input(seen), seen};
    ConvGeometry& flat = p.geometry;
    flat.c *= window->length;
    if (window->length > 1) flat.w_strides[1] = window->step;
    flat.window = flat.stride = {1, 1, 1}, flat.in = g.out;
    int64_t step = 1;
    for (size_t d = 5; d-- > 1;) {
      flat.x_strides[d] = step;
      if (d > 1) step *= g.out[d - 2];
    }
    flat.x_strides[0] = p.image.channels * p.image.channel();
    return p;
  }
};

class ProductConv final : public Conv {
 public:
  ProductConv(Device& device, const ConvGeometry& g, Direction direction, const Tuning& tuning) : direction_(direction) {
    std::optional<Patches> patches = as_it_is(g) ? std::nullopt : Patches::of(g, direction);
    if (patches) {
      image_ = std::move(patches->image);
      copy_first(device, g, tuning);
    }
    multiply(device, patches ? patches->geometry : g, tuning);
  }

  // Whether the tensors are the operands.
  static bool as_it_is(const ConvGeometry& g) {
    return pointwise(g) && one_stride(g.x_strides, g.in) && one_stride(g.y_strides, g.out);
  }

  uint64_t workspace_bytes() const override { return gemm_at_ + gemm_->workspace_bytes(); }

  void run(onc_queue& queue, const ConvOperands& o) override {
    GemmOperands operands{o.w, o.x, o.bias, o.y, {.f = 1}, {.f = 1}, o.workspace, o.further, o.scalars};
    if (direction_ == Direction::input) operands.b = o.y, operands.d = o.x;
    if (direction_ == Direction::weight) operands.a = o.y, operands.b = o.x, operands.d = o.w;
    if (pad_) {
      const Mem image{o.workspace, item_bytes_};
      launch_pad(pad_, queue, image_, operands.b, image);
      operands.b = image;
      operands.workspace.offset += gemm_at_;
    }
    gemm_->run(queue, operands);
  }

 private:
  void multiply(Device& device, const ConvGeometry& g, const Tuning& tuning) {
    GemmProblem p{.dtype = g.dtype, .batch = g.groups, .wide = g.wide};
    if (direction_ == Direction::weight) {
      weight_problem(g, p);
    } else {
      place_problem(g, p);
      if (!pointwise(g)) gather(device, g, p, tuning);
      if (g.epilogue != nullptr) by_images(g, p);
    }
    gemm_ = make_tile_gemm(device, p, tuning);
  }

  // x or y as a matrix of channels by places.
  static MatrixStrides channels(const Strides& strides, int64_t step, int64_t of_group) {
    return {strides[1], step, of_group * strides[1]};
  }

  // grad_w = grad_y @ x^T, the sum over all images' places.
  static void weight_problem(const ConvGeometry& g, GemmProblem& p) {
    const Images x(*places_of(g.x_strides, g.out), g.x_strides, g.n), y(*places_of(g.y_strides, g.out), g.y_strides, g.n);
    const MatrixStrides right = channels(g.x_strides, x.step, g.channels());
    p.m = g.rows(), p.n = g.channels(), p.k = g.n * volume(g.out);
    p.a = channels(g.y_strides, y.step, g.rows()), p.b = {right.column, right.row, right.batch};
    p.d = {g.w_strides[0], g.w_strides[1], g.rows() * g.w_strides[0]};
    if (const int64_t run = std::min(x.length, y.length); run < p.k) p.step_run = {run, y.between, x.between};
  }

  // y = w @ x, or grad_x = w^T @ grad_y, for the places of all images.
  void place_problem(const ConvGeometry& g, GemmProblem& p) const {
    const bool forward = direction_ == Direction::forward;
    const Strides &from = forward ? g.x_strides : g.y_strides, &to = forward ? g.y_strides : g.x_strides;
    const Size3& size = forward ? g.out : g.in;
    const MatrixStrides w{g.w_strides[0], g.w_strides[1], g.rows() * g.w_strides[0]};
    p.m = forward ? g.rows() : g.channels(), p.k = forward ? g.channels() : g.rows(), p.n = g.n * volume(size);
    p.a = forward ? w : MatrixStrides{w.column, w.row, w.batch};
    const Images d(*places_of(to, size), to, g.n);
    p.d = channels(to, d.step, p.m);
    int64_t run = d.length;
    if (pointwise(g)) {
      const Images b(*places_of(from, size), from, g.n);
      p.b = channels(from, b.step, p.k);
      run = std::min(run, b.length);
    }
    if (run < p.n) p.column_run = {run, from[0], d.between};
    if (g.has_bias()) p.has_c = true, p.c = {g.bias_stride, 0, g.rows() * g.bias_stride};
  }

  // Every channel's taps, as steps, read from a padded copy.
  void gather(Device& device, const ConvGeometry& g, GemmProblem& p, const Tuning& tuning) {
    const bool forward = direction_ == Direction::forward;
    image_ = forward ? padded_input(g) : padded_gradient(g);
    Taps taps = forward ? forward_taps(g, image_) : gradient_taps(g, image_);
    taps.phases.clear();
    table_ = taps.upload(device);
    image_.end = tile_vector_width(g.dtype, tuning.get("VB"));
    const Places window = *places_of(g.w_strides, g.window);
    p.step_run = {window.length, p.a.column, 0};
    p.a.column = window.step;
    p.k *= window.length;
    const Size3& out = forward ? g.out : g.in;
    p.window = GemmWindow{.places = {{table_.get(), 0}, sizeof(cl_int)},
                          .taps = window.length,
                          .image = image_.channels * image_.channel(),
                          .channel = image_.channel(),
                          .plane = image_.size[1] * image_.size[2],
                          .width = image_.size[2],
                          .out = {static_cast<int32_t>(out[0]), static_cast<int32_t>(out[1]), static_cast<int32_t>(out[2]), 0}};
    p.b.batch = image_.channels / g.groups * image_.channel();
    copy_first(device, g, tuning);
  }

  // The copy of the image goes in front of the product's workspace.
  void copy_first(Device& device, const ConvGeometry& g, const Tuning& tuning) {
    const int64_t width = tile_vector_width(g.dtype, tuning.get("VB"));
    // TM: of the program that the tile variant has, too.
    pad_ = device.kernel("conv.cl", "pad", g.defines().set("TILE", 1).set("VW", width).set("TM", 8));
    item_bytes_ = g.dtype == ONC_F64 ? 8 : 4;
    gemm_at_ = static_cast<uint64_t>(ceil_div(image_.elements() * item_bytes_, 64) * 64);
  }

  // An epilogue's tensors are matrices of each image: then so are the product's.
  static void by_images(const ConvGeometry& g, GemmProblem& p) {
    p.batch = g.n, p.n = volume(g.out);
    p.column_run = {};
    p.a.batch = p.c.batch = 0, p.b.batch = p.window ? p.window->image : g.x_strides[0], p.d.batch = g.y_strides[0];
    p.epilogue = g.epilogue, p.further = g.further;
  }

  Direction direction_;
  Padded image_;
  std::unique_ptr<Buffer> table_;
  uint32_t item_bytes_ = 4;
  uint64_t gemm_at_ = 0;
  Kernel pad_;
  std::unique_ptr<Gemm> gemm_;
};

}  // namespace

bool is_product(const ConvGeometry& g, Direction direction) {
  if (ProductConv::as_it_is(g)) return true;
  return one_stride(g.y_strides, g.out) && tile_fits(g, direction) && Patches::of(g, direction).has_value();
}

bool product_fits(const ConvGeometry& g, Direction direction) {
  const bool forward = direction == Direction::forward, input = direction == Direction::input, unit = g.stride == Size3{1, 1, 1};
  if (g.n == 0 || g.c == 0 || g.k == 0 || volume(g.out) == 0 || volume(g.in) == 0) return false;
  // A bias in another dtype has no place in the product, nor has an epilogue where groups make the batch.
  if (g.has_bias() == 2 || (g.epilogue != nullptr && g.groups > 1)) return false;
  if (is_product(g, direction)) return true;
  if (pointwise(g)) return false;
  // With strides the input gradient is a sum of other taps for each phase.
  if (!(forward || (input && unit)) || !tile_fits(g, direction)) return false;
  return one_stride(g.w_strides, g.window) && (forward ? one_stride(g.y_strides, g.out) : one_stride(g.x_strides, g.in));
}

std::unique_ptr<Conv> make_product_conv(Device& device, const ConvGeometry& geometry, Direction direction, const Tuning& tuning) {
  return std::make_unique<ProductConv>(device, geometry, direction, tuning);
}

}  // namespace oncilla::ocl
