// A tape that reduces, a whole row of reduced elements by one work-item, with vectors along the last reduced dim.
//
// A kept element (space.kept of them) is one row; work-items take space.per_item of them as in expr.cl. A unit is CHUNK neighbours of the last reduced dim
// (space.length long); a work-item walks space.segment_units of a row's space.units, the segment being its second number. Float sums are
// added up in the lanes of a unit, and units with their rounding errors. With CHAINS, so many vectors at a time go to states of their own. Everything named
// EXPR_ is generated.
kernel void expr_item(EXPR_PARAMS) {
  EXPR_BIND
  const I segment = (I)get_global_id(1);
  const I first = segment * space.segment_units;
  const I last = min(first + space.segment_units, space.units);
  I element = (I)get_global_id(0) * space.item_step;
  for (I k = 0; k < space.per_item && element < space.kept; ++k, element += space.unit_step) {
    EXPR_KEPT(element)
    EXPR_STATES
    for (I unit = first; unit < last; ++unit) {
      const I row = unit / space.length_chunks;
      const I begin = (unit - row * space.length_chunks) * CHUNK;
      const I end = min(begin + CHUNK, space.length);
      EXPR_REDUCED(row)
      EXPR_BLOCK
#if CHAINS > 1
      I at = begin;
      for (; end - at >= CHAINS * W; at += CHAINS * W) {
        ONC_UNROLL
        for (int u = 0; u < CHAINS; ++u) {
          const I i = at + u * W;
          const int live = W;
          EXPR_STEP
        }
      }
      for (; at < end; at += W) {
        const int u = 0, live = (int)min((I)W, end - at);
        const I i = at;
        EXPR_STEP
      }
#else
      for (I i = begin; i < end; i += W) {
        const int live = (int)min((I)W, end - i);
        EXPR_STEP
      }
#endif
      EXPR_FOLD
    }
    EXPR_JOIN
    EXPR_LANES
    EXPR_FINISH
  }
}
