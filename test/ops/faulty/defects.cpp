// The defects, one row each.
#include "ops/faulty/defects.hpp"

#include <algorithm>
#include <cstring>

namespace faulty {
namespace {

template <class A>
A& as(void* attrs) {
  return *static_cast<A*>(attrs);
}

// An attribute that is ignored or misread.
struct AttributeDefect {
  const char* name;
  uint32_t op;
  void (*edit)(void* attrs);
};
const AttributeDefect kAttributes[] = {
    {"ignored_log", ONC_OP_SOFTMAX, [](void* a) { as<onc_softmax_attrs>(a).log = 0; }},
    {"ignored_reverse", ONC_OP_SCAN, [](void* a) { as<onc_scan_attrs>(a).reverse = 0; }},
    {"ignored_exclusive", ONC_OP_SCAN, [](void* a) { as<onc_scan_attrs>(a).exclusive = 0; }},
    {"ignored_descending", ONC_OP_SORT, [](void* a) { as<onc_sort_attrs>(a).descending = 0; }},
    {"smallest_for_largest", ONC_OP_TOP_K, [](void* a) { as<onc_sort_attrs>(a).descending ^= 1; }},
    {"wrong_side_of_equals", ONC_OP_SEARCH_SORTED, [](void* a) { as<onc_search_sorted_attrs>(a).right ^= 1; }},
    {"forgotten_self", ONC_OP_SCATTER, [](void* a) { as<onc_scatter_attrs>(a).include_self = 0; }},
    {"sum_for_mean", ONC_OP_SCATTER,
     [](void* a) {
       if (as<onc_scatter_attrs>(a).reduce == ONC_SCATTER_MEAN) as<onc_scatter_attrs>(a).reduce = ONC_SCATTER_SUM;
     }},
    {"counted_padding_row", ONC_OP_EMBEDDING_BAG, [](void* a) { as<onc_embedding_bag_attrs>(a).padding_index = -1; }},
    {"replicate_for_reflect", ONC_OP_PAD,
     [](void* a) {
       if (as<onc_pad_attrs>(a).mode == ONC_PAD_REFLECT) as<onc_pad_attrs>(a).mode = ONC_PAD_REPLICATE;
     }},
    {"ignored_align_corners", ONC_OP_UPSAMPLE, [](void* a) { as<onc_upsample_attrs>(a).align_corners = 0; }},
    {"ignored_border", ONC_OP_GRID_SAMPLE, [](void* a) { as<onc_grid_sample_attrs>(a).border = ONC_BORDER_ZEROS; }},
    {"ignored_padding_count", ONC_OP_AVG_POOL, [](void* a) { as<onc_pool_attrs>(a).count_include_pad ^= 1; }},
    {"ignored_divisor", ONC_OP_AVG_POOL, [](void* a) { as<onc_pool_attrs>(a).divisor_override = 0; }},
    {"counted_ignored_target", ONC_OP_NLL_LOSS, [](void* a) { as<onc_loss_attrs>(a).ignore_index = -12345; }},
    {"ignored_smoothing", ONC_OP_CROSS_ENTROPY, [](void* a) { as<onc_loss_attrs>(a).label_smoothing = 0; }},
    {"sum_for_mean_loss", ONC_OP_CROSS_ENTROPY,
     [](void* a) {
       if (as<onc_loss_attrs>(a).reduction == ONC_REDUCTION_MEAN) as<onc_loss_attrs>(a).reduction = ONC_REDUCTION_SUM;
     }},
    {"ignored_causal", ONC_OP_ATTENTION, [](void* a) { as<onc_attention_attrs>(a).causal = 0; }},
    {"other_norm", ONC_OP_FOREACH_NORM,
     [](void* a) {
       if (as<onc_foreach_norm_attrs>(a).kind == ONC_NORM_2) as<onc_foreach_norm_attrs>(a).kind = ONC_NORM_1;
     }},
    {"constant_statistics", ONC_OP_BATCH_NORM_GRAD, [](void* a) { as<onc_batch_norm_grad_attrs>(a).training = 0; }},
};

// A run-time scalar that is ignored: it counts as `value`.
struct ScalarDefect {
  const char* name;
  uint32_t op;
  size_t scalar;
  double value;
};
const ScalarDefect kScalars[] = {
    {"ignored_alpha", ONC_OP_MATMUL, 0, 1},        {"ignored_beta", ONC_OP_MATMUL, 1, 1},
    {"ignored_epsilon", ONC_OP_LAYER_NORM, 0, 0},  {"ignored_momentum", ONC_OP_BATCH_NORM, 1, 1},
    {"ignored_correction", ONC_OP_VAR_MEAN, 0, 0}, {"ignored_scale", ONC_OP_ATTENTION, 0, 1},
};

// An instruction of a tape taken for another.
struct TapeDefect {
  const char* name;
  uint16_t from, to;
};
const TapeDefect kTapes[] = {
    {"sum_for_product", ONC_EX_REDUCE_PROD, ONC_EX_REDUCE_SUM},
    {"any_for_all", ONC_EX_REDUCE_ALL, ONC_EX_REDUCE_ANY},
    {"floor_for_trunc", ONC_EX_TRUNC, ONC_EX_FLOOR},
};

size_t attribute_bytes(uint32_t op) {
  switch (op) {
#define ONC_OP(number, NAME, name, attrs, ...) \
  case number:                                 \
    return sizeof(attrs);
#include "oncilla/ops.def"
#undef ONC_OP
    default:
      return 0;
  }
}

std::vector<int64_t> dense_strides(const std::vector<int64_t>& dims) {
  std::vector<int64_t> strides(dims.size());
  int64_t stride = 1;
  for (size_t d = dims.size(); d-- > 0; stride *= dims[d]) strides[d] = stride;
  return strides;
}

}  // namespace

size_t Tensor::item() const {
  switch (dtype) {
#define ONC_DTYPE(number, NAME, name, bytes, ...) \
  case number:                                    \
    return bytes;
#include "oncilla/dtypes.def"
#undef ONC_DTYPE
    default:
      return 1;
  }
}

int64_t Tensor::numel() const {
  int64_t n = 1;
  for (int64_t dim : dims) n *= dim;
  return n;
}

int64_t Tensor::span() const {
  int64_t n = 1;
  for (size_t d = 0; d < dims.size(); ++d) n += (dims[d] - 1) * strides[d];
  return n;
}

std::vector<Tensor> tensors_of(const onc_tensor_desc* const* descs, uint32_t n) {
  std::vector<Tensor> list(n);
  for (uint32_t i = 0; i < n; ++i) {
    if (!descs[i]) continue;
    list[i].dtype = descs[i]->dtype;
    list[i].dims.assign(descs[i]->dims, descs[i]->dims + descs[i]->rank);
    list[i].strides.assign(descs[i]->strides, descs[i]->strides + descs[i]->rank);
  }
  return list;
}

Misread::Misread(const onc_op_desc& desc, const std::string& defect) : desc_(desc) {
  tensors_ = tensors_of(desc.in, desc.n_in);
  const std::vector<Tensor> outputs = tensors_of(desc.out, desc.n_out);
  tensors_.insert(tensors_.end(), outputs.begin(), outputs.end());
  edit_strides(defect);
  if (const size_t bytes = attribute_bytes(desc.op); desc.attrs != nullptr) {
    const auto* from = static_cast<const unsigned char*>(desc.attrs);
    attrs_.assign(from, from + bytes);
    desc_.attrs = attrs_.data();
  }
  edit_attributes(defect);
  edit_tape(defect);
  descs_.reserve(tensors_.size());
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const Tensor& t = tensors_[i];
    onc_tensor_desc d{};
    d.size = sizeof d;
    d.dtype = t.dtype;
    d.rank = static_cast<uint32_t>(t.dims.size());
    d.dims = t.dims.data();
    d.strides = t.strides.data();
    descs_.push_back(d);
    (i < desc.n_in ? in_ : out_).push_back(t.dtype != 0 ? &descs_.back() : nullptr);
  }
  desc_.in = in_.data();
  desc_.out = out_.data();
}

