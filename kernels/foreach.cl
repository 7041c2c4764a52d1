// A tape over lists of tensors (lib/list.h). A unit is CHUNK elements of one tensor; work-items take per_item units, from their number times item_step
// on, unit_step apart; neighbouring units of one tensor are one loop. Everything named FOREACH_ is generated.
#include "lib/list.h"

kernel void foreach_tensors(LIST_SEGMENT_PARAMS, global const long *table, const ulong table_at, FOREACH_SCALARS const int tensors, const int units,
                            const int per_item, const int item_step, const int unit_step) {
  table += table_at;
  int unit = (int)get_global_id(0) * item_step;
  for (int k = 0; k < per_item && unit < units;) {
    const int tensor = list_tensor(table, tensors, unit);
    const global long *row = table + tensors + 1 + tensor * ROW;
    const I begin = (unit - table[tensor]) * CHUNK;
    const int run = unit_step == 1 ? min(per_item - k, (int)table[tensor + 1] - unit) : 1;
    const I end = min(begin + run * (I)CHUNK, row[0]);
    k += run;
    unit += run * unit_step;
    FOREACH_TENSOR
    for (I i = begin; i < end; i += W) {
      const int live = (int)min((I)W, end - i);
      FOREACH_STEP
    }
  }
}
