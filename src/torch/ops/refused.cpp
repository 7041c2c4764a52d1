// What is refused: ops on layouts and dtypes that the device does not have. The CPU fallback could not give their results back, and
// would say so in words that name neither the op nor a way out.
#include <torch/library.h>

namespace oncilla::adapter {
namespace {

using Stack = torch::jit::Stack;

[[noreturn]] void refuse(const c10::OperatorHandle& op, const char* what, const char* instead) {
  TORCH_CHECK_NOT_IMPLEMENTED(false, "[ocl] ", c10::toString(op.operator_name()), " is refused: there are no ", what, " on ocl. ",
                              instead);
}
void sparse(const c10::OperatorHandle& op, Stack*) { refuse(op, "sparse tensors", "Keep them on the CPU, or use dense ones."); }
void nested(const c10::OperatorHandle& op, Stack*) {
  refuse(op, "nested tensors", "Pad instead; nn.TransformerEncoder has enable_nested_tensor=False.");
}
void quantized(const c10::OperatorHandle& op, Stack*) { refuse(op, "quantised tensors", "Move the tensor to the CPU first."); }
void mkldnn(const c10::OperatorHandle& op, Stack*) {
  refuse(op, "tensors in oneDNN's layout", "Move the tensor to the CPU first.");
}
void float8(const c10::OperatorHandle& op, Stack*) { refuse(op, "8-bit floating tensors", "Use bfloat16 or float16."); }

template <void (*kRefuse)(const c10::OperatorHandle&, Stack*)>
void all(torch::Library& m, std::initializer_list<const char*> names) {
  for (const char* name : names) m.impl(name, torch::CppFunction::makeFromBoxedFunction<kRefuse>());
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  all<&sparse>(m, {"_spdiags", "_to_sparse", "_to_sparse.sparse_dim", "_to_sparse_bsc", "_to_sparse_bsr", "_to_sparse_csc",
                   "_to_sparse_csr", "_validate_compressed_sparse_indices", "sspaddmm.out"});
  all<&nested>(m, {"_jagged_to_padded_dense_forward", "_nested_compute_contiguous_strides_offsets", "_nested_from_padded",
                   "_nested_tensor_from_mask", "_nested_view_from_buffer", "_padded_dense_to_jagged_forward"});
  all<&quantized>(m, {"_convert_weight_to_int4pack_for_cpu",
                      "_dyn_quant_matmul_4bit",
                      "_dyn_quant_pack_4bit_weight",
                      "_empty_affine_quantized",
                      "_empty_per_channel_affine_quantized",
                      "_make_per_channel_quantized_tensor",
                      "_make_per_tensor_quantized_tensor",
                      "_weight_int4pack_mm_for_cpu",
                      "_weight_int8pack_mm",
                      "dequantize.self",
                      "quantize_per_channel",
                      "quantize_per_tensor",
                      "quantize_per_tensor.tensor_qparams",
                      "quantize_per_tensor.tensors",
                      "quantize_per_tensor_dynamic",
                      "quantized_gru.data",
                      "quantized_gru.data_legacy",
                      "quantized_gru.input",
                      "quantized_gru.input_legacy",
                      "quantized_lstm.data",
                      "quantized_lstm.data_legacy",
                      "quantized_lstm.input",
                      "quantized_lstm.input_legacy"});
  all<&mkldnn>(m, {"mkldnn_rnn_layer", "mkldnn_rnn_layer_backward", "to_mkldnn"});
  all<&float8>(m, {"_scaled_mm", "_scaled_mm.out", "_scaled_mm_v2", "_scaled_mm_v2.out"});
}

}  // namespace oncilla::adapter
