// Cases of EMBEDDING_BAG.
#include <cmath>

#include "ops/cases.hpp"

namespace oncilla::test {
namespace {

const char* const kModes[] = {"sum", "mean", "max"};

struct Shape {
  int64_t rows, width, n;
  std::vector<double> offset;
  Layout layout = Layout::contiguous;
  int64_t padding = -1;
  const char* what = "";
};

Case bag_case(uint32_t dtype, uint32_t mode, const Shape& shape, bool scale = false, const Fill& fill = {}) {
  const auto bags = static_cast<int64_t>(shape.offset.size());
  Case c;
  c.op = ONC_OP_EMBEDDING_BAG;
  c.name = std::string("embedding_bag/") + dtype_name(dtype) + " " + kModes[mode] + " " + std::to_string(shape.n) + " of " +
           dims_name({shape.rows, shape.width}) + " in " + std::to_string(bags) + " bags " + layout_name(shape.layout) +
           (scale ? " weighted" : "") + shape.what;
  onc_embedding_bag_attrs attrs{};
  attrs.mode = mode;
  attrs.padding_index = shape.padding;
  c.set_attrs(attrs);
  c.in = {tensor(dtype, {shape.rows, shape.width}, fill, shape.layout), tensor(ONC_I64, {shape.n}, index_below(shape.rows)),
          tensor(ONC_I64, {bags}, shape.offset.empty() ? Fill() : list(shape.offset)), scale ? tensor(dtype, {shape.n}) : absent()};
  c.out = {tensor(dtype, {bags, shape.width}, {}, shape.layout), tensor(ONC_I64, {bags}),
           mode == ONC_BAG_MAX ? tensor(ONC_I64, {bags, shape.width}, {}, shape.layout) : absent()};
  return c;
}

const Shape kShapes[] = {
    {1, 1, 1, {0}},
    {11, 7, 13, {0, 2, 2, 9}, Layout::contiguous, -1, " with an empty bag"},
    {11, 33, 13, {0, 5, 13, 13}, Layout::padded, -1, " empty at the end"},
    {5, 16, 29, {0, 7, 11}, Layout::contiguous, 3, " padding"},
    {5, 5, 29, {0, 1, 2, 3, 4, 5, 6, 7}, Layout::strided, 0, " padding"},
    {7, 19, 11, {0, 4}, Layout::reversed},
    {5, 7, 0, {0, 0}, Layout::contiguous, -1, " all empty"},
    {5, 7, 3, {}},
    {5, 0, 3, {0, 1}},
};

}  // namespace

void cases_embedding_bag(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    for (uint32_t mode = 0; mode <= ONC_BAG_MAX; ++mode) {
      for (const Shape& shape : kShapes) cases.push_back(bag_case(dtype, mode, shape));
      cases.push_back(bag_case(dtype, mode, {5, 5, 13, {0, 4, 9}, Layout::contiguous, -1, " NaN and infinity"}, false,
                               list({1, NAN, 2, -INFINITY, 4, INFINITY, -1})));
      Case stray = bag_case(dtype, mode, {5, 7, 8, {0, 3}, Layout::contiguous, -1, " stray index"});
      stray.in[1].fill = list({1, -1, 4, 5, 0, 4294967297.0, 2, -9223372036854775807.0});
      cases.push_back(stray);
    }
    for (const Shape& shape : kShapes) cases.push_back(bag_case(dtype, ONC_BAG_SUM, shape, true));
  }
  Case bare = bag_case(ONC_F32, ONC_BAG_MAX, {5, 7, 9, {0, 3}, Layout::contiguous, -1, " y alone"});
  bare.out[1] = bare.out[2] = absent();
  cases.push_back(bare);
  Case known = bag_case(ONC_F32, ONC_BAG_MEAN, {3, 2, 4, {0, 3}, Layout::contiguous, 1, " known"}, false, list({1, 2, 3, 4, 5, 6}));
  known.in[1].fill = list({0, 1, 2, 1});
  known.known = {{0, {3, 4, 0, 0}}, {1, {2, 0}}};
  cases.push_back(known);
}

}  // namespace oncilla::test
