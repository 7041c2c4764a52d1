// The matrix product: chooses among the providers of gemm/.
#include <algorithm>

#include "gemm/gemm.hpp"
#include "ops/ops.hpp"
#include "ops/variants.hpp"

namespace oncilla::ocl {
namespace {

MatrixStrides strides_of(const kit::Tensor& tensor) {
  const size_t batch = tensor.rank() - 2;
  return {tensor.strides[batch], tensor.strides[batch + 1], batch == 1 && tensor.dims[0] > 1 ? tensor.strides[0] : 0};
}

class MatmulPlan final : public onc_plan {
 public:
  MatmulPlan(Device& device, kit::OpDesc parsed) : onc_plan(std::move(parsed), 2) {
    const kit::Tensor &a = desc.input(0), &b = desc.input(1), &d = desc.output(0);
    support_float(device, desc, d.dtype);
    GemmProblem p;
    p.dtype = d.dtype;
    p.batch = d.rank() == 3 ? d.dims[0] : 1;
    p.m = d.dims[d.rank() - 2], p.n = d.dims[d.rank() - 1], p.k = a.dims[d.rank() - 1];
    for (int64_t size : {p.batch, p.m, p.n, p.k}) small(desc, size);
    p.a = strides_of(a), p.b = strides_of(b), p.d = strides_of(d);
    p.has_c = desc.has_in(2);
    if (p.has_c) p.c = strides_of(desc.input(2));
    info.flops = static_cast<uint64_t>(2 * p.batch * p.m * p.n * p.k);
    info.bytes = static_cast<uint64_t>(a.numel() + b.numel() + d.numel()) * kit::dtype_bytes(d.dtype);

    const bool empty = d.numel() == 0;
    const char* shape_class = p.m * p.n * p.k <= 4096 ? "tiny" : std::min(p.m, p.n) <= 4 ? "thin" : "";
    const std::string variant =
        choose_variant(device, desc, d.dtype, shape_class,
                       {{"tile"},
                        {"rows", rows_fits(p), "unit strides along K, or along the rows of b"},
                        {"local"},
                        {"direct"},
                        {"clblast", !empty && clblast_fits(p), "unit strides, and c laid out as a dense d"}},
                       info);
    if (empty) return;
    const Tuning& row = tuning(device, desc.name(), d.dtype, shape_class);
    if (variant == "tile") gemm_ = make_tile_gemm(device, p, row);
    if (variant == "rows") gemm_ = make_rows_gemm(device, p, row);
    if (variant == "local") gemm_ = make_local_gemm(device, p, row);
    if (variant == "direct") gemm_ = make_direct_gemm(device, p);
    if (variant == "clblast") gemm_ = make_clblast_gemm(device, p);
    info.workspace_bytes = gemm_->workspace_bytes();
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!gemm_) return;  // an empty output
    gemm_->run(queue, {arg_in(desc, run, 0), arg_in(desc, run, 1), arg_in(desc, run, 2), arg_out(desc, run, 0), run.scalars[0].f,
                       run.scalars[1].f, run.workspace});
  }

 private:
  std::unique_ptr<Gemm> gemm_;
};

}  // namespace

std::unique_ptr<onc_plan> make_matmul(Device& device, kit::OpDesc desc) {
  return std::make_unique<MatmulPlan>(device, std::move(desc));
}

}  // namespace oncilla::ocl
