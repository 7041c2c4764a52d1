// Cases of PAD, and the geometries that its gradient shares.
#include <cmath>

#include "ops/padding.hpp"

namespace oncilla::test {
namespace {

constexpr uint32_t kConstant = ONC_PAD_CONSTANT, kReflect = ONC_PAD_REFLECT, kReplicate = ONC_PAD_REPLICATE,
                   kCircular = ONC_PAD_CIRCULAR;

}  // namespace

Dims PadShape::y() const {
  Dims y = x;
  for (size_t i = 0; i < x.size(); ++i) y[i] += before[i] + after[i];
  return y;
}

std::string PadShape::name() const {
  static const char* const names[] = {"constant", "reflect", "replicate", "circular"};
  return std::string(names[mode]) + " " + dims_name(x) + " before " + dims_name(before) + " after " + dims_name(after) +
         (layout == Layout::contiguous ? "" : std::string(" ") + layout_name(layout));
}

const std::vector<PadShape>& pad_shapes() {
  static const std::vector<PadShape> shapes = [] {
    std::vector<PadShape> all = {
        {kConstant, {5}, {2}, {3}},
        {kConstant, {}, {}, {}},
        {kConstant, {0}, {2}, {1}},    // nothing but margins
        {kConstant, {7}, {-2}, {-3}},  // cut off on both sides
        {kConstant, {3, 5}, {-1, 2}, {2, -1}},
        {kConstant, {3, 5}, {0, -5}, {0, 0}},  // nothing left
        {kConstant, {3, 5}, {4, -2}, {-4, 9}},
        {kConstant, {2, 3, 5, 7}, {0, 0, 1, 2}, {0, 0, 2, 1}},
        {kConstant, {2, 3, 5, 7}, {1, 0, 0, 0}, {0, 2, 0, 0}},
        {kConstant, {2, 3, 4, 5, 2}, {1, 0, 2, 0, 1}, {0, 1, -1, 2, 0}},
        {kConstant, {2, 1, 2, 3, 1, 2, 2, 3}, {1, 0, 0, 1, 1, 0, 1, -1}, {0, 1, 0, 0, 1, 1, 0, 2}},
        {kConstant, {2, 3, 33, 65}, {0, 0, 1, 3}, {0, 0, 1, 2}},
    };
    for (uint32_t mode : {kReflect, kReplicate, kCircular}) {
      all.push_back({mode, {5}, {4}, {3}});
      all.push_back({mode, {2}, {1}, {1}});
      all.push_back({mode, {2, 3, 7}, {0, 0, 2}, {0, 0, 5}});
      all.push_back({mode, {2, 3, 5, 7}, {0, 0, 1, 2}, {0, 0, 2, 6}});
      all.push_back({mode, {2, 2, 3, 4, 5}, {0, 0, 2, 1, 3}, {0, 0, 1, 3, 4}});
      all.push_back({mode, {2, 2, 2, 3, 2, 2, 2, 3}, {1, 0, 1, 2, 0, 1, 1, 2}, {1, 1, 0, 2, 1, 0, 1, 1}});
      all.push_back({mode, {3, 7}, {2, -2}, {-1, 3}});  // cut off on one side, padded on the other
      all.push_back({mode, {0, 5}, {0, 2}, {0, 2}});
      all.push_back({mode, {2, 3, 33, 65}, {0, 0, 1, 3}, {0, 0, 1, 2}});
    }
    all.push_back({kReplicate, {1, 1}, {3, 2}, {1, 4}});
    all.push_back({kReplicate, {2, 3}, {7, 1}, {5, 9}});
    all.push_back({kCircular, {3, 4}, {3, 4}, {3, 4}});
    for (Layout layout : {Layout::strided, Layout::channels_last, Layout::reversed, Layout::padded}) {
      all.push_back({kConstant, {2, 3, 5, 7}, {0, 1, 1, 2}, {0, 0, 2, 1}, layout});
      all.push_back({kReflect, {2, 3, 5, 7}, {0, 0, 1, 2}, {0, 0, 2, 1}, layout});
    }
    return all;
  }();
  return shapes;
}

Case pad_case(uint32_t dtype, const PadShape& shape, const Fill& fill, onc_scalar constant, const char* what) {
  Case c;
  c.op = ONC_OP_PAD;
  c.name = std::string("pad/") + dtype_name(dtype) + " " + shape.name() + what;
  onc_pad_attrs attrs{};
  attrs.mode = shape.mode;
  for (size_t i = 0; i < shape.x.size(); ++i) attrs.before[i] = shape.before[i];
  c.set_attrs(attrs);
  c.in = {tensor(dtype, shape.x, fill, shape.layout)};
  c.out = {tensor(dtype, shape.y(), {}, shape.layout)};
  c.scalars = {constant};
  c.tolerance = Tolerance::exact;
  return c;
}

void cases_pad(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_I8}) {
    for (const PadShape& shape : pad_shapes())
      cases.push_back(pad_case(dtype, shape, {}, is_float(dtype) ? scalar(-1.5) : scalar_int(-7)));
  }
  const PadShape plain{kConstant, {3, 5}, {1, 2}, {2, 1}};
  const onc_scalar lowest = scalar_int(std::numeric_limits<int64_t>::min());
  for (uint32_t dtype : {ONC_I64, ONC_I32, ONC_I16, ONC_U8, ONC_BOOL}) {
    cases.push_back(pad_case(dtype, plain, Domain::wide, scalar_int(5)));
    cases.push_back(pad_case(dtype, plain, Domain::wide, lowest, " lowest constant"));
    cases.push_back(pad_case(dtype, {kCircular, {3, 5}, {1, 2}, {2, 1}}, Domain::wide, scalar_int(0)));
  }
  // What is copied keeps its bits; what is put there is rounded to the dtype.
  const struct {
    const char* what;
    double value;
  } constants[] = {{" NaN", NAN},         {" infinity", INFINITY}, {" minus zero", -0.0},
                   {" a third", 1.0 / 3}, {" large", 7e4},         {" small", 3e-8}};
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    for (const auto& [what, value] : constants)
      cases.push_back(pad_case(dtype, plain, list({NAN, -0.0, INFINITY, 1e-40, -INFINITY, 1e-7}), scalar(value), what));
  }
  // torch.nn.functional.pad(torch.arange(1., 7).reshape(1, 2, 3), (2, 1), mode)
  const auto known = [&](uint32_t mode, std::vector<double> row) {
    Case c = pad_case(ONC_F32, {mode, {1, 2, 3}, {0, 0, 2}, {0, 0, 1}}, list({1, 2, 3, 4, 5, 6}), scalar(0), " known");
    c.known = {{0, std::move(row)}};
    cases.push_back(c);
  };
  known(kConstant, {0, 0, 1, 2, 3, 0, 0, 0, 4, 5, 6, 0});
  known(kReflect, {3, 2, 1, 2, 3, 2, 6, 5, 4, 5, 6, 5});
  known(kReplicate, {1, 1, 1, 2, 3, 3, 4, 4, 4, 5, 6, 6});
  known(kCircular, {2, 3, 1, 2, 3, 1, 5, 6, 4, 5, 6, 4});
  Case broadcast = pad_case(ONC_F32, {kReflect, {2, 3, 4, 5}, {0, 0, 1, 2}, {0, 0, 1, 1}}, {}, scalar(0), " broadcast rows");
  broadcast.in[0].broadcast = 6;
  broadcast.out[0].layout = Layout::channels_last;
  cases.push_back(broadcast);
}

}  // namespace oncilla::test
