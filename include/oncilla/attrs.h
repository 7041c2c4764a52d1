/* Attribute structs of the kernel ops in ops.def. What changes from step to step is a run-time scalar, never here. */
#ifndef ONCILLA_ATTRS_H
#define ONCILLA_ATTRS_H

#include "oncilla.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Instructions of a tape: ONC_EX_ADD and so on, from elementwise.def. The leaves and the structural ones: */
enum {
  ONC_EX_INPUT = 1,  /* a: number of the input tensor; converts its storage dtype to dtype */
  ONC_EX_CONST = 2,  /* imm.f for floating dtypes, else imm.i; BOOL: 0 or 1 */
  ONC_EX_SCALAR = 3, /* a: number of the run-time scalar; reads .f for a floating dtype, else .i, and one tape reads it in one way only */
  ONC_EX_COORD = 4,  /* a: dimension of the iteration space; dtype I32 or I64 */
  /* One 32-bit word of Philox4x32-10, dtype I64, value 0 … 2^32-1. key = scalar a; counter words 0-1 = the element's row-major index in the
   * iteration space, words 2-3 = scalar b; c: which of the four output words. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3". */
  ONC_EX_PHILOX = 5,
  ONC_EX_CAST = 6,  /* a: value; converts as storing does */
  ONC_EX_WHERE = 7, /* a: BOOL value; b where true, c where false; b and c have dtype */
  /* FOREACH only: a: number of the per-tensor scalar; as SCALAR, but one for each tensor of the lists. */
  ONC_EX_TENSOR_SCALAR = 8,
  /* EXPR only: a: number of an input; b: I32 or I64 value, the position of the element to read. The input is one-dimensional and contiguous, of any size n,
   * and no INPUT reads it. A position outside 0 … n-1 reads NaN for a floating dtype, else 0. Converts as INPUT does. */
  ONC_EX_GATHER = 9,
  /* Trailing reductions: a: a value of the full iteration space; the result lives on the leading dims. Over nothing: the identity (NaN for
   * MIN and MAX of floats is not possible, so an empty MIN, MAX, ARGMIN or ARGMAX is refused). NaN wins in MIN, MAX, ARGMIN, ARGMAX. */
  ONC_EX_REDUCE_SUM = 20,
  ONC_EX_REDUCE_PROD = 21,
  ONC_EX_REDUCE_MIN = 22,
  ONC_EX_REDUCE_MAX = 23,
  ONC_EX_REDUCE_ANY = 24, /* BOOL -> BOOL */
  ONC_EX_REDUCE_ALL = 25,
  ONC_EX_REDUCE_ARGMIN = 26, /* -> I64: row-major index within the reduced dims, the first of equals */
  ONC_EX_REDUCE_ARGMAX = 27,
/* Elementwise opcodes start at 100. Operands and result have dtype, unless the row's result is `boolean`: then the operands share one
 * dtype and the result is BOOL. */
#define ONC_EW(number, NAME, ...) ONC_EX_##NAME = number,
#include "elementwise.def"
#undef ONC_EW
  ONC_EX_NONE = 0
};

/* One instruction; instruction i defines value i and uses only values < i. Value dtypes are F32, F64, I32, I64 and BOOL; storage of
 * other dtypes converts at INPUT and at the store of an output. */
typedef struct onc_expr_inst {
  uint16_t op;    /* ONC_EX_* */
  uint16_t dtype; /* of the result */
  uint16_t a, b, c;
  uint16_t reserved;
  onc_scalar imm;
} onc_expr_inst;

typedef struct onc_no_attrs {
  ONC_HEAD;
} onc_no_attrs;

/* EXPR. Iteration space: rank dims, row-major. Every input has exactly these dims, stride 0 where it broadcasts. The last reduce_rank dims are
 * reduced: values are "full" until a REDUCE instruction, and "reduced" after it; a reduced value may combine with reduced values,
 * constants, scalars and inputs whose strides are 0 in the reduced dims, and what is made of those alone. REDUCE needs reduce_rank > 0. Output j stores value outs[j]: a full value to a tensor with the
 * iteration dims, a reduced value to one with the leading rank - reduce_rank dims. Storing converts to the tensor's dtype: float to
 * float rounds to nearest even (to halves through float32), float to integer truncates (NaN and what is out of range: the least int32, int64 for I64; then wraps), to BOOL is != 0, integers wrap. */
