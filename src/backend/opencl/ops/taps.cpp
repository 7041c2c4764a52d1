#include "ops/taps.hpp"

#include <algorithm>
#include <cstring>

#include "ops/variants.hpp"

namespace oncilla::ocl {
namespace {

constexpr int64_t kTermsPerItem = 1024;  // of the variant whose work-item walks rows

constexpr int64_t kMostTerms = int64_t{1} << 26;  // of one dim's table

// Memory of the plan's own, filled when it is made: no queue needs to wait for it.
std::unique_ptr<Buffer> constant_buffer(Device& device, const kit::OpDesc& desc, const void* data, size_t bytes) {
  cl_int status = CL_SUCCESS;
  // The copy is made before the call returns; OpenCL takes the pointer as one to writable memory all the same.
  cl::Buffer mem(device.context(), CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, bytes, const_cast<void*>(data), &status);
  check(status, kit::cat("[", desc.name(), "] a table of ", bytes, " bytes"));
  return std::make_unique<Buffer>(std::move(mem), bytes, nullptr, device);
}

class TapsPlan final : public onc_plan {
 public:
  TapsPlan(Device& device, kit::OpDesc parsed, const Taps& taps) : onc_plan(std::move(parsed), 0), wide_(wide_index(desc)) {
    const kit::Tensor &x = desc.input(0), &y = desc.output(0);
    support_floating(device, desc, x.dtype);
    int64_t terms = y.dims[0] * y.dims[1];
    for (const AxisTaps& axis : taps) terms *= static_cast<int64_t>(axis.at.size());
    info.flops = 2 * static_cast<uint64_t>(terms);
    info.bytes = static_cast<uint64_t>(x.numel() + y.numel()) * kit::dtype_bytes(x.dtype);
    const char* shape_class = y.dims.back() >= 8 ? "wide" : "narrow";
    const std::string variant = choose_variant(device, desc, x.dtype, shape_class, {{"direct"}, {"rows"}}, info);
    if (y.numel() == 0) return;
    set_strides(x, x_strides_);
    set_strides(y, y_strides_);
    channels_ = small(desc, y.dims[1]);
    upload(device, taps, x.dtype == ONC_F64);
    Defines defines;
    set_storage(defines, x.dtype);
    set_index(defines, wide_);
    if (variant == "rows") {
      defines.set("ROWS", 1);
      work_ = y.numel() / taps[2].outputs();
      const int64_t busy = std::min(work_, 16 * static_cast<int64_t>(device.compute_units()));
      const int64_t items = std::clamp<int64_t>(terms / kTermsPerItem, 1, busy);
      per_item_ = ceil_div(work_, items);
      global_.x = static_cast<size_t>(ceil_div(work_, per_item_));
    } else {
      work_ = y.numel();
      global_.x = static_cast<size_t>(work_);
      local_.x = group_size(device, 64);
    }
    kernel_ = device.kernel("taps.cl", "taps", defines);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!kernel_) return;  // an empty output
    kernel_.launch(queue, global_, local_, arg_in(desc, run, 0), arg_out(desc, run, 0), Segment{table_.get()},
                   Segment{weights_.get()}, tables_, sizes_, channels_, Index{work_, wide_}, Index{per_item_, wide_}, x_strides_,
                   y_strides_);
  }

 private:
  // Strides of N, C, depth, height, width; the rest is unused.
  static void set_strides(const kit::Tensor& tensor, SpaceStrides& strides) {
    strides[0] = tensor.strides[0];
    strides[1] = tensor.strides[1];
    std::copy(tensor.strides.begin() + 2, tensor.strides.end(), strides.begin() + 7 - tensor.rank());
  }

