// A tape over its whole space, pointwise, in squares: where inputs have their neighbours along another dim than the last, they are loaded along it and
// transposed in registers, so that no load touches a cache line for one element.
//
// A strip is W neighbours of that dim (space.across long, space.strips strips; space.across >= 1); a unit is CHUNK neighbours of the last dim (space.inner
// long, space.chunks units) in a strip. The dims before are the rows. Work-items take units as in expr.cl. Everything named EXPR_ is generated.
kernel void expr_square(EXPR_PARAMS) {
  EXPR_BIND
  I unit = (I)get_global_id(0) * space.item_step;
  for (I k = 0; k < space.per_item && unit < space.kept; ++k, unit += space.unit_step) {
    const I strip = unit / space.chunks;
    const I begin = (unit - strip * space.chunks) * CHUNK;
    const I end = min(begin + CHUNK, space.inner);
    const I row = strip / space.strips;
    const I top = (strip - row * space.strips) * W;
    const int rows = (int)min((I)W, space.across - top);
    EXPR_KEPT(row)
    for (I i = begin; i < end; i += W) {
      const int live = (int)min((I)W, end - i);
      EXPR_SQUARE
      for (int t = 0; t < rows; ++t) {
        const I y = top + t;
        EXPR_STEP
      }
    }
  }
}
