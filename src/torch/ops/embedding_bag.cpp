// Sums, means and maxima over bags of embeddings. An index outside the table counts for nothing; its error comes later
// (index_check.hpp).
#include "torch/kernel.hpp"

#include <c10/util/OptionalArrayRef.h>

#include <ATen/ops/_embedding_bag_backward_ops.h>
#include <ATen/ops/_embedding_bag_dense_backward_ops.h>
#include <ATen/ops/_embedding_bag_forward_only_ops.h>
#include <ATen/ops/_embedding_bag_ops.h>
#include <ATen/ops/_embedding_bag_per_sample_weights_backward_ops.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/embedding_dense_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>

#include "torch/arguments.hpp"
#include "torch/indexing.hpp"

namespace oncilla::adapter {
namespace {

using Four = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

at::Tensor positions(const at::Tensor& t, const char* what) {
  TORCH_CHECK(t.scalar_type() == at::kLong || t.scalar_type() == at::kInt, "Expected ", what, " to be Long or Int, but got ",
              t.scalar_type());
  TORCH_CHECK(t.dim() == 1, "Expected ", what, " of 1 dimension, not ", t.dim());
  return t.to(at::kLong);
}

// The bag of each index: the last one that begins there or before.
at::Tensor bag_of_each(const at::Tensor& offsets, int64_t count) {
  const at::Tensor out = at::empty({count}, offsets.options());
  if (count == 0) return out;
  const at::Tensor each = at::arange(count, offsets.options());
  onc_search_sorted_attrs attrs{};
  attrs.right = 1;
  Op op(ONC_OP_SEARCH_SORTED);
  op.in(in_ref(offsets)).in(in_ref(each)).no_in().out(out_ref(out)).attrs(attrs);
  run(op, offsets.device().index());
  return out.sub(1);
}

Four embedding_bag(const at::Tensor& weight, const at::Tensor& given_indices, const at::Tensor& given_offsets, bool, int64_t mode,
                   bool, const Maybe& scale, bool include_last, int64_t padding) {
  need_dtype(weight.scalar_type());
  if (!weight.is_floating_point()) throw Declined("an embedding bag of integers");
  TORCH_CHECK(weight.dim() == 2, "Expected a weight of 2 dimensions, not ", weight.dim());
  TORCH_CHECK(mode == ONC_BAG_SUM || mode == ONC_BAG_MEAN || mode == ONC_BAG_MAX, "unknown mode ", mode);
  const at::Tensor indices = positions(given_indices, "indices"), offsets = positions(given_offsets, "offsets"), s = of(scale);
  TORCH_CHECK(!s.defined() || (s.scalar_type() == weight.scalar_type() && s.sizes() == indices.sizes() && mode == ONC_BAG_SUM),
              "Expected per_sample_weights of the weight's dtype and the indices' size, for a sum");
  TORCH_CHECK(!include_last || offsets.numel() >= 1, "include_last_offset: number of offset should be at least 1");
  // With the last offset the op sees a bag more, behind it.
  const int64_t ends = offsets.numel(), bags = include_last ? ends - 1 : ends, size = weight.size(1);
  const at::Tensor y = at::empty({ends, size}, weight.options()), bag_size = at::empty({ends}, indices.options());
  const at::Tensor most = at::empty({mode == ONC_BAG_MAX ? ends : 0, size}, indices.options());
  if (ends > 0) {
    check_index({"embedding_bag", 0, weight.size(0)}, indices);
    onc_embedding_bag_attrs attrs{};
    attrs.mode = static_cast<uint32_t>(mode);
    attrs.padding_index = padding < 0 ? -1 : padding;
    Op op(ONC_OP_EMBEDDING_BAG);
    op.in(in_ref(weight)).in(in_ref(indices)).in(in_ref(offsets));
    maybe_in(op, s);
    op.out(out_ref(y)).out(out_ref(bag_size));
    maybe_out(op, mode == ONC_BAG_MAX ? most : at::Tensor());
    op.attrs(attrs);
    run(op, weight.device().index());
  }
  return {y.narrow(0, 0, bags), bag_of_each(offsets, indices.numel()), bag_size.narrow(0, 0, bags),
          mode == ONC_BAG_MAX ? most.narrow(0, 0, bags) : most};
}

at::Tensor embedding_bag_grad(const at::Tensor& grad, const at::Tensor& indices, const at::Tensor&, const at::Tensor& bag,
                              const at::Tensor& bag_size, const at::Tensor& most, c10::SymInt weights, bool by_frequency,
                              int64_t mode, bool sparse, const Maybe& scale, int64_t padding) {
  need_dtype(grad.scalar_type());
  if (sparse) throw Declined("sparse gradients");
  const int64_t rows = weights.guard_int(__FILE__, __LINE__);
  if (mode == ONC_BAG_MAX) {
    const at::Tensor out = at::empty({rows, grad.size(1)}, grad.options());
    if (out.numel() == 0 || grad.numel() == 0) return out.zero_();
    scatter_into({}, 0, most, grad, ONC_SCATTER_SUM, true, out);  // an empty bag's index, -1, touches nothing
    return out;
  }
  at::Tensor each = mode == ONC_BAG_MEAN ? grad.div(bag_size.clamp_min(1).unsqueeze(1).to(grad.scalar_type())) : grad;
  each = at::index_select(each, 0, bag);
  if (of(scale).defined()) each = each.mul(of(scale).unsqueeze(1));
  return at::embedding_dense_backward(each, indices, rows, padding, by_frequency);
}

at::Tensor embedding_bag_dense_grad(const at::Tensor& grad, const at::Tensor& indices, const at::Tensor& bag,
                                    const at::Tensor& bag_size, const at::Tensor& most, c10::SymInt weights, bool by_frequency,
                                    int64_t mode, const Maybe& scale, int64_t padding) {
  return embedding_bag_grad(grad, indices, {}, bag, bag_size, most, std::move(weights), by_frequency, mode, false, scale, padding);
}

at::Tensor per_sample_grad(const at::Tensor& grad, const at::Tensor& weight, const at::Tensor& indices, const at::Tensor&,
                           const at::Tensor& bag, int64_t mode, int64_t padding) {
  need_dtype(grad.scalar_type());
  TORCH_CHECK(mode == ONC_BAG_SUM, "embedding_bag_backward: per_sample_weights only supported for mode='sum'");
  const at::Tensor dot = at::index_select(grad, 0, bag).mul(at::index_select(weight, 0, indices)).sum(1);
  return padding < 0 ? dot : dot.masked_fill(indices.eq(padding), 0);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::_embedding_bag, embedding_bag>(m);
  kernel<at::_ops::_embedding_bag_forward_only, embedding_bag>(m);
  kernel<at::_ops::_embedding_bag_backward, embedding_bag_grad>(m);
  kernel<at::_ops::_embedding_bag_dense_backward, embedding_bag_dense_grad>(m);
  kernel<at::_ops::_embedding_bag_per_sample_weights_backward, per_sample_grad>(m);
}

}  // namespace oncilla::adapter