  // One table of integers: where each output's terms begin, for the three dims, then the positions; and one of weights, in the same
  // order as the positions.
  void upload(Device& device, const Taps& taps, bool fp64) {
    std::vector<int32_t> table;
    std::vector<double> weights;
    int64_t terms = 0;
    for (size_t d = 0; d < 3; ++d) {
      sizes_[d] = small(desc, taps[d].outputs());
      tables_[d] = small(desc, static_cast<int64_t>(table.size()));
      for (int32_t begin : taps[d].begin) table.push_back(small(desc, terms + begin));
      terms += static_cast<int64_t>(taps[d].at.size());
    }
    tables_[3] = small(desc, static_cast<int64_t>(table.size()));
    for (const AxisTaps& axis : taps) {
      table.insert(table.end(), axis.at.begin(), axis.at.end());
      weights.insert(weights.end(), axis.weight.begin(), axis.weight.end());
    }
    if (weights.empty()) {  // no output reads anything
      table.push_back(0);
      weights.push_back(0);
    }
    table_ = constant_buffer(device, desc, table.data(), table.size() * sizeof table[0]);
    if (fp64) {
      weights_ = constant_buffer(device, desc, weights.data(), weights.size() * sizeof weights[0]);
    } else {
      const std::vector<float> single(weights.begin(), weights.end());
      weights_ = constant_buffer(device, desc, single.data(), single.size() * sizeof single[0]);
    }
  }

  const bool wide_;
  std::unique_ptr<Buffer> table_, weights_;
  std::array<int32_t, 4> tables_{}, sizes_{};  // sizes of y; where in the table each dim's outputs, and the positions, begin
  int32_t channels_ = 1;
  int64_t work_ = 0, per_item_ = 1;
  SpaceStrides x_strides_{}, y_strides_{};
  Range global_, local_;
  Kernel kernel_;
};

}  // namespace

AxisTaps AxisTaps::transposed(int64_t inputs) const {
  AxisTaps result;
  result.begin.assign(static_cast<size_t>(inputs) + 1, 0);
  for (int32_t position : at) ++result.begin[static_cast<size_t>(position) + 1];
  for (size_t i = 1; i < result.begin.size(); ++i) result.begin[i] += result.begin[i - 1];
  result.at.resize(at.size());
  result.weight.resize(at.size());
  std::vector<int32_t> next(result.begin.begin(), result.begin.end() - 1);
  for (int64_t o = 0; o < outputs(); ++o) {
    for (auto e = static_cast<size_t>(begin[static_cast<size_t>(o)]); e < static_cast<size_t>(begin[static_cast<size_t>(o) + 1]);
         ++e) {
      const auto slot = static_cast<size_t>(next[static_cast<size_t>(at[e])]++);
      result.at[slot] = static_cast<int32_t>(o);
      result.weight[slot] = weight[e];
    }
  }
  return result;
}

AxisTaps one_tap() {
  AxisTaps taps;
  taps.add(0, 1);
  taps.end_output();
  return taps;
}

void support_terms(const kit::OpDesc& desc, int64_t terms) {
  kit::support(terms <= kMostTerms, "[", desc.name(), "] a spatial dim whose outputs read ", terms, " elements in all; at most ",
               kMostTerms, " are served");
}

AxisTaps adaptive_taps(int64_t in, int64_t out) {
  AxisTaps taps;
  for (int64_t o = 0; o < out; ++o) {
    const int64_t begin = o * in / out, end = ((o + 1) * in + out - 1) / out;
    for (int64_t i = begin; i < end; ++i) taps.add(i, 1.0 / static_cast<double>(end - begin));
    taps.end_output();
  }
  return taps;
}

AxisTaps average_taps(int64_t in, int64_t out, const PoolAxis& window) {
  AxisTaps taps;
  for (int64_t o = 0; o < out; ++o) {
    const int64_t start = o * window.stride - window.pad, stop = std::min(start + window.kernel, in + window.pad);
    const int64_t begin = std::max<int64_t>(start, 0), end = std::min(stop, in);
    const double count = static_cast<double>(window.include_pad ? stop - start : end - begin);
    for (int64_t i = begin; i < end; ++i) taps.add(i, 1 / (window.divisor != 0 ? window.divisor : count));
    taps.end_output();
  }
  return taps;
}

std::unique_ptr<onc_plan> make_taps_plan(Device& device, kit::OpDesc desc, const Taps& taps) {
  return std::make_unique<TapsPlan>(device, std::move(desc), taps);
}

}  // namespace oncilla::ocl
