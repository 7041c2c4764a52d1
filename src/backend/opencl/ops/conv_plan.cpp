#include "ops/conv_plan.hpp"

#include <algorithm>

#include "ops/variants.hpp"

namespace oncilla::ocl {
namespace {

constexpr int64_t kFew = 4096;  // output places of all images
constexpr int64_t kRows = 96;   // rows that are worth gathering columns for
constexpr int64_t kMany = 24;   // channels that fill a tile well enough

constexpr const char* kProduct =
    "places of the output, and of the window, one stride apart, a bias of the same dtype, and no epilogue with groups; of the "
    "gradients, only the input's with unit strides, what has a window of one place, and the weight's with windows side by side and "
    "no padding, in float32 and float64";

// Enough channels on both sides of the transforms, images of which the tiles at the edge are a small part, and transforms of a
// moderate size.
bool winograd_pays(const ConvGeometry& g, Direction direction) {
  constexpr int64_t kChannels = 128, kSide = 12, kElements = int64_t{1} << 24;
  const Size3& out = direction == Direction::input ? g.in : g.out;
  if (std::min(g.c, g.k) < kChannels || std::min(out[1], out[2]) < kSide) return false;
  return 16 * (g.c + g.k) * g.n * ceil_div(out[1], 2) * (ceil_div(out[2], 2) + 1) <= kElements;
}

constexpr const char* kStem = "stem";

// Few channels, whose copy serves all output channels, in rows that fill vectors; for the gradient of a weight, so few weights an
// output channel that the vectors of their sums stay in a cache.
bool is_stem(const Device& device, const kit::OpDesc& desc, const ConvGeometry& g, Direction direction) {
  constexpr int64_t kChannels = 4, kColumns = 24, kWeights = 64;
  if (g.channels() > kChannels || g.out[2] < kColumns) return false;
  if (direction == Direction::weight && g.channels() * volume(g.window) > kWeights) return false;
  return strip_fits(device, g, direction, tuning(device, desc.name(), g.dtype, kStem));
}

// See tuning/conv.json.
const char* shape_class_of(const Device& device, const kit::OpDesc& desc, const ConvGeometry& g, Direction direction,
                           uint64_t flops) {
  if (g.groups > 1 && (g.c == g.groups || g.k == g.groups)) {
    constexpr const char* kSmall = "depthwise_small";
    return window_fits(device, g, direction, tuning(device, desc.name(), g.dtype, kSmall)) ? kSmall : "depthwise";
  }
  if (flops < 20000) return "tiny";
  if (is_stem(device, desc, g, direction)) return kStem;
  const int64_t rows = direction == Direction::input ? g.channels() : g.rows();
  if (product_fits(g, direction) && (volume(g.window) == 1 || is_product(g, direction))) return "pointwise";
  if (winograd_fits(device, g, direction) && winograd_pays(g, direction)) return "window3";
  if (product_fits(g, direction) && rows >= kRows) return "many";
  return direction == Direction::weight && g.channels() >= kMany && g.n * volume(g.out) <= kFew ? "few" : "other";
}

class ConvPlan final : public onc_plan {
 public:
  ConvPlan(Device& device, kit::OpDesc parsed, uint32_t scalars, Direction direction, ConvRoles roles)
      : onc_plan(std::move(parsed), scalars), roles_(roles) {
    const kit::Tensor& out = desc.output(0);
    support_floating(device, desc, out.dtype);
    const bool has_bias = roles.bias >= 0 && desc.has_in(static_cast<size_t>(roles.bias));
    const ConvGeometry g =
        conv_geometry(desc, tensor(roles.x), tensor(roles.w), tensor(roles.y), has_bias ? &tensor(roles.bias) : nullptr);
    info.flops = g.flops();
    for (int role : {roles.x, roles.w, roles.y})
      info.bytes += static_cast<uint64_t>(tensor(role).numel()) * kit::dtype_bytes(out.dtype);
    const char* shape_class = shape_class_of(device, desc, g, direction, info.flops);
    const Tuning row = tuned(device, desc, out.dtype, shape_class);
    const std::string variant = choose_variant(
        device, desc, out.dtype, shape_class,
        {{"direct"},
         {"tile", tile_fits(g, direction), "tensors that are not empty, and padded channels below 2^30 elements"},
         {"product", product_fits(g, direction), kProduct},
         {"winograd", winograd_fits(device, g, direction),
          "3 x 3 windows in steps of one, without groups, and not the gradient of a weight"},
         {"outer", direction == Direction::weight && tile_fits(g, direction), "the gradient of a weight, as for tile"},
         {"depthwise", depthwise_fits(device, g, direction, row),
          "as many groups as input channels, and a block that fits local memory"},
         {"window", window_fits(device, g, direction, row),
          "as depthwise, but not for the gradient of a weight; two dims, at most 49 taps, strides up to 2; one output channel a "
          "group for the input gradient"},
         {"strip", strip_fits(device, g, direction, row),
          "two dims, not the gradient of an input, and rows of all input channels that fit local memory"}},
        info);
    if (out.numel() == 0) return;
    conv_ = variant == "tile"        ? make_tile_conv(device, g, direction, row)
            : variant == "product"   ? make_product_conv(device, g, direction, row)
            : variant == "winograd"  ? make_winograd_conv(device, g, direction, row)
            : variant == "outer"     ? make_outer_conv(device, g, row)
            : variant == "depthwise" ? make_depthwise_conv(device, g, direction, row)
            : variant == "window"    ? make_window_conv(device, g, direction, row)
            : variant == "strip"     ? make_strip_conv(device, g, direction, row)
                                     : make_direct_conv(device, g, direction);
    info.workspace_bytes = conv_->workspace_bytes();
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!conv_) return;  // an empty output
    ConvOperands o{arg(run, roles_.x), arg(run, roles_.w), roles_.bias < 0 ? no_mem() : arg(run, roles_.bias), arg(run, roles_.y),
                   run.workspace};
    for (size_t i = kit::kEpilogueInput; i < desc.in.size(); ++i) o.further.push_back(arg_in(desc, run, i));
    o.scalars = run.scalars;
    conv_->run(queue, o);
  }

 private:
  const kit::Tensor& tensor(int role) const { return role < 0 ? desc.output(0) : desc.input(static_cast<size_t>(role)); }
  Mem arg(const kit::RunArgs& run, int role) const {
    return role < 0 ? arg_out(desc, run, 0) : arg_in(desc, run, static_cast<size_t>(role));
  }

  ConvRoles roles_;
  std::unique_ptr<Conv> conv_;
};

}  // namespace

std::unique_ptr<onc_plan> make_conv_plan(Device& device, kit::OpDesc desc, Direction direction, ConvRoles roles) {
  const uint32_t scalars = kit::scalar_count(desc);
  return std::make_unique<ConvPlan>(device, std::move(desc), scalars, direction, roles);
}

}  // namespace oncilla::ocl
