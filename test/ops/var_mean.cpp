// Cases of VAR_MEAN.
#include <limits>

#include "ops/cases.hpp"

namespace oncilla::test {
namespace {

struct Shape {
  Dims dims;
  uint32_t reduce_rank;
  Layout layout = Layout::contiguous;
};

const Shape kShapes[] = {
    {{5, 7}, 1},
    {{5, 7}, 2},
    {{5, 7}, 0},
    {{1}, 1},
    {{3, 1}, 1},
    {{0, 5}, 1},
    {{3, 0}, 1},
    {{11, 13}, 1, Layout::padded},
    {{11, 13}, 1, Layout::strided},
    {{33, 13}, 1, Layout::reversed},  // as over dim 0 of a contiguous tensor
    {{2, 3, 5, 7}, 2},
    {{2, 5, 3, 4}, 3, Layout::channels_last},
    {{2, 5, 3, 4}, 1, Layout::channels_last},
    {{2, 3, 4, 5, 6}, 2, Layout::reversed},
    {{64, 100}, 1},
    {{2, 1031}, 1},
    {{1, 40001}, 1},
    {{3, 20011}, 1, Layout::reversed},
    {{2, 90, 111}, 2, Layout::padded},
    {{1, 9000}, 1, Layout::strided},
};

Case make(uint32_t dtype, const Shape& shape, double correction, const Fill& fill = {}, const char* what = "") {
  Case c;
  c.op = ONC_OP_VAR_MEAN;
  c.name = std::string("var_mean/") + dtype_name(dtype) + " " + dims_name(shape.dims) + " last " +
           std::to_string(shape.reduce_rank) + " " + layout_name(shape.layout) + what;
  onc_var_mean_attrs attrs{};
  attrs.reduce_rank = shape.reduce_rank;
  c.set_attrs(attrs);
  const Dims leading(shape.dims.begin(), shape.dims.end() - shape.reduce_rank);
  c.in = {tensor(dtype, shape.dims, fill, shape.layout)};
  c.out = {tensor(dtype, leading), tensor(dtype, leading)};
  c.labels = {"var", "mean"};
  c.scalars = {scalar(correction)};
  return c;
}

}  // namespace

void cases_var_mean(Cases& cases) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    for (const Shape& shape : kShapes) cases.push_back(make(dtype, shape, 1));
    const Shape row{{2, 50}, 1}, column{{20, 50}, 1, Layout::reversed};
    cases.push_back(make(dtype, row, 0, {}, " correction 0"));
    cases.push_back(make(dtype, row, 2.5, {}, " correction 2.5"));
    // The divisor is 0: infinite, or NaN where nothing deviates.
    cases.push_back(make(dtype, row, 50, {}, " correction n"));
    cases.push_back(make(dtype, row, 60, list({2}), " correction above n, constant"));
    std::vector<double> special(150, 1);
    special[3] = nan;
    special[80] = inf;
    for (const Shape& shape : {row, column}) cases.push_back(make(dtype, shape, 1, list(special), " NaN and infinity"));
    Case var = make(dtype, row, 1, {}, " only var"), mean = make(dtype, {{1, 40001}, 1}, 1, {}, " only mean");
    var.out[1] = absent();
    mean.out[0] = absent();
    cases.push_back(var);
    cases.push_back(mean);
    Case strided = make(dtype, {{3, 5, 17}, 1, Layout::reversed}, 1, {}, " strided outputs");
    strided.out[0].layout = Layout::strided;
    strided.out[1].layout = Layout::reversed;
    cases.push_back(strided);
    Case broadcast = make(dtype, {{7, 5, 4}, 2}, 1, {}, " broadcast");
    broadcast.in[0].broadcast = 3;
    cases.push_back(broadcast);
    if (dtype != ONC_F32 && dtype != ONC_F64) continue;
    // A mean of a million beside a deviation of 1 to 2: the variance keeps its digits, in one part and in many.
    const Fill far = list({1000000, 1000001, 1000002, 1000003, 999999, 1000004, 999998});
    for (const Shape& shape :
         {Shape{{2, 49}, 1}, Shape{{3, 1001}, 1}, Shape{{1, 42000}, 1}, Shape{{5, 14000}, 1, Layout::reversed}})
      cases.push_back(make(dtype, shape, 1, far, " offset 1000000"));
    // An outlier in front does not blind the rest.
    std::vector<double> outlier(8000, 0.5);
    outlier[0] = 1e6;
    cases.push_back(make(dtype, {{1, 8000}, 1}, 1, list(outlier), " an outlier"));
    // Numbers of torch.var_mean.
    Case known = make(dtype, {{2, 3}, 1}, 1, list({1, 2, -1, 0.5, 4, -3}), " known");
    known.known = {{0, {7.0 / 3, 12.25}}, {1, {2.0 / 3, 0.5}}};
    cases.push_back(known);
    Case fraction = make(dtype, {{2, 3}, 1}, 2.5, list({1, 2, -1, 0.5, 4, -3}), " known, correction 2.5");
    fraction.known = {{0, {28.0 / 3, 49}}, {1, {2.0 / 3, 0.5}}};
    cases.push_back(fraction);
  }
}

}  // namespace oncilla::test