typedef struct onc_expr_attrs {
  ONC_HEAD;
  uint32_t rank, reduce_rank, n_insts, n_outs, n_scalars, reserved;
  const int64_t *dims;
  const onc_expr_inst *insts;
  const uint16_t *outs;
} onc_expr_attrs;

/* FOREACH. Tensors are contiguous; in[l * n_tensors + t] is tensor t of input list l, out likewise. A list has one dtype. All lists' tensors t have equal numel, or an
 * input tensor has numel 1 and broadcasts. The tape sees one-dimensional inputs numbered by list. Run scalars: n_scalars shared ones, then
 * n_tensor_scalars for tensor 0, for tensor 1, ... COORD and PHILOX and reductions are not allowed. */
typedef struct onc_foreach_attrs {
  ONC_HEAD;
  uint32_t n_tensors, n_in_lists, n_out_lists, n_insts, n_scalars, n_tensor_scalars;
  const onc_expr_inst *insts;
  const uint16_t *outs; /* n_out_lists value numbers */
} onc_foreach_attrs;

/* What MATMUL and CONV do with each element of their result before it is stored: a tape. Its input 0 is the result, float32 (float64 for
 * float64, int32 or int64 for integers) and not yet rounded to the output's dtype; its inputs 1 ... n_inputs are the op's inputs from number 3
 * on, of any dtype, with the output's dims (stride 0 where they broadcast: a bias, a residual); its SCALARs are the run-time scalars behind
 * the op's own. Value `out` is stored to the output as EXPR stores it. No reductions, COORD, PHILOX or GATHER. */
typedef struct onc_epilogue {
  ONC_HEAD;
  uint32_t n_insts, n_inputs, n_scalars, out;
  const onc_expr_inst *insts;
} onc_epilogue;

/* In `flags` of the two structs with an epilogue: there is one. A plugin older than epilogues refuses the flag rather than leave it out. */
enum { ONC_ATTRS_EPILOGUE = 1 };

/* MATMUL. A caller may give none, or an onc_no_attrs. */
typedef struct onc_matmul_attrs {
  ONC_HEAD;
  const onc_epilogue *epilogue; /* read if ONC_ATTRS_EPILOGUE is set */
} onc_matmul_attrs;

/* Spatial attributes, one entry a spatial dim (spatial_rank of them, 1 … 3). */
typedef struct onc_conv_attrs {
  ONC_HEAD;
  uint32_t spatial_rank, groups;
  int64_t stride[3], pad[3], dilation[3];
  const onc_epilogue *epilogue; /* CONV only, read if ONC_ATTRS_EPILOGUE is set */
} onc_conv_attrs;

/* Output sizes come from the descriptors, so that ceil mode needs no flag: the last window starts inside input or left padding. pad is at most
 * half of the window; average pooling has dilation 1. */
typedef struct onc_pool_attrs {
  ONC_HEAD;
  uint32_t spatial_rank, count_include_pad; /* average pooling: padding counts in the divisor */
  int64_t kernel[3], stride[3], pad[3], dilation[3];
  int64_t divisor_override; /* average pooling: 0 = none */
} onc_pool_attrs;

typedef struct onc_batch_norm_grad_attrs {
  ONC_HEAD;
  uint32_t training, reserved; /* 0: mean and invstd are constants (inference mode) */
} onc_batch_norm_grad_attrs;

typedef struct onc_softmax_attrs {
  ONC_HEAD;
  uint32_t axis, log;
} onc_softmax_attrs;

enum { ONC_REDUCTION_NONE = 0, ONC_REDUCTION_MEAN = 1, ONC_REDUCTION_SUM = 2 };
typedef struct onc_loss_attrs {
  ONC_HEAD;
  uint32_t reduction, reserved; /* MEAN divides by the total weight of the targets that count */
  int64_t ignore_index;         /* targets equal to it do not count */
  double label_smoothing;       /* cross-entropy: 0 … 1, the share spread evenly over all classes (Szegedy et al. 2016) */
} onc_loss_attrs;

enum { ONC_SCAN_SUM = 0, ONC_SCAN_PROD = 1, ONC_SCAN_MIN = 2, ONC_SCAN_MAX = 3, ONC_SCAN_LOGSUMEXP = 4 };
typedef struct onc_scan_attrs {
  ONC_HEAD;
  uint32_t axis, kind;         /* ONC_SCAN_* */
  uint32_t reverse, exclusive; /* from the last to the first; without the element itself (SUM and PROD) */
} onc_scan_attrs;

