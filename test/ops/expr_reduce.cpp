// Trailing reductions: every kind, dtype and memory order; several in one tape; epilogues. Sums and products draw small integers,
// so that every order of adding gives the same float.
#include <cmath>
#include <limits>

#include "ops/expr.hpp"

namespace oncilla::test {
namespace {

constexpr Layout C = Layout::contiguous;

struct Shape {
  Dims dims;
  uint32_t reduce_rank;
  Layout layout;
  uint32_t broadcast = 0;
};

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> list = {
      {{1}, 1, C},
      {{5, 7}, 1, C},
      {{5, 7}, 2, C},
      {{1, 13}, 1, C},
      {{13, 11}, 1, Layout::reversed},  // the columns of a matrix
      {{13, 11}, 1, Layout::padded},
      {{3, 5, 7}, 2, C},
      {{2, 3, 5, 7}, 3, Layout::channels_last},
      {{5, 33}, 1, C, 2},
      {{37, 10}, 1, C},
      {{21, 33}, 1, Layout::padded},
      {{0, 7}, 1, C},
      {{3, 5000}, 1, C},
      {{3, 700}, 1, Layout::reversed},
      {{66000}, 1, C},
      {{2, 257, 129}, 2, C},
  };
  return list;
}

Dims leading(const Shape& shape) { return {shape.dims.begin(), shape.dims.end() - shape.reduce_rank}; }

std::string name_of(const Shape& shape) {
  return dims_name(shape.dims) + " by " + std::to_string(shape.reduce_rank) + " " + layout_name(shape.layout) +
         (shape.broadcast ? " broadcast " + std::to_string(shape.broadcast) : "");
}

// The operand is the input itself, or a comparison of it for ANY and ALL.
Case reduce_case(const std::string& name, const std::vector<uint32_t>& ops, uint32_t dtype, const Shape& shape, const Fill& fill) {
  Tape tape;
  const Value x = tape.input(dtype);
  Case c;
  std::vector<Tensor> outs;
  for (uint32_t op : ops) {
    const Value r = tape.reduce(op, x);
    tape.output(r);
    outs.push_back(tensor(r.dtype == compute_dtype(dtype) ? dtype : uint32_t{r.dtype}, leading(shape)));
  }
  c = expr_case(name + " " + dtype_name(dtype) + " " + name_of(shape), tape, shape.dims, shape.reduce_rank);
  c.in = {tensor(dtype, shape.dims, fill, shape.layout, shape.broadcast)};
  c.out = outs;
  return c;
}

void kind_cases(Cases& cases) {
  const std::vector<uint32_t> order = {ONC_EX_REDUCE_MIN, ONC_EX_REDUCE_MAX, ONC_EX_REDUCE_ARGMIN, ONC_EX_REDUCE_ARGMAX};
  std::vector<uint32_t> every = order;
  every.push_back(ONC_EX_REDUCE_SUM);
  every.push_back(ONC_EX_REDUCE_PROD);
  for (const Shape& shape : shapes()) {
    // The kernels of all dtypes are one text, so that float32 walks every shape and the others a few.
    const bool few = shape.dims == Dims{5, 7} || shape.dims == Dims{13, 11} || shape.dims == Dims{3, 5000};
    for (uint32_t dtype : {ONC_F32, ONC_F64}) {
      if (dtype == ONC_F64 && !few) continue;
      cases.push_back(reduce_case("sum", {ONC_EX_REDUCE_SUM}, dtype, shape, Domain::small_int));
      cases.push_back(
          reduce_case("order", order, dtype, shape, shape.dims.size() % 2 ? Fill(Domain::wide) : Fill(Domain::small_int)));
    }
    if (!few) continue;
    for (uint32_t dtype : {ONC_I32, ONC_I64})
      cases.push_back(reduce_case("every", every, dtype, shape, Domain::wide));  // sums and products wrap
    cases.push_back(reduce_case("any all", {ONC_EX_REDUCE_ANY, ONC_EX_REDUCE_ALL}, ONC_BOOL, shape,
                                list({1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1})));
  }
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    for (const Shape& shape : {Shape{{5, 7}, 1, C}, Shape{{3, 5, 7}, 2, Layout::reversed}, Shape{{3, 5000}, 1, C}}) {
      cases.push_back(reduce_case("prod", {ONC_EX_REDUCE_PROD}, dtype, shape, list({1, -1, 2, 0.5, 1, 1, -1})));
    }
    for (const Shape& nothing : {Shape{{3, 0}, 1, C}, Shape{{0}, 1, C}, Shape{{2, 0, 5}, 2, C}}) {
      cases.push_back(reduce_case("identity", {ONC_EX_REDUCE_SUM, ONC_EX_REDUCE_PROD}, dtype, nothing, {}));
    }
  }
  cases.push_back(reduce_case("identity", {ONC_EX_REDUCE_ANY, ONC_EX_REDUCE_ALL}, ONC_BOOL, {{3, 0}, 1, C}, {}));
  for (uint32_t dtype : {ONC_F16, ONC_BF16}) {  // accumulated in float32
    for (const Shape& shape : {Shape{{5, 7}, 1, C}, Shape{{3, 700}, 1, Layout::reversed}}) {
      cases.push_back(reduce_case("sum", {ONC_EX_REDUCE_SUM}, dtype, shape, Domain::boolean));
      cases.push_back(reduce_case("order", order, dtype, shape, {}));
    }
  }
}

