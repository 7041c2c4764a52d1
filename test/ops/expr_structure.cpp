// What a tape has besides arithmetic: coordinates, constants, scalars, where, outputs over inputs, many inputs, unusual shapes.
#include "ops/expr.hpp"

namespace oncilla::test {
namespace {

constexpr Layout C = Layout::contiguous;

void coordinate_cases(Cases& cases) {
  for (uint32_t dtype : {ONC_I32, ONC_I64}) {
    for (const Dims& dims : {Dims{1}, Dims{7, 13}, Dims{2, 3, 5, 7}, Dims{0, 4}}) {
      Tape tape;
      std::vector<std::string> labels;
      for (uint32_t d = 0; d < dims.size(); ++d) tape.output(tape.coord(d, dtype));
      Case c = expr_case("coord " + std::string(dtype_name(dtype)) + " " + dims_name(dims), tape, dims);
      for (size_t d = 0; d < dims.size(); ++d) c.out.push_back(tensor(dtype, dims, {}, d % 2 ? Layout::reversed : C));
      cases.push_back(c);
    }
  }
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_I64}) {
    {  // arange: start + step * i
      Tape tape;
      const Value start = tape.scalar(dtype), step = tape.scalar(dtype);
      const Value i = tape.coord(0);
      tape.output(start + step * (dtype == ONC_I64 ? i : tape.cast(i, dtype)));
      Case c = expr_case(std::string("arange ") + dtype_name(dtype), tape, {1001});
      c.out = {tensor(dtype, {1001})};
      c.scalars = is_float(dtype) ? std::vector{scalar(-2), scalar(0.25)} : std::vector{scalar_int(-2), scalar_int(3)};
      cases.push_back(c);
    }
    {  // triu
      Tape tape;
      const Value x = tape.input(dtype);
      const Value zero = is_float(dtype) ? tape.constant(dtype, 0) : tape.constant_int(dtype, 0);
      tape.output(where(ge(tape.coord(1), tape.coord(0)), x, zero));
      Case c = expr_case(std::string("triu ") + dtype_name(dtype), tape, {9, 11});
      c.in = {tensor(dtype, {9, 11}, {}, Layout::reversed)};
      c.out = {tensor(dtype, {9, 11})};
      cases.push_back(c);
    }
  }
  Tape tape;  // one-hot
  const Value target = tape.input(ONC_I64);
  tape.output(tape.cast(eq(target, tape.coord(1)), ONC_F32));
  Case c = expr_case("one-hot", tape, {6, 10});
  c.in = {tensor(ONC_I64, {6, 10}, index_below(10), C, 2)};
  c.out = {tensor(ONC_F32, {6, 10})};
  cases.push_back(c);
}

void fill_cases(Cases& cases) {
  const std::vector<std::vector<uint32_t>> tapes = {
      {ONC_F32, ONC_F16, ONC_BF16}, {ONC_I8, ONC_I16, ONC_I32, ONC_I64, ONC_U8, ONC_BOOL}, {ONC_F64}};
  for (const auto& dtypes : tapes) {
    for (Layout layout : {C, Layout::strided, Layout::reversed}) {
      Tape tape;
      const uint32_t value = is_float(dtypes[0]) ? compute_dtype(dtypes[0]) : uint32_t{ONC_I64};
      const Value constant = is_float(value) ? tape.constant(value, 1.5) : tape.constant_int(value, 1),
                  run_time = tape.scalar(value);
      for (size_t i = 0; i < dtypes.size(); ++i) {
        tape.output(constant);
        tape.output(run_time);
      }
      Case c =
          expr_case(std::string("fill ") + dtype_name(dtypes[0]) + " … " + dtype_name(dtypes.back()) + " " + layout_name(layout),
                    tape, {5, 13});
      for (uint32_t dtype : dtypes) {
        for (const char* label : {" constant", " scalar"}) {
          c.out.push_back(tensor(dtype, {5, 13}, {}, layout));
          c.labels.push_back(std::string(dtype_name(dtype)) + label);
        }
      }
      c.scalars = {is_float(value) ? scalar(-2.25) : scalar_int(1)};
      c.tolerance = Tolerance::exact;
      cases.push_back(c);
    }
  }
}

void where_cases(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_I32, ONC_I64, ONC_BOOL, ONC_F16, ONC_U8}) {
    for (Layout layout : {C, Layout::padded}) {
      if (layout != C && dtype != ONC_F32) continue;
      Tape tape;
      const Value condition = tape.input(ONC_BOOL), a = tape.input(dtype), b = tape.input(dtype);
      tape.output(where(condition, a, b));
      Case c = expr_case(std::string("where ") + dtype_name(dtype) + " " + layout_name(layout), tape, {4, 3, 7});
      c.in = {tensor(ONC_BOOL, {4, 3, 7}, {}, layout, 2), tensor(dtype, {4, 3, 7}, {}, layout),
              tensor(dtype, {4, 3, 7}, {}, layout, 1)};
      c.out = {tensor(dtype, {4, 3, 7}, {}, layout)};
      cases.push_back(c);
    }
  }
}

