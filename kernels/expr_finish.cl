// The second stage of a reduction in segments: merges the space.segments partial states of each kept element, in their order, and runs the tape's
// epilogue. Work-items take kept elements as in expr.cl. Everything named EXPR_ is generated.
kernel void expr_finish(EXPR_PARAMS) {
  EXPR_BIND
  I element = (I)get_global_id(0) * space.item_step;
  for (I k = 0; k < space.per_item && element < space.kept; ++k, element += space.unit_step) {
    EXPR_KEPT(element)
    EXPR_STATES
    for (I s = 0; s < space.segments; ++s) {
      EXPR_TAKE(s)
    }
    EXPR_FINISH
  }
}
