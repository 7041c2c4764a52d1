// Tables read by position: what PyTorch's indexing ops become as tapes, at full and at reduced positions, with positions that the
// table does not have.
#include <cmath>
#include <functional>
#include <limits>

#include "ops/expr.hpp"

namespace oncilla::test {
namespace {

constexpr Layout C = Layout::contiguous;
const double kNan = std::numeric_limits<double>::quiet_NaN();

Tensor table(uint32_t dtype, int64_t n, Fill fill = {}) { return tensor(dtype, {n}, std::move(fill)); }

Value number(Tape& t, int64_t value, uint32_t dtype) { return t.constant_int(dtype, value); }

// y[i, j] = x[index[i], j], x being a table of rows of `width`. The position is computed in `dtype`.
Value row_of(Tape& t, Table x, Value index, int64_t width, uint32_t column, uint32_t dtype) {
  return t.gather(x, index * number(t, width, dtype) + t.coord(column, dtype));
}

// Every storage dtype, with indices of which some lie outside, at both widths of the position. One tape reads several tables, since
// each program costs a compilation.
void dtype_cases(Cases& cases) {
  const std::vector<std::pair<uint32_t, std::vector<uint32_t>>> tapes = {
      {ONC_I64, {ONC_F32, ONC_F16, ONC_BF16, ONC_I8, ONC_I16, ONC_I32, ONC_I64, ONC_U8, ONC_BOOL}},
      {ONC_I64, {ONC_F64}},
      {ONC_I32, {ONC_F32, ONC_F16, ONC_I64}}};
  for (const auto& [position, dtypes] : tapes) {
    for (const int64_t n : {1, 37, 1029}) {
      Tape t;
      const Value at = t.input(position);
      Case c =
          expr_case(std::string("take ") + dtype_name(dtypes[0]) + " by " + dtype_name(position) + " " + std::to_string(n), t, {n});
      c.in = {tensor(position, {n}, list({0, 12, -1, 13, 5, 5, 1e9, -1e9, 7}))};
      for (const uint32_t dtype : dtypes) {
        t.output(t.gather(t.table(dtype), at));
        c.in.push_back(table(dtype, 13));
        c.out.push_back(tensor(dtype, {n}));
        c.labels.push_back(dtype_name(dtype));
      }
      c.set_tape(t);
      c.tolerance = Tolerance::exact;
      cases.push_back(c);
    }
  }
  // Positions that 32 bits would make valid ones.
  Tape t;
  const Table x = t.table(ONC_F32);
  const Value far = t.input(ONC_I64);
  t.output(t.gather(x, far));
  Case c = expr_case("take far away", t, {5});
  c.in = {tensor(ONC_F32, {4}, list({1, 2, 3, 4})), tensor(ONC_I64, {5}, list({4294967296.0, -4294967295.0, 2, 0x1p62, -0x1p63}))};
  c.out = {tensor(ONC_F32, {5})};
  c.known = {{0, {kNan, kNan, 3, kNan, kNan}}};
  cases.push_back(c);
  for (uint32_t dtype : {ONC_F32, ONC_I32}) {  // of nothing
    Tape e;
    const Table none = e.table(dtype);
    e.output(e.gather(none, e.input(ONC_I64)));
    Case empty = expr_case(std::string("take of an empty table ") + dtype_name(dtype), e, {7});
    empty.in = {table(dtype, 0), tensor(ONC_I64, {7}, index_below(3))};
    empty.out = {tensor(dtype, {7})};
    const double outside = dtype == ONC_F32 ? kNan : 0;
    empty.known = {{0, std::vector<double>(7, outside)}};
    cases.push_back(empty);
  }
  // An integer table as float values: NaN where it has none; a float table as integers by conversion.
  Tape mixed;
  const Table ints = mixed.table(ONC_I32);
  const Value at = mixed.input(ONC_I64);
  const Value as_int = mixed.gather(ints, at);
  mixed.output(mixed.cast(as_int, ONC_F32));
  mixed.output(as_int);
  Case m = expr_case("take and cast", mixed, {4});
  m.in = {tensor(ONC_I32, {3}, list({7, -8, 9})), tensor(ONC_I64, {4}, list({2, 3, 1, -1}))};
  m.out = {tensor(ONC_F32, {4}), tensor(ONC_I16, {4})};
  m.known = {{0, {9, 0, -8, 0}}, {1, {9, 0, -8, 0}}};
  cases.push_back(m);
}

// Rows and elements by index tensors. Negative indices count from the end, as PyTorch's indexing has them.
void index_cases(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F16, ONC_I64}) {
    for (const int64_t width : {1, 5, 16, 131}) {  // index_select of rows, embedding
      Tape t;
      const Table x = t.table(dtype);
      const Value i = t.input(ONC_I64);
      t.output(row_of(t, x, where(lt(i, number(t, 0, ONC_I64)), i + number(t, 9, ONC_I64), i), width, 1, ONC_I64));
      Case c = expr_case(std::string("index rows ") + dtype_name(dtype) + " of " + std::to_string(width), t, {11, width});
      c.in = {table(dtype, 9 * width), tensor(ONC_I64, {11, width}, list({3, -1, 0, 8, -9, 3, 3}), C, 2)};
      c.out = {tensor(dtype, {11, width}, {}, width == 5 ? Layout::reversed : C)};
      c.tolerance = Tolerance::exact;
      cases.push_back(c);
    }
  }
  for (const uint32_t position :
       {ONC_I32, ONC_I64}) {  // windows of neighbours, of which some begin before the table or end behind it
    for (const uint32_t dtype : {ONC_F32, ONC_BF16, ONC_U8, ONC_F16}) {
      Tape t;
      const Table x = t.table(dtype);
      const Value start = t.input(position), column = t.coord(1, position), from = start + column;
      t.output(t.gather(x, from));
      t.output(t.gather(x, where(lt(start, number(t, 20, position)), from, number(t, 3, position))));  // a window, or one element
      t.output(t.gather(x, start));
      Case c = expr_case(std::string("windows ") + dtype_name(dtype) + " by " + dtype_name(position), t, {13, 53});
      c.in = {table(dtype, 90), tensor(position, {13, 53}, list({0, -1, -7, 5, 19, 20, 36, 37, 38, 42, 89, 1e9, -1e9}), C, 2)};
      c.out = std::vector<Tensor>(3, tensor(dtype, {13, 53}));
      c.tolerance = Tolerance::exact;
      cases.push_back(c);
    }
  }
  {  // rounded positions, of which the first and the last are as far apart as neighbours' would be
    Tape t;
    const Table x = t.table(ONC_F32);
    const Value far = t.constant(ONC_F32, 0x1p24);
    t.output(t.gather(x, t.cast(t.cast(t.coord(1), ONC_F32) + far - far, ONC_I32)));
    Case c = expr_case("rounded positions", t, {3, 53});
    c.in = {table(ONC_F32, 90)};
    c.out = {tensor(ONC_F32, {3, 53})};
    c.tolerance = Tolerance::exact;
    cases.push_back(c);
  }
  {  // neighbours of a table beside an input that is turned
    Tape t;
    const Table x = t.table(ONC_F32);
    t.output(t.gather(x, t.coord(0) * number(t, 3, ONC_I64) + t.coord(1)) + t.input(ONC_F32));
    Case c = expr_case("neighbours beside a transposed input", t, {37, 41});
    c.in = {table(ONC_F32, 140), tensor(ONC_F32, {37, 41}, {}, Layout::reversed)};
    c.out = {tensor(ONC_F32, {37, 41})};
    cases.push_back(c);
  }
  {  // torch.gather along dim 1 of [3, 4]: known
    Tape t;
    const Table x = t.table(ONC_F32);
    t.output(t.gather(x, t.coord(0) * number(t, 4, ONC_I64) + t.input(ONC_I64)));
    Case c = expr_case("gather along the last dim", t, {3, 2});
    c.in = {tensor(ONC_F32, {12}, list({0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23})),
            tensor(ONC_I64, {3, 2}, list({3, 0, 1, 1, 2, 3}))};
    c.out = {tensor(ONC_F32, {3, 2})};
    c.known = {{0, {3, 0, 11, 11, 22, 23}}};
    cases.push_back(c);
  }
  for (const Layout layout : {C, Layout::reversed, Layout::padded}) {  // along the middle dim of [2, 7, 5]
    Tape t;
    const Table x = t.table(ONC_F32);
    const Value i = t.input(ONC_I64);
    t.output(t.gather(x, (t.coord(0) * number(t, 7, ONC_I64) + i) * number(t, 5, ONC_I64) + t.coord(2)));
    Case c = expr_case(std::string("gather along the middle dim ") + layout_name(layout), t, {2, 3, 5});
    c.in = {table(ONC_F32, 70), tensor(ONC_I64, {2, 3, 5}, index_below(7), layout)};
    c.out = {tensor(ONC_F32, {2, 3, 5}, {}, layout)};
    cases.push_back(c);
  }
  {  // x[i, :, j] with two index tensors that broadcast
    Tape t;
    const Table x = t.table(ONC_F32);
    const Value i = t.input(ONC_I64), j = t.input(ONC_I64);
    t.output(t.gather(x, (i * number(t, 7, ONC_I64) + t.coord(2)) * number(t, 11, ONC_I64) + j));
    Case c = expr_case("two index tensors", t, {4, 3, 7});
    c.in = {table(ONC_F32, 5 * 7 * 11), tensor(ONC_I64, {4, 3, 7}, index_below(5), C, 6),
            tensor(ONC_I64, {4, 3, 7}, index_below(11), C, 5)};
    c.out = {tensor(ONC_F32, {4, 3, 7})};
    cases.push_back(c);
  }
  {  // masked_scatter: the k-th true element takes source[k], k from a scan of the mask
    Tape t;
    const Value mask = t.input(ONC_BOOL), self = t.input(ONC_F32), rank = t.input(ONC_I64);
    const Table source = t.table(ONC_F32);
    t.output(where(mask, t.gather(source, rank), self));
    Case c = expr_case("masked_scatter", t, {7});
    c.in = {tensor(ONC_BOOL, {7}, list({0, 1, 1, 0, 0, 1, 0})), tensor(ONC_F32, {7}, list({1, 2, 3, 4, 5, 6, 7})),
            tensor(ONC_I64, {7}, list({0, 0, 1, 2, 2, 2, 3})), tensor(ONC_F32, {3}, list({10, 20, 30}))};
    c.out = {tensor(ONC_F32, {7})};
    c.known = {{0, {1, 10, 20, 4, 5, 30, 7}}};
    cases.push_back(c);
  }
  {  // a table through a table, and one table at two places
    Tape t;
    const Table x = t.table(ONC_F32), order = t.table(ONC_I64);
    const Value i = t.gather(order, t.coord(0));
    t.output(t.gather(x, i) - t.gather(x, i + number(t, 1, ONC_I64)));
    Case c = expr_case("a table of positions", t, {257});
    c.in = {table(ONC_F32, 258), table(ONC_I64, 257, index_below(257))};
    c.out = {tensor(ONC_F32, {257})};
    cases.push_back(c);
  }
}