// An update in place, as optimizers and activations do it: the output is its input's memory.
void in_place_cases(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_BF16, ONC_I32}) {
    for (Layout layout : {C, Layout::strided, Layout::reversed}) {
      if (layout != C && dtype != ONC_F32) continue;
      Tape tape;
      const Value x = tape.input(dtype), y = tape.input(dtype), s = tape.scalar(compute_dtype(dtype));
      tape.output(x + s * y);
      tape.output(x * y);
      Case c = expr_case(std::string("in place ") + dtype_name(dtype) + " " + layout_name(layout), tape, {9, 31});
      c.in = {tensor(dtype, {9, 31}, {}, layout), tensor(dtype, {9, 31})};
      c.out = {c.in[0], tensor(dtype, {9, 31})};
      c.aliases = {{0, 0}};
      c.scalars = {is_float(dtype) ? scalar(0.5) : scalar_int(-3)};
      cases.push_back(c);
    }
  }
}

void shape_cases(Cases& cases) {
  // One tape over many shapes: sizes are arguments, not source.
  const Dims shapes[] = {{1},
                         {2},
                         {3},
                         {4},
                         {5},
                         {31},
                         {64},
                         {255},
                         {1023},
                         {16384},
                         {100003},
                         {1, 1, 1},
                         {1, 7, 1},
                         {3, 1, 129},
                         {0, 7},
                         {7, 0, 3},
                         {2, 2, 2, 2, 2, 2, 2, 2},
                         {513, 3},
                         {3, 513}};
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    for (const Dims& dims : shapes) {
      for (Layout layout : {C, Layout::padded}) {
        Tape tape;
        const Value x = tape.input(dtype), y = tape.input(dtype), z = tape.input(dtype);
        tape.output(fma(x, y, z));
        Case c =
            expr_case(std::string("shape ") + dtype_name(dtype) + " " + dims_name(dims) + " " + layout_name(layout), tape, dims);
        c.in = {tensor(dtype, dims, {}, layout), tensor(dtype, dims), tensor(dtype, dims, {}, C, dims.size() > 1 ? 1 : 0)};
        c.out = {tensor(dtype, dims, {}, layout)};
        cases.push_back(c);
      }
    }
  }
  for (uint32_t n : {3u, 12u}) {  // a sum of many inputs
    Tape tape;
    Value sum = tape.input(ONC_F32);
    for (uint32_t i = 1; i < n; ++i) sum = sum + tape.input(ONC_F32);
    tape.output(sum);
    Case c = expr_case("sum of " + std::to_string(n) + " inputs", tape, {5, 17});
    for (uint32_t i = 0; i < n; ++i)
      c.in.push_back(tensor(ONC_F32, {5, 17}, Domain::small_int, i % 3 ? C : Layout::reversed, i % 4 == 3 ? 1 : 0));
    c.out = {tensor(ONC_F32, {5, 17})};
    cases.push_back(c);
  }
}

// Inputs whose neighbours lie along another dim than the output's, in squares with tails on both sides: every size of an element,
// beside inputs that lie as the output does, that broadcast and that jump along both, with coordinates and a second output.
void turned_cases(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16, ONC_U8}) {
    for (const auto& [dims, layout] : std::vector<std::pair<Dims, Layout>>{{{37, 53}, Layout::reversed},
                                                                           {{3, 37, 53}, Layout::swapped},
                                                                           {{32, 64}, Layout::reversed},
                                                                           {{2, 39, 5, 7}, Layout::channels_last}}) {
      const uint32_t value = is_float(dtype) ? compute_dtype(dtype) : uint32_t{ONC_I32};
      Tape tape;
      const auto rank = static_cast<uint32_t>(dims.size());
      const Value x = tape.input(value), y = tape.input(value), z = tape.input(value), w = tape.input(value);
      const Value at = tape.cast(tape.coord(rank - 1) + tape.coord(rank - 2) * tape.constant_int(ONC_I64, 2), value);
      tape.output(x + y * z - w);
      tape.output(x + at);
      Case c = expr_case(std::string("turned ") + dtype_name(dtype) + " " + dims_name(dims), tape, dims);
      c.in = {tensor(dtype, dims, Domain::small_int, layout), tensor(dtype, dims, Domain::small_int),
              tensor(dtype, dims, Domain::small_int, C, 1), tensor(dtype, dims, Domain::small_int, Layout::strided)};
      c.out = {tensor(dtype, dims), tensor(dtype, dims, {}, Layout::padded)};
      c.labels = {"sum", "coordinates"};
      cases.push_back(c);
    }
  }
}

}  // namespace

void structure_cases(Cases& cases) {
  coordinate_cases(cases);
  fill_cases(cases);
  where_cases(cases);
  in_place_cases(cases);
  shape_cases(cases);
  turned_cases(cases);
}

}  // namespace oncilla::test
