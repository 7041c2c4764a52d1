// A tape that reduces, W neighbours of the last kept dim by one work-item: every load is a vector of different results.
//
// The last kept dim is space.inner long and cut into space.chunks vectors; space.kept counts vectors, and work-items take them as in expr.cl. A unit
// is CHUNK steps along the last reduced dim (space.length long); segments are those of expr_item.cl. Everything named EXPR_ is generated.
kernel void expr_column(EXPR_PARAMS) {
  EXPR_BIND
  const I segment = (I)get_global_id(1);
  const I first = segment * space.segment_units;
  const I last = min(first + space.segment_units, space.units);
  I vector = (I)get_global_id(0) * space.item_step;
  for (I k = 0; k < space.per_item && vector < space.kept; ++k, vector += space.unit_step) {
    const I kept_row = vector / space.chunks;
    const I i = (vector - kept_row * space.chunks) * W;
    const I element = kept_row * space.inner + i;
    const int live = (int)min((I)W, space.inner - i);
    EXPR_KEPT(kept_row)
    EXPR_STATES
    for (I unit = first; unit < last; ++unit) {
      const I row = unit / space.length_chunks;
      const I begin = (unit - row * space.length_chunks) * CHUNK;
      const I end = min(begin + CHUNK, space.length);
      EXPR_REDUCED(row)
      EXPR_BLOCK
      for (I r = begin; r < end; ++r) {
        EXPR_STEP
      }
      EXPR_FOLD
    }
    EXPR_FINISH
  }
}