// Positions that are computed from the coordinate: one program for all of a kind.
void coordinate_cases(Cases& cases) {
  constexpr int64_t n = 7;
  const auto k = [](Tape& t, int64_t value) { return number(t, value, ONC_I32); };
  const auto add = [&](const std::string& name, int64_t size, const std::vector<std::vector<double>>& known,
                       const std::function<std::vector<Value>(Tape&, Value)>& positions) {
    Tape t;
    const Table x = t.table(ONC_F32);
    for (const Value at : positions(t, t.coord(0, ONC_I32))) t.output(t.gather(x, at));
    Case c = expr_case(name, t, {size});
    c.in = {tensor(ONC_F32, {n}, list({0, 1, 2, 3, 4, 5, 6}))};
    for (const auto& values : known) {
      c.known.push_back({c.out.size(), values});
      c.out.push_back(tensor(ONC_F32, {size}));
    }
    cases.push_back(c);
  };
  add("flip, roll by 2", n, {{6, 5, 4, 3, 2, 1, 0}, {5, 6, 0, 1, 2, 3, 4}}, [&](Tape& t, Value i) {
    return std::vector{k(t, n - 1) - i, remainder(i - k(t, 2), k(t, n))};
  });
  add("pad circular, replicate, reflect", 12,
      {{4, 5, 6, 0, 1, 2, 3, 4, 5, 6, 0, 1}, {0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 6, 6}, {3, 2, 1, 0, 1, 2, 3, 4, 5, 6, 5, 4}},
      [&](Tape& t, Value i) {
        const Value from = i - k(t, 3);
        return std::vector{remainder(from, k(t, n)), minimum(maximum(from, k(t, 0)), k(t, n - 1)),
                           k(t, n - 1) - abs(k(t, n - 1) - abs(from))};
      });
  // Constant padding: outside reads NaN, which the constant replaces by the position, so that a NaN of x stays.
  Tape t;
  const Table x = t.table(ONC_F32);
  const Value at = t.coord(0) - number(t, 2, ONC_I64), zero = number(t, 0, ONC_I64);
  const Value inside = logical_and(ge(at, zero), lt(at, number(t, 3, ONC_I64)));
  t.output(where(inside, t.gather(x, at), t.scalar(ONC_F32)));
  Case c = expr_case("pad constant", t, {7});
  c.in = {tensor(ONC_F32, {3}, list({1, kNan, 3}))};
  c.out = {tensor(ONC_F32, {7})};
  c.scalars = {scalar(-5)};
  c.known = {{0, {-5, -5, 1, kNan, 3, -5, -5}}};
  cases.push_back(c);
}

