// complex64 and complex128 without complex kernels: a complex tensor is two strided views of its memory as floats, the real parts
// at offset 0 and the imaginary ones at offset 1, with every stride doubled. Pointwise ops are tapes with two inputs and two
// outputs; a product of matrices is four real ones. Views, copies and permutations need nothing else.
#pragma once

#include "core/op.hpp"

namespace oncilla {

// The value dtype of the parts is F32 or F64.
struct ComplexValue {
  Value re, im;
};
inline ComplexValue add(ComplexValue a, ComplexValue b) { return {a.re + b.re, a.im + b.im}; }
inline ComplexValue sub(ComplexValue a, ComplexValue b) { return {a.re - b.re, a.im - b.im}; }
inline ComplexValue conj(ComplexValue a) { return {a.re, -a.im}; }
ComplexValue mul(ComplexValue a, ComplexValue b);
// Smith's division, "Algorithm 116: Complex division", CACM 1962: no square of b that could overflow.
ComplexValue div(ComplexValue a, ComplexValue b);
Value abs(ComplexValue a);  // hypot

// The two parts of a tensor of n complex numbers as float tensors. Strides are in complex elements on the way in, in floats on the
// way out; the object owns them.
class ComplexView {
 public:
  // part_dtype: F32 for complex64, F64 for complex128.
  ComplexView(onc_arg at, uint32_t part_dtype, std::span<const int64_t> dims, std::span<const int64_t> strides);
  TensorRef re() const { return part(0); }
  TensorRef im() const { return part(1); }

 private:
  TensorRef part(uint64_t number) const;
  onc_arg at_;
  uint32_t dtype_;
  std::vector<int64_t> dims_, strides_;
};

// d = a @ b, shapes as MATMUL; d overlaps neither a nor b. With conj_b, b's conjugate. Four products and no temporary: each part
// of d is one product, then another one on top.
void complex_matmul(Queue& queue, const ComplexView& a, const ComplexView& b, const ComplexView& d, bool conj_b = false);

}  // namespace oncilla
