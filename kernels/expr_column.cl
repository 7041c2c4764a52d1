// A tape that reduces, neighbours of the last kept dim by one work-item: every load is a vector of different results, ACROSS of them side by side, so that
// a row that is far from the next gives more than one cache line. With CHAINS, which needs ACROSS 1, so many rows at a time go to states of their own.
//
// The last kept dim is space.inner long and cut into space.chunks strips of W * ACROSS; space.kept counts strips, and work-items take them as in
// expr.cl. A unit is CHUNK steps along the last reduced dim (space.length long); segments are those of expr_item.cl. Everything named EXPR_ is
// generated.
kernel void expr_column(EXPR_PARAMS) {
  EXPR_BIND
  const I segment = (I)get_global_id(1);
  const I first = segment * space.segment_units;
  const I last = min(first + space.segment_units, space.units);
  I strip = (I)get_global_id(0) * space.item_step;
  for (I k = 0; k < space.per_item && strip < space.kept; ++k, strip += space.unit_step) {
    const I kept_row = strip / space.chunks;
    const I left = (strip - kept_row * space.chunks) * (W * ACROSS);
    EXPR_KEPT(kept_row)
    EXPR_STATES
    for (I unit = first; unit < last; ++unit) {
      const I row = unit / space.length_chunks;
      const I begin = (unit - row * space.length_chunks) * CHUNK;
      const I end = min(begin + CHUNK, space.length);
      EXPR_REDUCED(row)
      EXPR_BLOCK
#if CHAINS > 1
      const I i = left;
      const int live = (int)min((I)W, space.inner - i);
      I next = begin;
      for (; end - next >= CHAINS; next += CHAINS) {
        ONC_UNROLL
        for (int u = 0; u < CHAINS; ++u) {
          const I r = next + u;
          EXPR_STEP
        }
      }
      for (; next < end; ++next) {
        const int u = 0;
        const I r = next;
        EXPR_STEP
      }
#else
      for (I r = begin; r < end; ++r) {
        ONC_UNROLL
        for (int u = 0; u < ACROSS; ++u) {
          const I i = left + u * W;
          if (i < space.inner) {
            const int live = (int)min((I)W, space.inner - i);
            EXPR_STEP
          }
        }
      }
#endif
      EXPR_FOLD
    }
    EXPR_JOIN
    ONC_UNROLL
    for (int u = 0; u < ACROSS; ++u) {
      const I i = left + u * W;
      if (i < space.inner) {
        const int live = (int)min((I)W, space.inner - i);
        const I element = kept_row * space.inner + i;
        EXPR_FINISH
      }
    }
  }
}
