// Matrix products through MATMUL: transposes are strides, a bias that broadcasts has stride 0.
#include "torch/kernel.hpp"

#include <c10/util/OptionalArrayRef.h>

#include <ATen/ops/addmm_meta.h>
#include <ATen/ops/addmm_ops.h>
#include <ATen/ops/addmv_meta.h>
#include <ATen/ops/addmv_ops.h>
#include <ATen/ops/baddbmm_meta.h>
#include <ATen/ops/baddbmm_ops.h>
#include <ATen/ops/bmm_meta.h>
#include <ATen/ops/bmm_ops.h>
#include <ATen/ops/dot_ops.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/mm_meta.h>
#include <ATen/ops/mm_ops.h>
#include <ATen/ops/mv_ops.h>

#include "torch/shaped.hpp"

namespace oncilla::adapter {
namespace {

void check_same_device(const char* op, std::initializer_list<std::pair<const char*, const at::Tensor*>> tensors) {
  const at::Tensor* first = nullptr;
  for (const auto& [name, tensor] : tensors) {
    if (first == nullptr) {
      first = tensor;
    } else {
      TORCH_CHECK(tensor->device() == first->device(), "Expected all tensors to be on the same device, but got ", name, " is on ",
                  tensor->device(), ", different from other tensors on ", first->device(),
                  " (when checking argument in method wrapper_ocl_", op, ")");
    }
  }
}

// out = alpha * a @ b + beta * c; c may be undefined, or out itself.
void matmul(const at::Tensor& out, const at::Tensor& a, const at::Tensor& b, const at::Tensor& c, const at::Scalar& beta,
            const at::Scalar& alpha) {
  if (out.numel() == 0) return;
  const bool integer = c10::isIntegralType(out.scalar_type(), false);
  if ((!out.is_floating_point() && !integer) || alpha.isComplex() || beta.isComplex())
    throw Declined(std::string("products in ") + c10::toString(out.scalar_type()));
  at::Tensor to = out;
  const at::Tensor bias = c.defined() ? c.expand(out.sizes()) : c;
  // Dense outputs only; and an output that is an input too must be so element by element.
  const bool aliases = a.storage().is_alias_of(out.storage()) || b.storage().is_alias_of(out.storage()) ||
                       (bias.defined() && bias.storage().is_alias_of(out.storage()) && bias.strides() != out.strides());
  if (!out.is_non_overlapping_and_dense() || aliases) to = at::empty(out.sizes(), out.options());
  Op op(ONC_OP_MATMUL);
  op.in(in_ref(a)).in(in_ref(b));
  maybe_in(op, bias).out(out_ref(to));
  for (const at::Scalar& scalar : {alpha, bias.defined() ? beta : at::Scalar(0)}) {
    if (integer) {
      op.scalar_int(scalar.toLong());
    } else {
      op.scalar(scalar.toDouble());
    }
  }
  run(op, out.device().index());
  if (!to.is_same(out)) out.copy_(to);
}

at::Tensor mm(const at::Tensor& self, const at::Tensor& mat2) {
  check_same_device("mm", {{"self", &self}, {"mat2", &mat2}});
  Shaped<at::meta::structured_mm> shaped;
  shaped.meta(self, mat2);
  matmul(shaped.outs[0], self, mat2, {}, 0, 1);
  return shaped.outs[0];
}
at::Tensor& mm_out(const at::Tensor& self, const at::Tensor& mat2, at::Tensor& out) {
  check_same_device("mm", {{"self", &self}, {"mat2", &mat2}, {"out", &out}});
  Shaped<at::meta::structured_mm> shaped({out});
  shaped.meta(self, mat2);
  matmul(out, self, mat2, {}, 0, 1);
  return out;
}
at::Tensor bmm(const at::Tensor& self, const at::Tensor& mat2) {
  check_same_device("bmm", {{"self", &self}, {"mat2", &mat2}});
  Shaped<at::meta::structured_bmm> shaped;
  shaped.meta(self, mat2);
  matmul(shaped.outs[0], self, mat2, {}, 0, 1);
  return shaped.outs[0];
}
at::Tensor& bmm_out(const at::Tensor& self, const at::Tensor& mat2, at::Tensor& out) {
  check_same_device("bmm", {{"self", &self}, {"mat2", &mat2}, {"out", &out}});
  Shaped<at::meta::structured_bmm> shaped({out});
  shaped.meta(self, mat2);
  matmul(out, self, mat2, {}, 0, 1);
  return out;
}

template <class Meta>
at::Tensor added(const char* name, const at::Tensor& self, const at::Tensor& a, const at::Tensor& b, const at::Scalar& beta,
                 const at::Scalar& alpha, const at::Tensor& out = {}) {
  check_same_device(name, {{"self", &self}, {"mat1", &a}, {"mat2", &b}});
  Shaped<Meta> shaped({out});
  shaped.meta(self, a, b, beta, alpha);
  const at::Tensor& to = shaped.outs[0];
  if constexpr (std::is_same_v<Meta, at::meta::structured_addmv>) {
    // A vector is a matrix of one column.
    matmul(to.unsqueeze(1), a, b.unsqueeze(1), self.expand(to.sizes()).unsqueeze(1), beta, alpha);
  } else {
    matmul(to, a, b, self, beta, alpha);
  }
  return to;
}
at::Tensor addmm(const at::Tensor& self, const at::Tensor& a, const at::Tensor& b, const at::Scalar& beta,
                 const at::Scalar& alpha) {
  return added<at::meta::structured_addmm>("addmm", self, a, b, beta, alpha);
}
at::Tensor& addmm_out(const at::Tensor& self, const at::Tensor& a, const at::Tensor& b, const at::Scalar& beta,
                      const at::Scalar& alpha, at::Tensor& out) {
  added<at::meta::structured_addmm>("addmm", self, a, b, beta, alpha, out);
  return out;
}
at::Tensor baddbmm(const at::Tensor& self, const at::Tensor& a, const at::Tensor& b, const at::Scalar& beta,
                   const at::Scalar& alpha) {
  return added<at::meta::structured_baddbmm>("baddbmm", self, a, b, beta, alpha);
}
at::Tensor& baddbmm_out(const at::Tensor& self, const at::Tensor& a, const at::Tensor& b, const at::Scalar& beta,
                        const at::Scalar& alpha, at::Tensor& out) {
  added<at::meta::structured_baddbmm>("baddbmm", self, a, b, beta, alpha, out);
  return out;
}
at::Tensor addmv(const at::Tensor& self, const at::Tensor& a, const at::Tensor& b, const at::Scalar& beta,
                 const at::Scalar& alpha) {
  return added<at::meta::structured_addmv>("addmv", self, a, b, beta, alpha);
}
at::Tensor& addmv_out(const at::Tensor& self, const at::Tensor& a, const at::Tensor& b, const at::Scalar& beta,
                      const at::Scalar& alpha, at::Tensor& out) {
  added<at::meta::structured_addmv>("addmv", self, a, b, beta, alpha, out);
  return out;
}

at::Tensor mv(const at::Tensor& self, const at::Tensor& vec) {
  TORCH_CHECK(self.dim() == 2 && vec.dim() == 1, "vector + matrix @ vector expected, got ", self.dim(), ", ", vec.dim());
  TORCH_CHECK(self.size(1) == vec.size(0), "size mismatch, got input (", self.size(0), "), mat (", self.size(0), "x", self.size(1),
              "), vec (", vec.size(0), ")");
  return at::mm(self, vec.unsqueeze(1)).squeeze(1);
}
at::Tensor dot(const at::Tensor& self, const at::Tensor& other) {
  TORCH_CHECK(self.dim() == 1 && other.dim() == 1, "1D tensors expected, but got ", self.dim(), "D and ", other.dim(), "D tensors");
  TORCH_CHECK(self.scalar_type() == other.scalar_type(), "dot : expected both vectors to have same dtype, but found ",
              self.scalar_type(), " and ", other.scalar_type());
  TORCH_CHECK(self.numel() == other.numel(), "inconsistent tensor size, expected tensor [", self.numel(), "] and src [",
              other.numel(), "] to have the same number of elements, but got ", self.numel(), " and ", other.numel(),
              " elements respectively");
  return at::mm(self.unsqueeze(0), other.unsqueeze(1)).reshape({});
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::mm, mm>(m);
  kernel<at::_ops::mm_out, mm_out>(m);
  kernel<at::_ops::bmm, bmm>(m);
  kernel<at::_ops::bmm_out, bmm_out>(m);
  kernel<at::_ops::addmm, addmm>(m);
  kernel<at::_ops::addmm_out, addmm_out>(m);
  kernel<at::_ops::baddbmm, baddbmm>(m);
  kernel<at::_ops::baddbmm_out, baddbmm_out>(m);
  kernel<at::_ops::addmv, addmv>(m);
  kernel<at::_ops::addmv_out, addmv_out>(m);
  kernel<at::_ops::mv, mv>(m);
  kernel<at::_ops::dot, dot>(m);
}

}  // namespace oncilla::adapter
