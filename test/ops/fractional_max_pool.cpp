// Cases of FRACTIONAL_MAX_POOL.
#include <cmath>

#include "ops/pooling.hpp"

namespace oncilla::test {
namespace {

struct FractionalShape {
  Dims x, size, kernel;
  Layout layout = Layout::contiguous;
};

Case& add_case(Cases& cases, uint32_t dtype, const FractionalShape& shape, const Fill& fill, const Fill& samples,
               const char* what = "") {
  Case c;
  c.op = ONC_OP_FRACTIONAL_MAX_POOL;
  c.name = std::string("fractional_max_pool/") + dtype_name(dtype) + " " + dims_name(shape.x) + " to " + dims_name(shape.size) +
           " kernel " + dims_name(shape.kernel) +
           (shape.layout == Layout::contiguous ? "" : std::string(" ") + layout_name(shape.layout)) + what;
  const int64_t rank = static_cast<int64_t>(shape.size.size());
  onc_fractional_pool_attrs attrs{};
  attrs.spatial_rank = static_cast<uint32_t>(rank);
  for (size_t i = 0; i < shape.kernel.size(); ++i) attrs.kernel[i] = shape.kernel[i];
  c.set_attrs(attrs);
  Dims y{shape.x[0], shape.x[1]};
  y.insert(y.end(), shape.size.begin(), shape.size.end());
  c.in = {tensor(dtype, shape.x, fill, shape.layout), tensor(dtype, {shape.x[0], shape.x[1], rank}, samples, shape.layout)};
  c.out = {tensor(dtype, y, {}, shape.layout), tensor(ONC_I64, y, {}, shape.layout)};
  c.tolerance = Tolerance::exact;
  cases.push_back(c);
  return cases.back();
}

}  // namespace

void cases_fractional_max_pool(Cases& cases) {
  const FractionalShape shapes[] = {
      {{1, 1, 1, 1}, {1, 1}, {1, 1}},
      {{2, 3, 7, 7}, {3, 3}, {2, 2}},
      {{2, 3, 11, 13}, {5, 7}, {3, 2}},
      {{2, 3, 11, 13}, {1, 12}, {2, 2}},  // one output; each window one further
      {{2, 3, 29, 31}, {11, 12}, {3, 2}},
      {{2, 3, 5, 7}, {2, 3}, {4, 5}},  // windows overlap
      {{0, 3, 7, 7}, {3, 3}, {2, 2}},
      {{2, 3, 11, 13}, {5, 7}, {3, 2}, Layout::channels_last},
      {{2, 3, 11, 13}, {5, 7}, {3, 2}, Layout::strided},
      {{1, 2, 5, 7, 11}, {3, 4, 5}, {2, 3, 2}},
      {{2, 1, 23, 5, 13}, {9, 1, 6}, {2, 5, 3}},
      {{1, 2, 5, 7, 11}, {3, 4, 5}, {2, 1, 2}, Layout::reversed},
  };
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    for (const FractionalShape& shape : shapes) {
      const Case forward = add_case(cases, dtype, shape, {}, Domain::open_unit);
      if (shape.layout == Layout::contiguous && (dtype == ONC_F32 || dtype == ONC_F64))
        cases.push_back(scattered_gradient_case(forward));
      add_case(cases, dtype, shape, Domain::small_int, list({0.0, 0.999, 0.5, 0.25, 0.75, 0.125, 0.3}), " many equals");
    }
    add_case(cases, dtype, shapes[2], list({1, NAN, 3, 4, 5, INFINITY, 7, 8, -INFINITY, 2, NAN, 0, 1}), Domain::open_unit,
             " NaN and infinity");
  }
  // torch.ops.aten.fractional_max_pool2d(torch.arange(77.).reshape(1, 1, 7, 11), [2, 3], [3, 4], samples): width 0.9, height 0.1
  Case& known = add_case(cases, ONC_F32, {{1, 1, 7, 11}, {3, 4}, {2, 3}}, list([] {
                           std::vector<double> x;
                           for (int i = 0; i < 77; ++i) x.push_back(i);
                           return x;
                         }()),
                         list({0.9, 0.1}), " known");
  known.known = {{1, {13, 16, 18, 21, 35, 38, 40, 43, 68, 71, 73, 76}}};
  // torch.ops.aten.fractional_max_pool3d of [0, ..., 384] in 5x7x11, [1, 2, 3], [3, 3, 4]: depth 0.9, height 0.1, width 0.5
  Case& volume = add_case(cases, ONC_F32, {{1, 1, 5, 7, 11}, {3, 3, 4}, {1, 2, 3}}, list([] {
                            std::vector<double> x;
                            for (int i = 0; i < 385; ++i) x.push_back(i);
                            return x;
                          }()),
                          list({0.9, 0.1, 0.5}), " known");
  volume.known = {{1, {13,  16,  18,  21,  35,  38,  40,  43,  68,  71,  73,  76,  167, 170, 172, 175, 189, 192,
                       194, 197, 222, 225, 227, 230, 321, 324, 326, 329, 343, 346, 348, 351, 376, 379, 381, 384}}};
}

}  // namespace oncilla::test
