// Ops that do not fit a row: where, masks, ranges, triangles, cat, pointwise losses, log-sigmoid.
#include "torch/kernel.hpp"

#include <ATen/core/Reduction.h>
#include <ATen/native/Resize.h>
#include <ATen/native/TypeProperties.h>
#include <ATen/ops/_prelu_kernel_backward_ops.h>
#include <ATen/ops/arange_ops.h>
#include <ATen/ops/binary_cross_entropy_backward_ops.h>
#include <ATen/ops/binary_cross_entropy_ops.h>
#include <ATen/ops/cat_ops.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/eye_ops.h>
#include <ATen/ops/huber_loss_backward_ops.h>
#include <ATen/ops/huber_loss_ops.h>
#include <ATen/ops/log_sigmoid_backward_ops.h>
#include <ATen/ops/log_sigmoid_forward_ops.h>
#include <ATen/ops/masked_fill_ops.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/mse_loss_backward_ops.h>
#include <ATen/ops/mse_loss_ops.h>
#include <ATen/ops/result_type.h>
#include <ATen/ops/smooth_l1_loss_backward_ops.h>
#include <ATen/ops/smooth_l1_loss_ops.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tril_ops.h>
#include <ATen/ops/triu_ops.h>
#include <ATen/ops/where_ops.h>

#include <cmath>

#include "torch/copy.hpp"
#include "torch/pointwise.hpp"

