// A tape over its whole space, pointwise. A unit is CHUNK neighbours of the last dim (space.inner long, space.chunks units); the dims before it
// are the rows. space.kept counts units. A work-item takes space.per_item of them, from its number times space.item_step on, space.unit_step apart.
// Everything named EXPR_ is generated (src/backend/opencl/expr/program.cpp). Where PEELED, the last vector of a unit has a text of its own, so that the others
// need not ask how many of their elements exist.
kernel void expr(EXPR_PARAMS) {
  EXPR_BIND
  I unit = (I)get_global_id(0) * space.item_step;
  for (I k = 0; k < space.per_item && unit < space.kept; ++k, unit += space.unit_step) {
    const I row = unit / space.chunks;
    const I begin = (unit - row * space.chunks) * CHUNK;
    const I end = min(begin + CHUNK, space.inner);
    EXPR_KEPT(row)
    I i = begin;
#if PEELED
    for (; end - i >= W; i += W) {
      const int live = W;
      EXPR_STEP
    }
#endif
    for (; i < end; i += W) {
      const int live = (int)min((I)W, end - i);
      EXPR_STEP
    }
  }
}
