// What the products by kernels of ours share.
#pragma once

#include <optional>
#include <string>

#include "gemm/gemm.hpp"

namespace oncilla::ocl {

// A product of a kernel of ours, or of its transposed problem, in parts of a batch that one launch may have.
class OwnGemm : public Gemm {
 public:
  void run(onc_queue& queue, const GemmOperands& given) override;

 protected:
  OwnGemm(GemmProblem problem, bool swapped) : problem_(std::move(problem)), swapped_(swapped) {}
  // The matrices first ... first + count - 1 of the batch; the operands are moved to the first.
  virtual void launch(onc_queue& queue, const GemmOperands& o, int64_t count, int64_t first) = 0;

  GemmProblem problem_;
  bool swapped_;
  std::optional<EpilogueText> epilogue_;
};

std::optional<EpilogueText> epilogue_text(const GemmProblem& problem, int64_t width);
inline std::string prelude(const std::optional<EpilogueText>& epilogue) { return epilogue ? epilogue->prelude() : ""; }

// A size of the problem as the kernels count it.
inline Index count_of(const GemmProblem& problem, int64_t size) { return {size, problem.wide}; }
Kernel::Arguments& add_strides(Kernel::Arguments& arguments, const MatrixStrides& strides);
// alpha and beta.
void add_factors(Kernel::Arguments& arguments, uint32_t dtype, const GemmOperands& operands);

}  // namespace oncilla::ocl
