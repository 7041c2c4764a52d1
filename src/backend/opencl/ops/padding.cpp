#include "ops/padding.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "ops/variants.hpp"

namespace oncilla::ocl {
namespace {

constexpr int64_t kElementsPerItem = 1024;  // of the variant whose work-item walks rows

// The bits of a value in a 16-bit float with so many bits of mantissa, rounded to nearest even.
uint64_t small_float_bits(double value, int mantissa) {
  const int bias = (1 << (14 - mantissa)) - 1, infinity = ((1 << (15 - mantissa)) - 1) << mantissa;
  const uint64_t sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isnan(value)) return sign | static_cast<uint64_t>(infinity | 1 << (mantissa - 1));
  if (std::isinf(value)) return sign | static_cast<uint64_t>(infinity);
  if (value == 0) return sign;
  const int exponent = std::max(std::ilogb(value), 1 - bias);
  if (exponent > bias) return sign | static_cast<uint64_t>(infinity);
  // In units of the last place; what rounds up to the next power of two carries into the exponent.
  const auto units = static_cast<int>(std::nearbyint(std::ldexp(std::fabs(value), mantissa - exponent)));
  return sign | static_cast<uint64_t>(std::min(((exponent + bias - 1) << mantissa) + units, infinity));
}

// An element of the dtype as the low bits of a number.
uint64_t element_bits(const onc_scalar& value, uint32_t dtype) {
  switch (dtype) {
    case ONC_F64:
      return std::bit_cast<uint64_t>(value.f);
    case ONC_F32:
      return std::bit_cast<uint32_t>(static_cast<float>(value.f));
    case ONC_F16:
      return small_float_bits(value.f, 10);
    case ONC_BF16:
      return small_float_bits(value.f, 7);
    case ONC_BOOL:
      return value.i != 0 ? 1 : 0;
    default:
      return static_cast<uint64_t>(value.i);
  }
}

class PaddingPlan final : public onc_plan {
 public:
  PaddingPlan(Device& device, kit::OpDesc parsed, uint32_t scalars)
      : onc_plan(std::move(parsed), scalars), forward_(desc.op == ONC_OP_PAD), wide_(wide_index(desc)) {
    const kit::Tensor& x = forward_ ? desc.input(0) : desc.output(0);
    const kit::Tensor& y = forward_ ? desc.output(0) : desc.input(0);
    dtype_ = x.dtype;
    if (!forward_) support_floating(device, desc, dtype_);
    set_geometry(x, y);
    const kit::Tensor& written = desc.output(0);
    const size_t bytes = kit::dtype_bytes(dtype_);
    info.flops = forward_ ? 0 : static_cast<uint64_t>(y.numel());
    info.bytes = static_cast<uint64_t>(x.numel() + y.numel()) * bytes;

    const int64_t width = forward_ ? out_[7] : in_[7];
    const char* shape_class = width >= 32 ? "wide" : "narrow";
    const std::string variant = choose_variant(device, desc, dtype_, shape_class, {{"direct"}, {"rows"}}, info);
    if (written.numel() == 0) return;
    Defines defines;
    set_index(defines, wide_);
    if (forward_) {
      defines.set("E", bits_type(bytes));
    } else {
      set_storage(defines, dtype_);
    }
    if (variant == "rows") {
      defines.set("ROWS", 1);
      work_ = written.numel() / width;
      const int64_t busy = std::min(work_, 16 * static_cast<int64_t>(device.compute_units()));
      const int64_t items = std::clamp<int64_t>((x.numel() + y.numel()) / kElementsPerItem, 1, busy);
      per_item_ = ceil_div(work_, items);
      global_.x = static_cast<size_t>(ceil_div(work_, per_item_));
    } else {
      work_ = written.numel();
      global_.x = static_cast<size_t>(work_);
      local_.x = group_size(device, 64);
    }
    kernel_ = device.kernel(std::string(desc.name()) + ".cl", desc.name(), defines);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!kernel_) return;  // an empty output
    const Mem from = arg_in(desc, run, 0), to = arg_out(desc, run, 0);
    kernel_.launch_with(queue, global_, local_, [&](Kernel::Arguments& arguments) {
      arguments.add(from).add(to).add(mode_).add(first_).add(in_).add(out_).add(before_);
      arguments.add(forward_ ? x_strides_ : y_strides_).add(forward_ ? y_strides_ : x_strides_);
      arguments.add(Index{work_, wide_}).add(Index{per_item_, wide_});
      if (forward_) arguments.add(element_bits(run.scalars[0], dtype_));
    });
  }

 private:
  // Sizes, margins and strides of the dims; neighbours without margins become one where both tensors step through them as one.
  void set_geometry(const kit::Tensor& x, const kit::Tensor& y) {
    const auto attrs = desc.attributes<onc_pad_attrs>();
    mode_ = static_cast<int32_t>(attrs.mode);
    size_t rank = 0;
    bool plain_before = false;
    for (size_t i = 0; i < x.rank(); ++i) {
      const bool plain = attrs.before[i] == 0 && x.dims[i] == y.dims[i];
      if (plain && x.dims[i] == 1) continue;
      if (plain && plain_before && x_strides_[rank - 1] == x.strides[i] * x.dims[i] &&
          y_strides_[rank - 1] == y.strides[i] * y.dims[i]) {
        in_[rank - 1] *= x.dims[i];
        out_[rank - 1] *= y.dims[i];
      } else {
        in_[rank] = x.dims[i];
        out_[rank] = y.dims[i];
        before_[rank++] = attrs.before[i];
      }
      x_strides_[rank - 1] = x.strides[i];
      y_strides_[rank - 1] = y.strides[i];
      plain_before = plain;
    }
    first_ = static_cast<int32_t>(kSpaceRank - rank);
    for (SpaceDims* dims : {&in_, &out_, &before_, &x_strides_, &y_strides_})
      std::rotate(dims->begin(), dims->begin() + static_cast<int64_t>(rank), dims->end());
    for (size_t i = 0; i + rank < kSpaceRank; ++i) in_[i] = out_[i] = 1;
  }

  const bool forward_, wide_;
  uint32_t dtype_ = 0;
  int32_t mode_ = 0, first_ = 0;
  SpaceDims in_{}, out_{}, before_{}, x_strides_{}, y_strides_{};
  int64_t work_ = 0, per_item_ = 1;
  Range global_, local_;
  Kernel kernel_;
};

}  // namespace

std::unique_ptr<onc_plan> make_padding_plan(Device& device, kit::OpDesc desc) {
  const uint32_t scalars = kit::scalar_count(desc);
  return std::make_unique<PaddingPlan>(device, std::move(desc), scalars);
}

}  // namespace oncilla::ocl
