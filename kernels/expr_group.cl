// A tape that reduces, a row by one work-group of GROUP work-items (a power of two) with a tree over local memory. Rows, segments and units as in
// expr_item.cl; the work-items of a group take a row's units in turn. Everything named EXPR_ is generated.
__attribute__((reqd_work_group_size(GROUP, 1, 1))) kernel void expr_group(EXPR_PARAMS) {
  EXPR_BIND
  EXPR_LOCAL
  const int me = (int)get_local_id(0);
  const I segment = (I)get_group_id(1);
  const I first = segment * space.segment_units;
  const I last = min(first + space.segment_units, space.units);
  I element = (I)get_group_id(0) * space.item_step;
  for (I k = 0; k < space.per_item && element < space.kept; ++k, element += space.unit_step) {
    {
      EXPR_KEPT(element)
      EXPR_STATES
      for (I unit = first + me; unit < last; unit += GROUP) {
        const I row = unit / space.length_chunks;
        const I begin = (unit - row * space.length_chunks) * CHUNK;
        const I end = min(begin + CHUNK, space.length);
        EXPR_REDUCED(row)
        EXPR_BLOCK
        for (I i = begin; i < end; i += W) {
          const int live = (int)min((I)W, end - i);
          EXPR_STEP
        }
        EXPR_FOLD
      }
      EXPR_LANES
      EXPR_GROUP_PUT
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int half_size = GROUP / 2; half_size > 0; half_size /= 2) {
      if (me < half_size) {
        EXPR_GROUP_MERGE(me + half_size)
      }
      barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (me == 0) {
      EXPR_KEPT(element)
      EXPR_GROUP_GET
      EXPR_FINISH
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
}
