// A tape over its whole space, pointwise. A unit is CHUNK neighbours of the last dim (space.inner long, space.chunks units); the dims before it
// are the rows. space.kept counts units. A work-item takes space.per_item of them, from its number times space.item_step on, space.unit_step apart.
// Everything named EXPR_ is generated (src/backend/opencl/expr/program.cpp).
kernel void expr(EXPR_PARAMS) {
  EXPR_BIND
  I unit = (I)get_global_id(0) * space.item_step;
  for (I k = 0; k < space.per_item && unit < space.kept; ++k, unit += space.unit_step) {
    const I row = unit / space.chunks;
    const I begin = (unit - row * space.chunks) * CHUNK;
    const I end = min(begin + CHUNK, space.inner);
    EXPR_KEPT(row)
    for (I i = begin; i < end; i += W) {
      const int live = (int)min((I)W, end - i);
      EXPR_STEP
    }
  }
}