typedef struct onc_sort_attrs {
  ONC_HEAD;
  uint32_t axis, descending;
} onc_sort_attrs;

typedef struct onc_search_sorted_attrs {
  ONC_HEAD;
  uint32_t right, reserved; /* 0: before equal elements; 1: behind them */
} onc_search_sorted_attrs;

enum { ONC_SCATTER_ASSIGN = 0, ONC_SCATTER_SUM = 1, ONC_SCATTER_PROD = 2, ONC_SCATTER_MEAN = 3, ONC_SCATTER_MIN = 4, ONC_SCATTER_MAX = 5 };
typedef struct onc_scatter_attrs {
  ONC_HEAD;
  uint32_t axis, reduce;           /* ONC_SCATTER_* */
  uint32_t include_self, reserved; /* 0: an element of y that src reaches forgets self first (not for ASSIGN) */
} onc_scatter_attrs;

enum { ONC_BAG_SUM = 0, ONC_BAG_MEAN = 1, ONC_BAG_MAX = 2 };
typedef struct onc_embedding_bag_attrs {
  ONC_HEAD;
  uint32_t mode, reserved;  /* ONC_BAG_* */
  int64_t padding_index;    /* rows of this number do not count; -1: none */
} onc_embedding_bag_attrs;

#define ONC_PAD_RANK 8
enum { ONC_PAD_CONSTANT = 0, ONC_PAD_REFLECT = 1, ONC_PAD_REPLICATE = 2, ONC_PAD_CIRCULAR = 3 };
typedef struct onc_pad_attrs {
  ONC_HEAD;
  uint32_t mode, reserved;      /* ONC_PAD_* */
  int64_t before[ONC_PAD_RANK]; /* of each dim of x, at most 8; negative: cut off. What comes behind follows from the sizes. */
} onc_pad_attrs;

enum { ONC_INTERPOLATE_NEAREST = 0, ONC_INTERPOLATE_LINEAR = 1, ONC_INTERPOLATE_CUBIC = 2, ONC_INTERPOLATE_NEAREST_EXACT = 3 };
/* Keys' cubic with a = -0.75. antialias (LINEAR and CUBIC of two dims): the filter widens with the scale, a = -0.5; a dim that keeps its size is copied. */
typedef struct onc_upsample_attrs {
  ONC_HEAD;
  uint32_t spatial_rank, mode, align_corners, antialias;
  double scale[3]; /* input size over output size where the user gave a factor; 0: follows from the sizes */
} onc_upsample_attrs;

enum { ONC_BORDER_ZEROS = 0, ONC_BORDER_CLAMP = 1, ONC_BORDER_REFLECT = 2 };
typedef struct onc_grid_sample_attrs {
  ONC_HEAD;
  uint32_t mode, border, align_corners, reserved; /* ONC_INTERPOLATE_*, without NEAREST_EXACT; ONC_BORDER_* */
} onc_grid_sample_attrs;

typedef struct onc_fractional_pool_attrs {
  ONC_HEAD;
  uint32_t spatial_rank, reserved; /* 2 or 3 */
  int64_t kernel[3];
} onc_fractional_pool_attrs;

typedef struct onc_layer_norm_attrs {
  ONC_HEAD;
  uint32_t normalized_rank, rms; /* rms: no mean is taken off (Zhang and Sennrich 2019) */
} onc_layer_norm_attrs;

typedef struct onc_group_norm_attrs {
  ONC_HEAD;
  uint32_t groups, reserved;
} onc_group_norm_attrs;

typedef struct onc_var_mean_attrs {
  ONC_HEAD;
  uint32_t reduce_rank, reserved;
} onc_var_mean_attrs;

enum { ONC_NORM_MAX = 0, ONC_NORM_1 = 1, ONC_NORM_2 = 2 };
typedef struct onc_foreach_norm_attrs {
  ONC_HEAD;
  uint32_t kind, reserved; /* ONC_NORM_* */
} onc_foreach_norm_attrs;

typedef struct onc_ctc_attrs {
  ONC_HEAD;
  uint32_t zero_infinity, reserved; /* the backward of an infinite loss: 1: zero */
  int64_t blank;
} onc_ctc_attrs;

typedef struct onc_attention_attrs {
  ONC_HEAD;
  uint32_t causal, dropout; /* causal: query i sees keys 0 … i */
} onc_attention_attrs;

#ifdef __cplusplus
}
#endif
#endif
