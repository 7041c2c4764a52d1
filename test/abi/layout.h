/* Compiles frozen.def against the headers, as C11 and as C++20: what a test of the layout needs is only that this builds. */
#include <assert.h>
#include <stddef.h>

#include "oncilla/attrs.h"
#include "oncilla/oncilla.h"

static_assert(sizeof(void *) == 8 && sizeof(long) == 8, "the frozen numbers are those of LP64");

#define ONC_STRUCT(name, bytes) static_assert(sizeof(name) == (bytes), "size of " #name);
#define ONC_MEMBER(name, member, offset) static_assert(offsetof(name, member) == (offset), "offset of " #name "." #member);
#define ONC_SLOT_AT(slot, offset) static_assert(offsetof(onc_api, slot) == (offset), "place of the slot " #slot);
#define ONC_NUMBER(name, value) static_assert((name) == (value), "number of " #name);

enum {
  rows_of_slots = 0
#define ONC_SLOT(...) +1
#include "oncilla/slots.def"
#undef ONC_SLOT
  ,
  rows_of_dtypes = 0
#define ONC_DTYPE(...) +1
#include "oncilla/dtypes.def"
#undef ONC_DTYPE
  ,
  rows_of_ops = 0
#define ONC_OP(...) +1
#include "oncilla/ops.def"
#undef ONC_OP
  ,
  rows_of_elementwise = 0
#define ONC_EW(...) +1
#include "oncilla/elementwise.def"
#undef ONC_EW
};
#define ONC_ROWS(list, rows) static_assert(rows_of_##list == (rows), "rows of " #list ".def that frozen.def does not know");

#include "frozen.def"

/* A receiver copies whole 8-byte words inside `size`: no struct may end in padding that a later member could take. */
#define ONC_ENDS_WITH(name, last, member_bytes) \
  static_assert(offsetof(name, last) + (member_bytes) == sizeof(name) && sizeof(name) % 8 == 0, #name " ends in padding");
ONC_ENDS_WITH(onc_device_info, base_align_bytes, 4)
ONC_ENDS_WITH(onc_device_options, tuning_file, 8)
ONC_ENDS_WITH(onc_device_stats, warnings, 8)
ONC_ENDS_WITH(onc_queue_options, next, 8)
ONC_ENDS_WITH(onc_tensor_desc, strides, 8)
ONC_ENDS_WITH(onc_op_desc, attrs, 8)
ONC_ENDS_WITH(onc_ext_variant, name, 8)
ONC_ENDS_WITH(onc_plan_info, choices, 8)
ONC_ENDS_WITH(onc_run, workspace, 16)
ONC_ENDS_WITH(onc_expr_attrs, outs, 8)
ONC_ENDS_WITH(onc_foreach_attrs, outs, 8)
ONC_ENDS_WITH(onc_epilogue, insts, 8)
ONC_ENDS_WITH(onc_matmul_attrs, epilogue, 8)
ONC_ENDS_WITH(onc_conv_attrs, epilogue, 8)
ONC_ENDS_WITH(onc_pool_attrs, divisor_override, 8)
ONC_ENDS_WITH(onc_batch_norm_grad_attrs, reserved, 4)
ONC_ENDS_WITH(onc_softmax_attrs, log, 4)
ONC_ENDS_WITH(onc_loss_attrs, label_smoothing, 8)
ONC_ENDS_WITH(onc_scan_attrs, exclusive, 4)
ONC_ENDS_WITH(onc_sort_attrs, descending, 4)
ONC_ENDS_WITH(onc_search_sorted_attrs, reserved, 4)
ONC_ENDS_WITH(onc_scatter_attrs, reserved, 4)
ONC_ENDS_WITH(onc_embedding_bag_attrs, padding_index, 8)
ONC_ENDS_WITH(onc_pad_attrs, before, 64)
ONC_ENDS_WITH(onc_upsample_attrs, scale, 24)
ONC_ENDS_WITH(onc_grid_sample_attrs, reserved, 4)
ONC_ENDS_WITH(onc_fractional_pool_attrs, kernel, 24)
ONC_ENDS_WITH(onc_layer_norm_attrs, rms, 4)
ONC_ENDS_WITH(onc_group_norm_attrs, reserved, 4)
ONC_ENDS_WITH(onc_var_mean_attrs, reserved, 4)
ONC_ENDS_WITH(onc_foreach_norm_attrs, reserved, 4)
ONC_ENDS_WITH(onc_ctc_attrs, blank, 8)
ONC_ENDS_WITH(onc_attention_attrs, dropout, 4)
