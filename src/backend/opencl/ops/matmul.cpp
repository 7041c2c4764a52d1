// The matrix product: chooses among the providers of gemm/.
#include <algorithm>

#include "gemm/gemm.hpp"
#include "ops/ops.hpp"
#include "ops/variants.hpp"
#include "runtime/storage.hpp"

namespace oncilla::ocl {
namespace {

// The largest work-group of CLBlast 1.5.3's own parameters for GEMM; below, its launch fails.
constexpr size_t kClblastWorkGroup = 256;

constexpr const char* kUnitStrides = "a floating dtype, and unit strides along the rows of b or the columns of a";

MatrixStrides strides_of(const kit::Tensor& tensor) {
  const size_t batch = tensor.rank() - 2;
  return {tensor.strides[batch], tensor.strides[batch + 1], batch == 1 && tensor.dims[0] > 1 ? tensor.strides[0] : 0};
}

GemmProblem problem_of(const kit::OpDesc& desc) {
  const kit::Tensor &a = desc.input(0), &b = desc.input(1), &d = desc.output(0);
  GemmProblem p;
  p.dtype = d.dtype;
  p.batch = d.rank() == 3 ? d.dims[0] : 1;
  p.m = d.dims[d.rank() - 2], p.n = d.dims[d.rank() - 1], p.k = a.dims[d.rank() - 1];
  p.a = strides_of(a), p.b = strides_of(b), p.d = strides_of(d);
  p.has_c = desc.has_in(2);
  if (p.has_c) p.c = strides_of(desc.input(2));
  p.wide = wide_index(desc);
  if (!desc.epilogue) return p;
  p.epilogue = &*desc.epilogue;
  for (size_t i = kit::kEpilogueInput; i < desc.in.size(); ++i) {
    const MatrixStrides s = strides_of(desc.input(i));
    p.further.push_back({desc.input(i).dtype, s.row, s.column, s.batch});
  }
  return p;
}

// See tuning/matmul.json.
const char* shape_class_of(const GemmProblem& p) {
  const int64_t products = p.m * p.n * p.k;
  if (products <= 4096) {
    const bool floating = kit::dtype_kind(p.dtype) == 'f' && products > 512;
    if (floating && split_fits(p)) return "tiny_panel";
    return floating && rows_fits(p) && p.k >= kLanes ? "tiny_dots" : "tiny";
  }
  if (std::min(p.m, p.n) <= 4) return "thin";
  if (rows_few(p)) return "few";
  if (std::max(p.m, p.n) <= 32 && p.k >= 4096 && p.batch == 1) return "deep";
  return products <= 4194304 ? "small" : "large";
}

// The product without its epilogue, in a contiguous d.
GemmProblem bare(GemmProblem p) {
  p.epilogue = nullptr;
  p.further.clear();
  p.d = {p.n, 1, p.batch > 1 ? p.m * p.n : 0};
  return p;
}

class MatmulPlan final : public onc_plan {
 public:
  MatmulPlan(Device& device, kit::OpDesc parsed, uint32_t scalars) : onc_plan(std::move(parsed), scalars) {
    const kit::Tensor& d = desc.output(0);
    kit::support(d.dtype != ONC_F64 || device.features().fp64, "[matmul] float64 on a device without fp64");
    GemmProblem p = problem_of(desc);
    info.flops = static_cast<uint64_t>(2 * p.batch * p.m * p.n * p.k);
    for (const auto* side : {&desc.in, &desc.out}) {
      for (const auto& tensor : *side)
        info.bytes += tensor ? static_cast<uint64_t>(tensor->span()) * kit::dtype_bytes(tensor->dtype) : 0;
    }
    const bool empty = d.numel() == 0, floating = kit::dtype_kind(d.dtype) == 'f';
    const std::string shape_class = shape_class_of(p);
    const std::string variant = choose_variant(
        device, desc, d.dtype, shape_class,
        {{"tile"},
         {"rows", floating && rows_fits(p), "a floating dtype, and unit strides along K or along the rows of b"},
         {"local"},
         {"direct"},
         {"panel", floating && split_fits(p), kUnitStrides},
         {"split", floating && split_fits(p), kUnitStrides},
         {"clblast", !empty && device.max_work_group() >= kClblastWorkGroup && clblast_fits(desc.epilogue ? bare(p) : p),
          "float32 or float64, unit strides, and c laid out as a dense d"}},
        info);
    if (empty) return;
    if (variant == "clblast" && desc.epilogue) {
      p = bare(p);
      epilogue_ = make_expr(device, kit::epilogue_expr(desc));
    }
    const Tuning row = tuned(device, desc, d.dtype, shape_class);
    if (variant == "tile") gemm_ = make_tile_gemm(device, p, row);
    if (variant == "rows") gemm_ = make_rows_gemm(device, p, row);
    if (variant == "panel") gemm_ = make_panel_gemm(device, p, row);
    if (variant == "split") gemm_ = make_split_gemm(device, p, row);
    if (variant == "local") gemm_ = make_local_gemm(device, p, row);
    if (variant == "direct") gemm_ = make_direct_gemm(device, p);
    if (variant == "clblast") gemm_ = make_clblast_gemm(device, p);
    info.workspace_bytes = gemm_->workspace_bytes();
    if (epilogue_) info.workspace_bytes = static_cast<uint64_t>(d.numel()) * kit::dtype_bytes(d.dtype);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!gemm_) return;  // an empty output
    GemmOperands o{arg_in(desc, run, 0),
                   arg_in(desc, run, 1),
                   arg_in(desc, run, 2),
                   arg_out(desc, run, 0),
                   run.scalars[0],
                   run.scalars[1],
                   run.workspace,
                   {},
                   {}};
    if (epilogue_) {
      o.d.at = run.workspace;
      gemm_->run(queue, o);
      std::vector<onc_arg> args = {run.workspace};
      for (size_t i = kit::kEpilogueInput; i < run.args.size(); ++i) args.push_back(run.args[i]);
      return epilogue_->run(queue, {args, run.scalars.subspan(2), {}});
    }
    for (size_t i = kit::kEpilogueInput; i < desc.in.size(); ++i) o.further.push_back(arg_in(desc, run, i));
    o.scalars = run.scalars.subspan(2);
    gemm_->run(queue, o);
  }

 private:
  std::unique_ptr<Gemm> gemm_;
  std::unique_ptr<onc_plan> epilogue_;  // behind products that cannot apply it themselves
};

}  // namespace

std::unique_ptr<onc_plan> make_matmul(Device& device, kit::OpDesc desc) {
  const uint32_t scalars = kit::scalar_count(desc);
  return std::make_unique<MatmulPlan>(device, std::move(desc), scalars);
}

}  // namespace oncilla::ocl
