// A tape over lists of tensors. A unit is CHUNK elements of one tensor; work-items take per_item units, from their number times item_step on,
// unit_step apart. table says which unit belongs to which tensor, and where its memory is (expr/foreach_program.hpp): it has `tensors` + 1 first
// units, then a row of ROW words a tensor. Everything named FOREACH_ is generated.
kernel void foreach_tensors(FOREACH_SEGMENT_PARAMS, global const long *table, const ulong table_at, FOREACH_SCALARS const int tensors, const int units,
                            const int per_item, const int item_step, const int unit_step) {
  table += table_at;
  int unit = (int)get_global_id(0) * item_step;
  for (int k = 0; k < per_item && unit < units; ++k, unit += unit_step) {
    // The last tensor that begins at or before this unit; empty ones begin where the next does.
    int tensor = 0;
    for (int above = tensors; above - tensor > 1;) {
      const int middle = (tensor + above) / 2;
      if (table[middle] <= unit) {
        tensor = middle;
      } else {
        above = middle;
      }
    }
    const global long *row = table + tensors + 1 + tensor * ROW;
    const I begin = (unit - table[tensor]) * CHUNK;
    const I end = min(begin + CHUNK, row[0]);
    FOREACH_TENSOR
    for (I i = begin; i < end; i += W) {
      const int live = (int)min((I)W, end - i);
      FOREACH_STEP
    }
  }
}