void Misread::edit_attributes(const std::string& defect) {
  for (const AttributeDefect& d : kAttributes) {
    if (defect == d.name && desc_.op == d.op && !attrs_.empty()) d.edit(attrs_.data());
  }
}

void Misread::edit_tape(const std::string& defect) {
  if (desc_.op != ONC_OP_EXPR || attrs_.empty()) return;
  auto& expr = as<onc_expr_attrs>(attrs_.data());
  insts_.assign(expr.insts, expr.insts + expr.n_insts);
  for (const TapeDefect& d : kTapes) {
    if (defect != d.name) continue;
    for (onc_expr_inst& inst : insts_) {
      if (inst.op == d.from) inst.op = d.to;
    }
  }
  expr.insts = insts_.data();
}

void Misread::edit_strides(const std::string& defect) {
  for (size_t i = 0; i < desc_.n_in; ++i) {
    Tensor& t = tensors_[i];
    if (t.empty() || t.dims.size() < 2) continue;
    const size_t last = t.dims.size() - 1;
    if (defect == "swapped_strides" && t.dims[last] == t.dims[last - 1]) std::swap(t.strides[last], t.strides[last - 1]);
    if (defect == "assumed_contiguous") {
      Tensor dense = t;
      dense.strides = dense_strides(t.dims);
      if (dense.span() <= t.span()) t = dense;
    }
  }
}

std::vector<onc_scalar> misread_scalars(uint32_t op, const onc_run& run, const std::string& defect) {
  std::vector<onc_scalar> scalars(run.scalars, run.scalars + run.n_scalars);
  for (const ScalarDefect& d : kScalars) {
    if (defect == d.name && op == d.op && d.scalar < scalars.size()) scalars[d.scalar].f = d.value;
  }
  return scalars;
}

std::vector<onc_arg> misread_args(const std::vector<Tensor>& inputs, const onc_run& run, const std::string& defect) {
  std::vector<onc_arg> args(run.args, run.args + run.n_args);
  for (size_t i = 0; i < inputs.size() && defect == "aligned_loads"; ++i) {
    if (!inputs[i].empty()) args[i].offset -= args[i].offset % (4 * inputs[i].item());
  }
  return args;
}

}  // namespace faulty