void special_cases(Cases& cases) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<uint32_t> order = {ONC_EX_REDUCE_MIN, ONC_EX_REDUCE_MAX, ONC_EX_REDUCE_ARGMIN, ONC_EX_REDUCE_ARGMAX};
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    for (const Shape& shape : {Shape{{4, 9}, 1, C}, Shape{{4, 900}, 1, C}, Shape{{4, 900}, 1, Layout::reversed}}) {
      cases.push_back(reduce_case("order NaN", order, dtype, shape, list({3, nan, 1, nan, 5, 2, 7, 8, 9, 1, 2, 3, 4, 5})));
      cases.push_back(reduce_case("order infinity", order, dtype, shape, list({3, -inf, inf, inf, -inf, 2, 1})));
      cases.push_back(reduce_case("order equal", order, dtype, shape, list({2})));
      cases.push_back(reduce_case("order all minus infinity", order, dtype, shape, list({-inf})));
      cases.push_back(reduce_case("order all infinity", order, dtype, shape, list({inf})));
      cases.push_back(
          reduce_case("sum infinity", {ONC_EX_REDUCE_SUM}, dtype, shape, list({1, inf, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3})));
      cases.push_back(reduce_case("sum NaN", {ONC_EX_REDUCE_SUM}, dtype, shape, list({1, nan, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3})));
    }
  }
}

