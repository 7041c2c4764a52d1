// A tape that reduces short rows, W of them by one step of a work-item: the vectors of each row are reduced lane by lane, and then W vectors of lanes become
// one of results. Rows are those of expr_item.cl, with one reduced dim (space.length long).
//
// A tile is W neighbouring kept elements; space.kept counts tiles, and work-items take them as in expr.cl. Up to row space.whole, whole vectors may be read.
// Everything named EXPR_ is generated.
kernel void expr_tile(EXPR_PARAMS) {
  EXPR_BIND
  I tile = (I)get_global_id(0) * space.item_step;
  for (I k = 0; k < space.per_item && tile < space.kept; ++k, tile += space.unit_step) {
    const I first = tile * W;
    const int rows = (int)min((I)W, space.total - first);
    EXPR_STATES
    for (int u = 0; u < rows; ++u) {
      const I element = first + u;
      EXPR_KEPT(element)
      EXPR_REDUCED(0)
      for (I i = 0; i < space.length; i += W) {
        const int exist = (int)min((I)W, space.length - i), live = element < space.whole ? W : exist;
        EXPR_STEP
      }
    }
    EXPR_LANES
    for (int u = 0; u < rows; ++u) {
      const I element = first + u;
      EXPR_KEPT(element)
      EXPR_ROW
      EXPR_FINISH
    }
  }
}
