// An epilogue as OpenCL C, for kernels that apply it to their results before they store them (kernels/lib/epilogue.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kit/backend.hpp"
#include "runtime/device.hpp"

namespace oncilla::ocl {

// A further tensor of an epilogue as a matrix, or a batch of them; 0 broadcasts.
struct EpilogueTensor {
  uint32_t dtype = 0;
  int64_t row = 0, column = 0, batch = 0;  // strides in elements
  // Where no one stride reaches all columns: the dims that the column counts, slowest first. `column` is not used then.
  struct Dim {
    int64_t size, stride;
  };
  std::vector<Dim> dims{};
};

class EpilogueText {
 public:
  // tape: kit::OpDesc::epilogue. tensors: its inputs from 1 on. type: T of the kernel, in which the result is. width: VW of the
  // kernel, 1 if it has no vectors. The text depends on the column strides where they are 0 or 1,
  // and on dims.
  EpilogueText(const kit::Tape& tape, uint32_t out_dtype, std::vector<EpilogueTensor> tensors, const char* type, int width);

  const std::string& prelude() const { return prelude_; }
  // The arguments of EPILOGUE_PARAMS. tensors: as the constructor's; scalars: the epilogue's own.
  void add(Kernel::Arguments& arguments, std::span<const Mem> tensors, std::span<const onc_scalar> scalars) const;

 private:
  struct Scalar {
    uint32_t number, dtype;  // F32, F64 or I64
  };
  std::vector<EpilogueTensor> tensors_;
  std::vector<Scalar> scalars_;
  std::string prelude_;
};

}  // namespace oncilla::ocl
