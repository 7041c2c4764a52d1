// The geometry of a convolution op: read from the descriptor, with the limits of 32-bit kernels checked.
#include <algorithm>
#include <limits>

#include "conv/conv.hpp"
#include "runtime/storage.hpp"

namespace oncilla::ocl {
namespace {

Strides strides_of(const kit::Tensor& tensor) {
  Strides strides{};
  strides[0] = tensor.strides[0], strides[1] = tensor.strides[1];
  const size_t spatial = tensor.rank() - 2;
  for (size_t i = 0; i < spatial; ++i) strides[5 - spatial + i] = tensor.strides[2 + i];
  return strides;
}

// A tensor of the output's sizes as a matrix for each image.
EpilogueTensor as_matrix(const kit::Tensor& tensor) {
  EpilogueTensor m{tensor.dtype, tensor.strides[1], 0, tensor.strides[0]};
  bool equal = true;  // one stride leads from place to place
  int64_t places = 1;
  for (size_t d = tensor.rank(); d-- > 2;) {
    if (tensor.dims[d] == 1) continue;
    if (places == 1) m.column = tensor.strides[d];
    equal = equal && tensor.strides[d] == m.column * places;
    places *= tensor.dims[d];
  }
  for (size_t d = 2; d < tensor.rank() && !equal; ++d) m.dims.push_back({tensor.dims[d], tensor.strides[d]});
  return m;
}

std::array<int32_t, 16> packed(std::initializer_list<int64_t> first, std::initializer_list<Size3> triples) {
  std::array<int32_t, 16> out{};
  size_t i = 0;
  for (int64_t v : first) out.at(i++) = static_cast<int32_t>(v);
  for (const Size3& triple : triples) {
    for (int64_t v : triple) out.at(i++) = static_cast<int32_t>(v);
  }
  return out;
}

}  // namespace

std::array<int32_t, 16> ConvGeometry::sizes() const { return packed({n, c, k, groups}, {in, window, out}); }
std::array<int32_t, 16> ConvGeometry::steps() const { return packed({}, {stride, pad, dilation}); }

Defines ConvGeometry::defines() const {
  Defines defines;
  set_storage(defines, dtype);
  set_index(defines, wide);
  return defines;
}

ConvGeometry conv_geometry(const kit::OpDesc& desc, const kit::Tensor& x, const kit::Tensor& w, const kit::Tensor& y,
                           const kit::Tensor* bias) {
  const auto attrs = desc.attributes<onc_conv_attrs>();
  ConvGeometry g;
  g.dtype = x.dtype;
  g.wide = wide_index(desc);
  g.n = x.dims[0], g.c = x.dims[1], g.k = w.dims[0], g.groups = attrs.groups;
  for (size_t i = 0; i < attrs.spatial_rank; ++i) {
    const size_t d = 3 - attrs.spatial_rank + i;
    g.in[d] = x.dims[2 + i], g.window[d] = w.dims[2 + i], g.out[d] = y.dims[2 + i];
    g.stride[d] = attrs.stride[i], g.pad[d] = attrs.pad[i], g.dilation[d] = attrs.dilation[i];
    // Kernels add these up in 32 bits.
    for (int64_t part : {g.in[d], g.out[d], g.window[d], g.stride[d], g.pad[d], g.dilation[d]}) {
      kit::support(part < (1 << 26), "[", desc.name(), "] a size of ", part, " exceeds 26 bits");
    }
    const int64_t extent = g.window[d] * g.dilation[d] + g.stride[d] * g.out[d] + 2 * g.pad[d] + g.in[d];
    kit::support(extent < (1 << 30), "[", desc.name(), "] a padded extent of ", extent, " exceeds 30 bits");
  }
  for (int64_t part : {g.n, g.c, g.k}) {
    kit::support(part <= std::numeric_limits<int32_t>::max(), "[", desc.name(), "] a size of ", part, " exceeds 32 bits");
  }
  g.x_strides = strides_of(x), g.w_strides = strides_of(w), g.y_strides = strides_of(y);
  if (bias != nullptr) g.bias_dtype = bias->dtype, g.bias_stride = bias->strides[0];
  if (!desc.epilogue) return g;
  g.epilogue = &*desc.epilogue;
  for (size_t i = kit::kEpilogueInput; i < desc.in.size(); ++i) g.further.push_back(as_matrix(desc.input(i)));
  return g;
}

ConvEnding::ConvEnding(const ConvGeometry& geometry, int64_t vector) {
  if (geometry.epilogue == nullptr) return;
  text_.emplace(*geometry.epilogue, geometry.dtype, geometry.further, arithmetic_type(geometry.dtype), static_cast<int>(vector));
}

}  // namespace oncilla::ocl
