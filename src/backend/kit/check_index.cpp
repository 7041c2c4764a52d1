// What scans, sorts and indexed ops demand. Positions are I64 everywhere; whether an index lies inside its axis only the run can
// tell, and each op says in ops.def what it does with one that does not.
#include "kit/check.hpp"

namespace oncilla::kit::rules {
namespace {

void axis_of(const Rules& r, const Named& t, uint32_t axis) {
  r.holds(axis < t->rank(), "axis ", axis, " is not below the rank of ", t);
}

void same(const Rules& r, const Named& t, uint32_t dtype, const Dims& dims) {
  r.dtype(t, dtype);
  r.dims(t, dims);
}

}  // namespace

void scan(const Rules& r) {
  const auto attrs = r.desc.attributes<onc_scan_attrs>();
  const Named x = r.in(0, "x"), y = r.out(0, "y"), index = r.maybe_out(1, "index");
  axis_of(r, x, attrs.axis);
  same(r, y, x->dtype, x->dims);
  same(r, index, ONC_I64, x->dims);
  r.holds(attrs.kind <= ONC_SCAN_LOGSUMEXP, "kind ", attrs.kind, " is not sum (0), prod (1), min (2), max (3) or logsumexp (4)");
  r.flag("reverse", attrs.reverse);
  r.flag("exclusive", attrs.exclusive);
  const bool extreme = attrs.kind == ONC_SCAN_MIN || attrs.kind == ONC_SCAN_MAX;
  r.holds(!index || extreme, "index is given, but kind ", attrs.kind, " is neither min (2) nor max (3)");
  r.holds(attrs.exclusive == 0 || attrs.kind <= ONC_SCAN_PROD, "exclusive with kind ", attrs.kind,
          ", which is neither sum (0) nor prod (1)");
  r.holds(extreme || x->dtype != ONC_BOOL, "x is bool, of which only min (2) and max (3) run, not kind ", attrs.kind);
  if (attrs.kind == ONC_SCAN_LOGSUMEXP) r.floating(x);
}

void sort(const Rules& r) {
  const auto attrs = r.desc.attributes<onc_sort_attrs>();
  const Named x = r.in(0, "x"), y = r.maybe_out(0, "y"), index = r.maybe_out(1, "index");
  axis_of(r, x, attrs.axis);
  same(r, y, x->dtype, x->dims);
  same(r, index, ONC_I64, x->dims);
  r.holds(y || index, "all outputs are absent");
  r.flag("descending", attrs.descending);
}

void top_k(const Rules& r) {
  const auto attrs = r.desc.attributes<onc_sort_attrs>();
  const Named x = r.in(0, "x"), y = r.maybe_out(0, "y"), index = r.maybe_out(1, "index");
  axis_of(r, x, attrs.axis);
  r.holds(y || index, "all outputs are absent");
  const Named any = y ? y : index;
  r.rank(any, x->rank());
  Dims dims = x->dims;
  dims[attrs.axis] = any->dims[attrs.axis];
  r.holds(dims[attrs.axis] <= x->dims[attrs.axis], "k is ", dims[attrs.axis], ", above the ", x->dims[attrs.axis],
          " elements along axis ", attrs.axis);
  same(r, y, x->dtype, dims);
  same(r, index, ONC_I64, dims);
  r.flag("descending", attrs.descending);
}

void compact(const Rules& r) {
  const Named mask = r.in(0, "mask"), index = r.out(0, "index"), count = r.out(1, "count");
  r.dtype(mask, ONC_BOOL);
  r.rank(mask, 1);
  same(r, index, ONC_I64, mask->dims);
  same(r, count, ONC_I64, {});
}

void search_sorted(const Rules& r) {
  const auto attrs = r.desc.attributes<onc_search_sorted_attrs>();
  const Named sorted = r.in(0, "sorted"), values = r.in(1, "values"), sorter = r.maybe_in(2, "sorter"), out = r.out(0, "positions");
  r.min_rank(sorted, 1);
  r.rank(values, sorted->rank());
  r.dtype(values, sorted->dtype);
  Dims rows = sorted->dims;
  rows.back() = values->dims.back();
  r.holds(values->dims == rows, sorted, " and ", values, " do not have the same rows");
  same(r, sorter, ONC_I64, sorted->dims);
  same(r, out, ONC_I64, values->dims);
  r.flag("right", attrs.right);
  r.reserved(attrs.reserved);
}

void scatter(const Rules& r) {
  const auto attrs = r.desc.attributes<onc_scatter_attrs>();
  const Named self = r.maybe_in(0, "self"), index = r.in(1, "index"), src = r.in(2, "src"), y = r.out(0, "y");
  axis_of(r, y, attrs.axis);
  same(r, self, y->dtype, y->dims);
  r.dtype(index, ONC_I64);
  r.rank(index, y->rank());
  for (uint32_t d = 0; d < y->rank(); ++d) {
    r.holds(d == attrs.axis || index->dims[d] <= y->dims[d], "index has size ", index->dims[d], " in dim ", d, ", above the ",
            y->dims[d], " of y");
  }
  same(r, src, y->dtype, index->dims);
  r.holds(attrs.reduce <= ONC_SCATTER_MAX, "reduce ", attrs.reduce,
          " is not assign (0), sum (1), prod (2), mean (3), min (4) or max (5)");
  r.holds(attrs.reduce != ONC_SCATTER_MEAN || y->dtype != ONC_BOOL, "a mean (3) of bool");
  r.flag("include_self", attrs.include_self);
  r.reserved(attrs.reserved);
}

void embedding_bag(const Rules& r) {
  const auto attrs = r.desc.attributes<onc_embedding_bag_attrs>();
  const Named weight = r.in(0, "weight"), index = r.in(1, "index"), offset = r.in(2, "offset"),
              scale = r.maybe_in(3, "per_sample_weight");
  const Named y = r.out(0, "y"), size = r.maybe_out(1, "bag_size"), max_index = r.maybe_out(2, "max_index");
  r.floating(weight);
  r.rank(weight, 2);
  r.dtype(index, ONC_I64);
  r.rank(index, 1);
  r.dtype(offset, ONC_I64);
  r.rank(offset, 1);
  same(r, scale, weight->dtype, index->dims);
  const Dims bags = {offset->dims[0], weight->dims[1]};
  same(r, y, weight->dtype, bags);
  same(r, size, ONC_I64, offset->dims);
  same(r, max_index, ONC_I64, bags);
  r.holds(attrs.mode <= ONC_BAG_MAX, "mode ", attrs.mode, " is not sum (0), mean (1) or max (2)");
  r.holds(!scale || attrs.mode == ONC_BAG_SUM, "per_sample_weight with mode ", attrs.mode, ", which is not sum (0)");
  r.holds(!max_index || attrs.mode == ONC_BAG_MAX, "max_index with mode ", attrs.mode, ", which is not max (2)");
  r.holds(attrs.padding_index >= -1, "padding_index ", attrs.padding_index, " is below -1");
  r.reserved(attrs.reserved);
}

}  // namespace oncilla::kit::rules