namespace oncilla::adapter {
namespace {

using Maybe = std::optional<at::Tensor>;

// --- where and masks

at::Tensor where_of(const at::Tensor& condition, const at::Tensor& self, const at::Tensor& other) {
  const auto type = at::result_type(self, other);
  need_dtype(type);
  need_dtype(condition.scalar_type());
  TORCH_CHECK(condition.scalar_type() == at::kBool || condition.scalar_type() == at::kByte,
              "where expected condition to be a boolean tensor, but got a tensor with dtype ", condition.scalar_type());
  const auto device = condition.device().type() == kOcl ? condition.device()
                      : self.device().type() == kOcl    ? self.device()
                                                        : other.device();
  const at::Tensor none;
  // A condition that is a CPU number would be refused as a mask: it is moved.
  const at::Tensor mask = condition.dim() == 0 && condition.is_cpu() ? condition.to(device) : condition;
  at::TensorIterator iter = at::TensorIteratorConfig()
                                .check_all_same_dtype(false)
                                .allow_cpu_scalars(true)
                                .declare_static_dtype_and_device(type, device)
                                .add_output(none)
                                .add_const_input(mask)
                                .add_const_input(self)
                                .add_const_input(other)
                                .build();
  const at::Tensor out = iter.output();
  pointwise(iter, type, {}, [](Ctx& c) {
    const Value mask_value = c.raw(0).dtype == ONC_BOOL ? c.raw(0) : c.tape.cast(c.raw(0), ONC_BOOL);
    return where(mask_value, c.x(1), c.x(2));
  });
  return out;
}

at::Tensor& masked_fill_scalar(at::Tensor& self, const at::Tensor& mask, const at::Scalar& value) {
  need_dtype(self.scalar_type());
  TORCH_CHECK(mask.scalar_type() == at::kBool, "masked_fill_ only supports boolean masks, but got mask with dtype ",
              mask.scalar_type());
  TORCH_CHECK(mask.device() == self.device() || mask.dim() == 0,
              "expected self and mask to be on the same device, but got mask on ", mask.device(), " and self on ", self.device());
  const at::Tensor there = mask.to(self.device()).expand(self.sizes());
  auto iter = at::TensorIteratorConfig()
                  .set_check_mem_overlap(false)
                  .check_all_same_dtype(false)
                  .resize_outputs(false)
                  .add_output(self)
                  .add_const_input(self)
                  .add_const_input(there)
                  .build();
  pointwise(iter, self.scalar_type(), {}, [&](Ctx& c) { return where(c.raw(1), c.s(value), c.x(0)); });
  return self;
}
at::Tensor& masked_fill_tensor(at::Tensor& self, const at::Tensor& mask, const at::Tensor& value) {
  TORCH_CHECK(value.dim() == 0, "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with ", value.dim(),
              " dimension(s).");
  return masked_fill_scalar(self, mask, value.item());
}

// --- values from coordinates

at::Tensor& arange_out(const at::Scalar& start, const at::Scalar& end, const at::Scalar& step, at::Tensor& out) {
  const auto type = out.scalar_type();
  need_dtype(type);
  const bool whole = at::isIntegralType(type, false);
  const double from = start.toDouble(), to = end.toDouble(), by = step.toDouble();
  TORCH_CHECK(by != 0, "step must be nonzero");
  TORCH_CHECK(std::isfinite(from) && std::isfinite(to), "unsupported range: ", from, " -> ", to);
  TORCH_CHECK((by > 0 && to >= from) || (by < 0 && to <= from), "upper bound and lower bound inconsistent with step sign");
  double size = std::ceil((to - from) / by);
  if (whole && start.isIntegral(false) && end.isIntegral(false) && step.isIntegral(false)) {
    const int64_t a = start.toLong(), b = end.toLong(), s = step.toLong();
    size = static_cast<double>((b - a + s - (s > 0 ? 1 : -1)) / s);
  }
  const int64_t count = static_cast<int64_t>(size);
  if (out.numel() != count) out.resize_({count});
  if (count == 0) return out;
  const at::Tensor to_fill = out.view({count});
  auto iter = at::TensorIteratorConfig()
                  .set_check_mem_overlap(false)
                  .check_all_same_dtype(false)
                  .resize_outputs(false)
                  .add_output(to_fill)
                  .enforce_linear_iteration(true)
                  .build();
  // Whole numbers count in int64; floating ones in the widest dtype that the tape has for them.
  pointwise(iter, whole ? at::kLong : type, {}, [&](Ctx& c) {
    const Value at = c.tape.coord(0);
    return c.s(start) + (at.dtype == c.dtype ? at : c.tape.cast(at, c.dtype)) * c.s(step);
  });
  return out;
}

// Keeps what lies on one side of a diagonal of the last two dims.
template <bool kUpper>
void triangle(const at::Tensor& self, int64_t diagonal, const at::Tensor& out) {
  TORCH_CHECK(self.dim() >= 2, kUpper ? "triu" : "tril", ": input tensor must have at least 2 dimensions");
  if (out.numel() == 0) return;
  const TensorRef in = in_ref(self), to = out_ref(out);
  Tape tape;
  const Value value = tape.input(in.dtype);
  const auto rank = static_cast<uint32_t>(self.dim());
  const Value distance = tape.coord(rank - 1) - tape.coord(rank - 2), edge = tape.scalar(ONC_I64);
  const Value zero =
      value.dtype == ONC_F32 || value.dtype == ONC_F64 ? tape.constant(value.dtype, 0) : tape.constant_int(value.dtype, 0);
  tape.output(where(kUpper ? ge(distance, edge) : le(distance, edge), value, zero));
  Op op(ONC_OP_EXPR);
  op.in(in).out(to).tape(tape, in.dims).scalar_int(diagonal);
  run(op, self.device().index());
}
template <bool kUpper>
at::Tensor triangle_of(const at::Tensor& self, c10::SymInt diagonal) {
  const at::Tensor out = at::empty(self.sizes(), self.options());
  triangle<kUpper>(self, diagonal.guard_int(__FILE__, __LINE__), out);
  return out;
}
template <bool kUpper>
at::Tensor& triangle_out(const at::Tensor& self, c10::SymInt diagonal, at::Tensor& out) {
  at::native::resize_output(out, self.sizes());
  if (out.is_same(self) || !out.storage().is_alias_of(self.storage())) {
    triangle<kUpper>(self, diagonal.guard_int(__FILE__, __LINE__), out);
  } else {
    out.copy_(triangle_of<kUpper>(self, diagonal));
  }
  return out;
}

at::Tensor& eye_out(c10::SymInt n, c10::SymInt m, at::Tensor& out) {
  const int64_t rows = n.guard_int(__FILE__, __LINE__), columns = m.guard_int(__FILE__, __LINE__);
  TORCH_CHECK(rows >= 0 && columns >= 0, "n and m must not be negative, got ", rows, " and ", columns);
  out.resize_({rows, columns});
  if (out.numel() == 0) return out;
  const TensorRef to = out_ref(out);
  Tape tape;
  tape.output(eq(tape.coord(0), tape.coord(1)));
  Op op(ONC_OP_EXPR);
  op.out(to).tape(tape, to.dims);
  run(op, out.device().index());
  return out;
}
at::Tensor& eye_square_out(c10::SymInt n, at::Tensor& out) { return eye_out(n, n, out); }

// --- cat: each tensor copied into its place

bool skipped(const at::Tensor& t) {
  return t.dim() == 1 && t.size(0) == 0;
}  // a leftover of old PyTorch: such a tensor joins with anything

void cat_into(const std::vector<at::Tensor>& tensors, int64_t dim, at::Tensor& out, bool given) {
  const at::Tensor* first = nullptr;
  for (const at::Tensor& t : tensors) {
    if (!skipped(t) && first == nullptr) first = &t;
  }
  std::vector<int64_t> size{0};
  if (first != nullptr) {
    TORCH_CHECK(first->dim() > 0, "zero-dimensional tensor (at position 0) cannot be concatenated");
    dim = at::maybe_wrap_dim(dim, first->dim());
    size.assign(first->sizes().begin(), first->sizes().end());
    size[static_cast<size_t>(dim)] = 0;
    for (size_t i = 0; i < tensors.size(); ++i) {
      const at::Tensor& t = tensors[i];
      TORCH_CHECK(t.device() == first->device(), "Expected all tensors to be on the same device, but got tensors is on ",
                  t.device(), ", different from other tensors on ", first->device(),
                  " (when checking argument in method wrapper_ocl_cat)");
      if (skipped(t)) continue;
      TORCH_CHECK(t.dim() == first->dim(), "Tensors must have same number of dimensions: got ", first->dim(), " and ", t.dim());
      for (int64_t d = 0; d < t.dim(); ++d) {
        TORCH_CHECK(d == dim || t.size(d) == first->size(d), "Sizes of tensors must match except in dimension ", dim,
                    ". Expected size ", first->size(d), " but got size ", t.size(d), " for tensor number ", i, " in the list.");
      }
      size[static_cast<size_t>(dim)] += t.size(dim);
    }
  }
  if (given) {
    at::native::resize_output(out, size);
  } else {
    const auto format = first != nullptr ? first->suggest_memory_format() : c10::MemoryFormat::Contiguous;
    out = at::empty(size, out.options().memory_format(format));
  }
  int64_t at = 0;
  for (const at::Tensor& t : tensors) {
    if (skipped(t)) continue;
    copy_tensor(out.narrow(dim, at, t.size(dim)), t, false);
    at += t.size(dim);
  }
}
at::Tensor cat(const at::ITensorListRef& list, int64_t dim) {
  const std::vector<at::Tensor> tensors(list.begin(), list.end());
  TORCH_CHECK(!tensors.empty(), "torch.cat(): expected a non-empty list of Tensors");
  at::native::ResultTypeState state{};
  for (const at::Tensor& t : tensors) state = at::native::update_result_type_state(t, state);
  at::Tensor out = at::empty({0}, tensors[0].options().dtype(at::native::result_type(state)));
  cat_into(tensors, dim, out, false);
  return out;
}
at::Tensor& cat_out(const at::ITensorListRef& list, int64_t dim, at::Tensor& out) {
  const std::vector<at::Tensor> tensors(list.begin(), list.end());
  TORCH_CHECK(!tensors.empty(), "torch.cat(): expected a non-empty list of Tensors");
  cat_into(tensors, dim, out, true);
  return out;
}

// --- pointwise losses: a tape, then the mean or the sum

at::Tensor reduced(const at::Tensor& loss, int64_t reduction) {
  return reduction == at::Reduction::Mean ? at::mean(loss) : reduction == at::Reduction::Sum ? at::sum(loss) : loss;
}
// Gradients of means are divided by the number of elements.
double share(const at::Tensor& self, int64_t reduction) {
  return reduction == at::Reduction::Mean ? 1.0 / static_cast<double>(self.numel()) : 1.0;
}

at::Tensor mse(const at::Tensor& self, const at::Tensor& target, int64_t reduction) {
  return reduced(pointwise(Rule::kBinary, {}, {self, target}, {}, [](Ctx& c) { return (c.x(0) - c.x(1)) * (c.x(0) - c.x(1)); }),
                 reduction);
}
at::Tensor mse_grad(const at::Tensor& grad, const at::Tensor& self, const at::Tensor& target, int64_t reduction) {
  const c10::IValue factor(2 * share(self, reduction));
  return pointwise(Rule::kBinary, {}, {grad, self, target}, factor,
                   [](Ctx& c) { return c.s(size_t{0}) * (c.x(1) - c.x(2)) * c.x(0); });
}
at::Tensor smooth_l1(const at::Tensor& self, const at::Tensor& target, int64_t reduction, double beta) {
  TORCH_CHECK(beta >= 0, "smooth_l1_loss does not support negative values for beta.");
  const c10::IValue edge(beta);
  return reduced(pointwise(Rule::kBinary, {}, {self, target}, edge,
                           [](Ctx& c) {
                             const Value z = abs(c.x(0) - c.x(1)), b = c.s(size_t{0});
                             return where(lt(z, b), z * z * 0.5 / b, z - b * 0.5);
                           }),
                 reduction);
}
at::Tensor smooth_l1_grad(const at::Tensor& grad, const at::Tensor& self, const at::Tensor& target, int64_t reduction,
                          double beta) {
  const std::array<c10::IValue, 2> args{share(self, reduction), beta};
  return pointwise(Rule::kBinary, {}, {grad, self, target}, args, [](Ctx& c) {
    const Value z = c.x(1) - c.x(2), b = c.s(1);
    return c.s(size_t{0}) * c.x(0) * where(lt(abs(z), b), z / b, sign(z));
  });
}
at::Tensor huber(const at::Tensor& self, const at::Tensor& target, int64_t reduction, double delta) {
  TORCH_CHECK(delta > 0, "huber_loss does not support non-positive values for delta.");
  const c10::IValue edge(delta);
  return reduced(pointwise(Rule::kBinary, {}, {self, target}, edge,
                           [](Ctx& c) {
                             const Value z = abs(c.x(0) - c.x(1)), d = c.s(size_t{0});
                             return where(le(z, d), z * z * 0.5, d * (z - d * 0.5));
                           }),
                 reduction);
}
at::Tensor huber_grad(const at::Tensor& grad, const at::Tensor& self, const at::Tensor& target, int64_t reduction, double delta) {
  const std::array<c10::IValue, 2> args{share(self, reduction), delta};
  return pointwise(Rule::kBinary, {}, {grad, self, target}, args, [](Ctx& c) {
    const Value z = c.x(1) - c.x(2), d = c.s(1);
    return c.s(size_t{0}) * c.x(0) * where(le(abs(z), d), z, d * sign(z));
  });
}

// Logarithms are held at -100, so that a certain but wrong prediction costs a finite amount.
at::Tensor binary_cross_entropy(const at::Tensor& self, const at::Tensor& target, const Maybe& weight, int64_t reduction) {
  const bool weighted = weight && weight->defined();
  return reduced(pointwise(Rule::kBinary, {}, {self, target, weighted ? *weight : at::Tensor()}, {},
                           [&](Ctx& c) {
                             const Value p = c.x(0), t = c.x(1), floor = c.c(-100);
                             const Value loss = (t - 1.0) * maximum(log1p(-p), floor) - t * maximum(log(p), floor);
                             return weighted ? loss * c.x(2) : loss;
                           }),
                 reduction);
}
at::Tensor binary_cross_entropy_grad(const at::Tensor& grad, const at::Tensor& self, const at::Tensor& target, const Maybe& weight,
                                     int64_t reduction) {
  const bool weighted = weight && weight->defined();
  const c10::IValue factor(share(self, reduction));
  return pointwise(Rule::kBinary, {}, {grad, self, target, weighted ? *weight : at::Tensor()}, factor, [&](Ctx& c) {
    const Value p = c.x(1);
    const Value slope = c.s(size_t{0}) * c.x(0) * (p - c.x(2)) / maximum((1.0 - p) * p, c.c(1e-12));
    return weighted ? slope * c.x(3) : slope;
  });
}

std::tuple<at::Tensor, at::Tensor> log_sigmoid(const at::Tensor& self) {
  const at::Tensor out =
      pointwise(Rule::kUnary, {}, self, {}, [](Ctx& c) { return minimum(c.x(0), c.c(0)) - log1p(exp(-abs(c.x(0)))); });
  return {out, at::empty({0}, self.options())};
}
at::Tensor log_sigmoid_grad(const at::Tensor& grad, const at::Tensor& self, const at::Tensor&) {
  return pointwise(Rule::kBinary, {}, {grad, self}, {}, [](Ctx& c) { return c.x(0) * sigmoid(-c.x(1)); });
}

std::tuple<at::Tensor, at::Tensor> prelu_grad(const at::Tensor& grad, const at::Tensor& self, const at::Tensor& weight) {
  return {
      pointwise(Rule::kBinary, {}, {grad, self, weight}, {},
                [](Ctx& c) { return where(gt(c.x(1), c.c(0)), c.x(0), c.x(0) * c.x(2)); }),
      pointwise(Rule::kBinary, {}, {grad, self}, {}, [](Ctx& c) { return where(gt(c.x(1), c.c(0)), c.c(0), c.x(0) * c.x(1)); })};
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::where_self, where_of>(m);
  kernel<at::_ops::masked_fill__Scalar, masked_fill_scalar>(m);
  kernel<at::_ops::masked_fill__Tensor, masked_fill_tensor>(m);
  kernel<at::_ops::arange_start_out, arange_out>(m);
  kernel<at::_ops::tril, triangle_of<false>>(m);
  kernel<at::_ops::triu, triangle_of<true>>(m);
  kernel<at::_ops::tril_out, triangle_out<false>>(m);
  kernel<at::_ops::triu_out, triangle_out<true>>(m);
  kernel<at::_ops::eye_out, eye_square_out>(m);
  kernel<at::_ops::eye_m_out, eye_out>(m);
  kernel<at::_ops::cat, cat>(m);
  kernel<at::_ops::cat_out, cat_out>(m);
  kernel<at::_ops::mse_loss, mse>(m);
  kernel<at::_ops::mse_loss_backward, mse_grad>(m);
  kernel<at::_ops::smooth_l1_loss, smooth_l1>(m);
  kernel<at::_ops::smooth_l1_loss_backward, smooth_l1_grad>(m);
  kernel<at::_ops::huber_loss, huber>(m);
  kernel<at::_ops::huber_loss_backward, huber_grad>(m);
  kernel<at::_ops::binary_cross_entropy, binary_cross_entropy>(m);
  kernel<at::_ops::binary_cross_entropy_backward, binary_cross_entropy_grad>(m);
  kernel<at::_ops::log_sigmoid_forward, log_sigmoid>(m);
  kernel<at::_ops::log_sigmoid_backward, log_sigmoid_grad>(m);
  kernel<at::_ops::_prelu_kernel_backward, prelu_grad>(m);
}

}  // namespace oncilla::adapter