// On both sides of a reduction: the sum of gathered elements, an element at a reduced position, a per-row factor.
void reduce_cases(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F16}) {
    for (const Dims& dims : {Dims{5, 7}, Dims{1, 1}, Dims{3, 1000}, Dims{40, 33}}) {
      for (const Layout layout : {C, Layout::reversed}) {
        if (layout != C && dtype != ONC_F32) continue;
        const std::string tail = std::string(" ") + dtype_name(dtype) + " " + dims_name(dims) + " " + layout_name(layout);
        Tape t;
        const Table x = t.table(dtype), scale = t.table(dtype);
        const Value i = t.input(ONC_I64), key = t.input(ONC_F32);
        const Value sum = t.reduce(ONC_EX_REDUCE_SUM, t.gather(x, i)), where_max = t.reduce(ONC_EX_REDUCE_ARGMAX, key);
        t.output(sum);
        t.output(t.gather(scale, where_max));
        Case c = expr_case("sum of gathered, gather at argmax" + tail, t, dims, 1);
        c.in = {table(dtype, 29, Domain::small_int), table(dtype, dims[1]), tensor(ONC_I64, dims, index_below(29), layout),
                tensor(ONC_F32, dims, {}, layout)};
        c.out = {tensor(dtype, {dims[0]}), tensor(dtype, {dims[0]})};
        cases.push_back(c);
      }
    }
  }
  {  // a value of a table by the kept coordinate's input serves both sides
    Tape t;
    const Value x = t.input(ONC_F32), group = t.input(ONC_I64);
    const Table scale = t.table(ONC_F32);
    const Value s = t.gather(scale, group);
    t.output(t.reduce(ONC_EX_REDUCE_SUM, x * s) + s);
    Case c = expr_case("a table on both sides of a sum", t, {6, 35}, 1);
    c.in = {tensor(ONC_F32, {6, 35}, Domain::small_int), tensor(ONC_I64, {6, 35}, index_below(4), C, 2),
            tensor(ONC_F32, {4}, list({1, -2, 3, 0.5}))};
    c.out = {tensor(ONC_F32, {6})};
    cases.push_back(c);
  }
  for (const Dims& dims : {Dims{4, 0}, Dims{0, 4}}) {  // over nothing the epilogue still reads
    Tape t;
    const Table x = t.table(ONC_F32);
    const Value i = t.input(ONC_I64);
    const Value sum = t.reduce(ONC_EX_REDUCE_SUM, i);
    t.output(t.gather(x, sum));
    Case c = expr_case("gather at the sum of nothing " + dims_name(dims), t, dims, 1);
    c.in = {tensor(ONC_F32, {3}, list({8, 9, 10})), tensor(ONC_I64, dims)};
    c.out = {tensor(ONC_F32, {dims[0]})};
    if (dims[0] > 0) c.known = {{0, {8, 8, 8, 8}}};
    cases.push_back(c);
  }
}

}  // namespace

void gather_cases(Cases& cases) {
  dtype_cases(cases);
  index_cases(cases);
  coordinate_cases(cases);
  reduce_cases(cases);
}

}  // namespace oncilla::test