// Work before and after the reduction, as norms and losses need it.
void epilogue_cases(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    for (const Shape& shape : {Shape{{5, 7}, 1, C}, Shape{{5, 7}, 2, C}, Shape{{13, 40}, 1, Layout::reversed},
                               Shape{{3, 4000}, 1, C}, Shape{{4, 6, 7}, 2, Layout::padded}}) {
      if (dtype == ONC_F64 && shape.dims.size() > 2) continue;
      // Each of these is a program for each variant: the first tape walks every shape always, the others a row and a column.
      const bool few = shape.reduce_rank == 1 && (shape.dims == Dims{5, 7} || (shape.dims == Dims{13, 40} && dtype == ONC_F32));
      const auto add = [&](Case c, bool always) {
        if (!always) c.level = Level::full;
        cases.push_back(std::move(c));
      };
      const uint32_t reduced_dims = ((1u << shape.reduce_rank) - 1) << (shape.dims.size() - shape.reduce_rank);
      {  // mean of squares and its root; the plain sum beside it
        Tape tape;
        const Value x = tape.input(dtype), scale = tape.scalar(dtype);
        const Value mean = tape.reduce(ONC_EX_REDUCE_SUM, square(x)) * scale;
        tape.output(mean);
        tape.output(sqrt(mean + 1e-5));
        tape.output(tape.reduce(ONC_EX_REDUCE_SUM, x));
        Case c =
            expr_case(std::string("mean square ") + dtype_name(dtype) + " " + name_of(shape), tape, shape.dims, shape.reduce_rank);
        c.in = {tensor(dtype, shape.dims, Domain::small_int, shape.layout)};
        c.out = {tensor(dtype, leading(shape)), tensor(dtype, leading(shape)), tensor(dtype, leading(shape))};
        c.scalars = {scalar(1.0 / 64)};
        add(c, dtype == ONC_F32 || few);
      }
      {  // accumulate into what is there: an input that the reduced dims do not move
        Tape tape;
        const Value x = tape.input(dtype), y = tape.input(dtype), before = tape.input(dtype), alpha = tape.scalar(dtype);
        tape.output(before + alpha * tape.reduce(ONC_EX_REDUCE_SUM, x * y));
        Case c = expr_case(std::string("dot accumulated ") + dtype_name(dtype) + " " + name_of(shape), tape, shape.dims,
                           shape.reduce_rank);
        c.in = {tensor(dtype, shape.dims, Domain::small_int, shape.layout), tensor(dtype, shape.dims, Domain::small_int, C, 1),
                tensor(dtype, shape.dims, Domain::small_int, C, reduced_dims)};
        c.out = {tensor(dtype, leading(shape))};
        c.scalars = {scalar(0.5)};
        add(c, few);
      }
      {  // a full output beside a reduced one
        Tape tape;
        const Value x = tape.input(dtype), y = tape.input(dtype);
        const Value product = x * y;
        tape.output(product);
        tape.output(tape.reduce(ONC_EX_REDUCE_SUM, product));
        tape.output(tape.reduce(ONC_EX_REDUCE_MAX, product));
        Case c = expr_case(std::string("full and reduced ") + dtype_name(dtype) + " " + name_of(shape), tape, shape.dims,
                           shape.reduce_rank);
        c.in = {tensor(dtype, shape.dims, Domain::small_int, shape.layout), tensor(dtype, shape.dims, Domain::small_int)};
        c.out = {tensor(dtype, shape.dims), tensor(dtype, leading(shape)), tensor(dtype, leading(shape))};
        add(c, few);
      }
      {  // how many agree: comparison, cast, sum
        Tape tape;
        const Value x = tape.input(dtype), y = tape.input(ONC_I64);
        const Value equal = eq(tape.cast(x, ONC_I64), y);
        tape.output(tape.reduce(ONC_EX_REDUCE_SUM, tape.cast(equal, ONC_I64)));
        tape.output(tape.reduce(ONC_EX_REDUCE_ANY, equal));
        Case c =
            expr_case(std::string("count equal ") + dtype_name(dtype) + " " + name_of(shape), tape, shape.dims, shape.reduce_rank);
        c.in = {tensor(dtype, shape.dims, Domain::small_int, shape.layout), tensor(ONC_I64, shape.dims, Domain::small_int)};
        c.out = {tensor(ONC_I64, leading(shape)), tensor(ONC_BOOL, leading(shape))};
        add(c, few);
      }
    }
  }
  Tape tape;  // the mean over nothing is 0/0
  const Value x = tape.input(ONC_F32);
  tape.output(tape.reduce(ONC_EX_REDUCE_SUM, x) / tape.scalar(ONC_F32));
  Case c = expr_case("mean of nothing", tape, {3, 0}, 1);
  c.in = {tensor(ONC_F32, {3, 0})};
  c.out = {tensor(ONC_F32, {3})};
  c.scalars = {scalar(0)};
  cases.push_back(c);
}

}  // namespace

void reduction_cases(Cases& cases) {
  kind_cases(cases);
  special_cases(cases);
  epilogue_cases(cases);
}

}  // namespace oncilla::test
