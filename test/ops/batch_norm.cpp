// Cases of BATCH_NORM.
#include "ops/normalization.hpp"

namespace oncilla::test {

Case batch_norm_case(uint32_t dtype, const NormShape& shape, bool affine, bool running, uint32_t params) {
  Case c;
  if (params == 0) params = dtype;
  const uint32_t saved = statistics_dtype(dtype);
  c.op = ONC_OP_BATCH_NORM;
  c.name = std::string("batch_norm/") + dtype_name(dtype) + " " + dims_name(shape.dims) + " " + layout_name(shape.layout) +
           (affine ? " affine" : "") + (running ? " running" : "") + (params != dtype ? " float32 parameters" : "");
  const Dims channels{shape.dims[1]};
  const auto maybe = [&](bool there, const Fill& fill) { return there ? tensor(params, channels, fill) : absent(); };
  c.in = {tensor(dtype, shape.dims, Domain::any, shape.layout), maybe(affine, Domain::any), maybe(affine, Domain::any),
          maybe(running, Domain::any), maybe(running, Domain::positive)};
  c.out = {tensor(dtype, shape.dims, {}, shape.layout), tensor(saved, channels), tensor(saved, channels), maybe(running, {}),
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
  for (uint32_t dtype : {ONC_F16, ONC_BF16}) {
    for (const NormShape& shape : kNormShapes) {
      cases.push_back(batch_norm_case(dtype, shape, true, true, ONC_F32));
      if (!shape.exact()) cases.push_back(batch_norm_case(dtype, shape, true, true));
    }
    cases.push_back(batch_norm_case(dtype, kNormShapes[4], false, false));
    Case in_place = batch_norm_case(dtype, kNormShapes[4], true, true, ONC_F32);
    in_place.name += " in place";
    in_place.aliases = {{3, 3}, {4, 4}};
    cases.push_back(in_place);
  }
  // Numbers of torch.nn.functional.batch_norm. Instance normalisation is batch normalisation of [1, N * C, ...].
  Case torch = batch_norm_case(ONC_F64, {{2, 2, 2}, Layout::contiguous}, true, true);
  torch.name += " known";
  torch.in[0].fill = list({1, 2, -1, 0.5, 4, -3, 2, 0});
  torch.in[1].fill = list({1.5, -1});
  torch.in[2].fill = list({0.25, 2});
  torch.in[3].fill = list({0.5, -1});
  torch.in[4].fill = list({1, 2});
  torch.known = {{0,
                  {0.25, 0.83834795283937791, 3.27016517285733377, 1.88453043883115123, 2.01504385851813383, -2.10339181135751163,
                   0.49889570480496892, 2.34640868350654541}},
                 {1, {1, 0.375}},
                 {2, {0.39223196855958525, 0.92375648935078825}},
                 {3, {0.55, -0.8625}},
                 {4, {1.76666666666666661, 1.95625}}};
  cases.push_back(torch);
  Case instance = batch_norm_case(ONC_F64, {{1, 6, 4, 5}, Layout::contiguous}, false, false);
  instance.name += " instance norm of 2x3x4x5";
  cases.push_back(instance);
}

}  // namespace oncilla::test
