// Special functions: the table. Each is a row of elementwise.def.
#include <ATen/ops/mvlgamma_native.h>

#include "torch/rows.hpp"

namespace oncilla::adapter {
namespace {

Value poly_gamma(Ctx& c) {
  const int64_t n = c.arg(0).toInt();
  TORCH_CHECK(n >= 0, "polygamma(n, x) does not support negative n.");
  if (n == 0) return digamma(c.x(0));
  return n == 1 ? trigamma(c.x(0)) : polygamma(c.s(size_t{0}), c.x(0));
}
Value incomplete_gamma(Ctx& c, bool upper) {
  if (!c.floating()) throw Declined("an incomplete gamma function of integers");
  return upper ? igammac(c.x(0), c.x(1)) : igamma(c.x(0), c.x(1));
}

#define OP(expression) [](Ctx& c) -> Value { return expression; }
#define A c.x(0)
#define B c.x(1)
const Row kRows[] = {
    {"digamma", Rule::kUnaryFloat, 0, OP(digamma(A))},
    {"erfinv", Rule::kUnaryFloat, 0, OP(erfinv(A))},
    {"lgamma", Rule::kUnaryFloat, 0, OP(lgamma(A))},
    {"i0", Rule::kUnaryFloat, 0, OP(i0(A))},
    {"special_i0e", Rule::kUnaryFloat, 0, OP(i0e(A))},
    {"special_i1", Rule::kUnaryFloat, 0, OP(i1(A))},
    {"special_i1e", Rule::kUnaryFloat, 0, OP(i1e(A))},
    {"special_entr", Rule::kUnaryFloat, 0, OP(entr(A))},
    {"special_erfcx", Rule::kUnaryFloat, 0, OP(erfcx(A))},
    {"special_log_ndtr", Rule::kUnaryFloat, 0, OP(log_ndtr(A))},
    {"special_ndtri", Rule::kUnaryFloat, 0, OP(ndtri(A))},
    {"special_airy_ai", Rule::kUnaryFloat, 0, OP(airy_ai(A))},
    {"special_bessel_j0", Rule::kUnaryFloat, 0, OP(bessel_j0(A))},
    {"special_bessel_j1", Rule::kUnaryFloat, 0, OP(bessel_j1(A))},
    {"special_bessel_y0", Rule::kUnaryFloat, 0, OP(bessel_y0(A))},
    {"special_bessel_y1", Rule::kUnaryFloat, 0, OP(bessel_y1(A))},
    {"special_modified_bessel_i0", Rule::kUnaryFloat, 0, OP(i0(A))},
    {"special_modified_bessel_i1", Rule::kUnaryFloat, 0, OP(i1(A))},
    {"special_modified_bessel_k0", Rule::kUnaryFloat, 0, OP(modified_bessel_k0(A))},
    {"special_modified_bessel_k1", Rule::kUnaryFloat, 0, OP(modified_bessel_k1(A))},
    {"special_scaled_modified_bessel_k0", Rule::kUnaryFloat, 0, OP(scaled_modified_bessel_k0(A))},
    {"special_scaled_modified_bessel_k1", Rule::kUnaryFloat, 0, OP(scaled_modified_bessel_k1(A))},
    {"special_spherical_bessel_j0", Rule::kUnaryFloat, 0, OP(spherical_bessel_j0(A))},
    {"polygamma", Rule::kUnaryFloat, 0, poly_gamma},
    {"igamma", Rule::kBinary, 0, OP(incomplete_gamma(c, false))},
    {"igammac", Rule::kBinary, 0, OP(incomplete_gamma(c, true))},
    {"special_xlog1py", Rule::kBinaryFloat, 0, OP(xlog1py(A, B))},
    {"special_zeta", Rule::kBinaryFloat, 0, OP(zeta(A, B))},
    {"special_chebyshev_polynomial_t", Rule::kBinaryFloat, 0, OP(chebyshev_t(A, B))},
    {"special_chebyshev_polynomial_u", Rule::kBinaryFloat, 0, OP(chebyshev_u(A, B))},
    {"special_chebyshev_polynomial_v", Rule::kBinaryFloat, 0, OP(chebyshev_v(A, B))},
    {"special_chebyshev_polynomial_w", Rule::kBinaryFloat, 0, OP(chebyshev_w(A, B))},
    {"special_shifted_chebyshev_polynomial_t", Rule::kBinaryFloat, 0, OP(chebyshev_t(A + A - 1.0, B))},
    {"special_shifted_chebyshev_polynomial_u", Rule::kBinaryFloat, 0, OP(chebyshev_u(A + A - 1.0, B))},
    {"special_shifted_chebyshev_polynomial_v", Rule::kBinaryFloat, 0, OP(chebyshev_v(A + A - 1.0, B))},
    {"special_shifted_chebyshev_polynomial_w", Rule::kBinaryFloat, 0, OP(chebyshev_w(A + A - 1.0, B))},
    {"special_hermite_polynomial_h", Rule::kBinaryFloat, 0, OP(hermite_h(A, B))},
    {"special_hermite_polynomial_he", Rule::kBinaryFloat, 0, OP(hermite_he(A, B))},
    {"special_laguerre_polynomial_l", Rule::kBinaryFloat, 0, OP(laguerre_l(A, B))},
    {"special_legendre_polynomial_p", Rule::kBinaryFloat, 0, OP(legendre_p(A, B))},
};
#undef OP
#undef A
#undef B

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  register_rows(m, kRows);
  m.impl("mvlgamma.out", &at::native::mvlgamma_out);  // a sum of lgamma
}

}  // namespace oncilla::adapter
