// What a matrix product demands. Its epilogue was checked with the descriptor (epilogue.cpp).
#include "kit/check.hpp"

namespace oncilla::kit::rules {

void matmul(const Rules& r) {
  const Named a = r.in(0, "a"), b = r.in(1, "b"), c = r.maybe_in(2, "c"), d = r.out(0, "d");
  support(a->dtype != ONC_BOOL, "[matmul] a is bool: a sum of products is not served for it");
  r.dtype(b, a->dtype);
  r.holds(a->rank() == 2 || a->rank() == 3, "a has rank ", a->rank(), ", not 2 or 3");
  r.rank(b, a->rank());
  const size_t m = a->rank() - 2, n = a->rank() - 1;
  r.holds(a->dims[n] == b->dims[m], a, " and ", b, " do not share K: ", a->dims[n], " and ", b->dims[m]);
  r.holds(m == 0 || a->dims[0] == b->dims[0], a, " and ", b, " do not share the batch: ", a->dims[0], " and ", b->dims[0]);
  Dims dims = a->dims;
  dims[n] = b->dims[n];
  for (const Named& t : {c, d}) {
    r.dtype(t, a->dtype);
    r.dims(t, dims);
  }
}

}  // namespace oncilla::kit::rules
