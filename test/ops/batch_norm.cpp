// Cases of BATCH_NORM.
#include "ops/normalization.hpp"

namespace oncilla::test {

Case batch_norm_case(uint32_t dtype, const NormShape& shape, bool affine, bool running) {
  Case c;
  c.op = ONC_OP_BATCH_NORM;
  c.name = std::string("batch_norm/") + dtype_name(dtype) + " " + dims_name(shape.dims) + " " + layout_name(shape.layout) +
           (affine ? " affine" : "") + (running ? " running" : "");
  const Dims channels{shape.dims[1]};
  const auto maybe = [&](bool there, const Fill& fill) { return there ? tensor(dtype, channels, fill) : absent(); };
  c.in = {tensor(dtype, shape.dims, Domain::any, shape.layout), maybe(affine, Domain::any), maybe(affine, Domain::any),
          maybe(running, Domain::any), maybe(running, Domain::positive)};
  c.out = {tensor(dtype, shape.dims, {}, shape.layout), tensor(dtype, channels), tensor(dtype, channels), maybe(running, {}),
           maybe(running, {})};
  c.labels = {"y", "mean", "invstd", "new_running_mean", "new_running_var"};
  c.scalars = {scalar(1e-5), scalar(0.1)};
  if (shape.exact()) {
    c.in[0].fill = list({1, 1, -1, -1});
    c.scalars[0] = scalar(3);
  }
  return c;
}

void cases_batch_norm(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    for (const NormShape& shape : kNormShapes) {
      for (bool affine : {false, true}) {
        for (bool running : {false, true}) cases.push_back(batch_norm_case(dtype, shape, affine, running));
        if (shape.exact()) {
          Case random = batch_norm_case(dtype, shape, affine, true);
          random.name += " random";
          random.in[0].fill = Domain::any;
          random.scalars[0] = scalar(1e-5);
          cases.push_back(random);
        }
      }
    }
    Case in_place = batch_norm_case(dtype, kNormShapes[4], true, true);
    in_place.name += " in place";
    in_place.aliases = {{3, 3}, {4, 4}};
    cases.push_back(in_place);
    // A mean far from zero: sums of squares without the mean taken off would lose every digit.
    Case offset = batch_norm_case(dtype, {{8, 3, 6, 5}, Layout::contiguous}, true, true);
    offset.name += " offset 1000";
    offset.in[0].fill = list({1000, 1001, 1002, 1003, 1004});  // the mean itself is exact
    cases.push_back(offset);
    Case bare = batch_norm_case(dtype, kNormShapes[4], true, false);
    bare.name += " only y";
    bare.out[1] = bare.out[2] = absent();
    cases.push_back(bare);
    Case mixed = batch_norm_case(dtype, kNormShapes[4], true, true);
    mixed.name += " from channels_last";
    mixed.in[0].layout = Layout::channels_last;
    cases.push_back(mixed);
  }
}

}  // namespace oncilla::test
