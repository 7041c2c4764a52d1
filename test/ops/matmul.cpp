// Cases of MATMUL. K up to 16 draws reals; longer sums draw small integers, so that they are exact in float32. Integer dtypes draw
// all their values.
#include <cmath>
#include <functional>

#include "ops/cases.hpp"

namespace oncilla::test {
namespace {

struct Problem {
  int64_t m, n, k, batch = 0;  // batch 0: no batch dim
  Layout a = Layout::contiguous, b = Layout::contiguous, d = Layout::contiguous;
  double alpha = 1, beta = 0;
  const char* c = "";  // "", "full", "row" (bias over columns), "column", "in place"
  uint32_t broadcast_a = 0, broadcast_b = 0;
};

Case matmul_case(uint32_t dtype, const Problem& p) {
  const auto dims = [&](int64_t rows, int64_t columns) { return p.batch ? Dims{p.batch, rows, columns} : Dims{rows, columns}; };
  const Fill fill = !is_float(dtype) ? Domain::wide : p.k > 16 ? Domain::small_int : Domain::any;
  const std::string kind = p.c;
  const uint32_t row_bit = p.batch ? 2 : 1;
  Case c;
  c.op = ONC_OP_MATMUL;
  c.name = std::string("matmul/") + dtype_name(dtype) + " " + (p.batch ? std::to_string(p.batch) + " of " : "") +
           dims_name({p.m, p.n, p.k});
  if (p.a != Layout::contiguous) c.name += std::string(" a ") + layout_name(p.a);
  if (p.b != Layout::contiguous) c.name += std::string(" b ") + layout_name(p.b);
  if (p.d != Layout::contiguous) c.name += std::string(" d ") + layout_name(p.d);
  if (p.broadcast_a) c.name += " a broadcast " + std::to_string(p.broadcast_a);
  if (p.broadcast_b) c.name += " b broadcast " + std::to_string(p.broadcast_b);
  if (p.alpha != 1 || p.beta != 0)
    c.name += " alpha " + std::to_string(p.alpha).substr(0, 4) + " beta " + std::to_string(p.beta).substr(0, 4);
  if (!kind.empty()) c.name += " c " + kind;
  c.in = {tensor(dtype, dims(p.m, p.k), fill, p.a, p.broadcast_a), tensor(dtype, dims(p.k, p.n), fill, p.b, p.broadcast_b)};
  if (kind.empty())
    c.in.push_back(absent());
  else
    c.in.push_back(tensor(dtype, dims(p.m, p.n), fill, p.d,
                          kind == "row"      ? row_bit | (p.batch ? 1 : 0)
                          : kind == "column" ? row_bit << 1
                                             : 0));
  c.out = {tensor(dtype, dims(p.m, p.n), {}, p.d)};
  if (kind == "in place") c.aliases = {{0, 2}};
  for (const double factor : {p.alpha, p.beta})
    c.scalars.push_back(is_float(dtype) ? scalar(factor) : scalar_int(static_cast<int64_t>(factor)));
  return c;
}

std::vector<Problem> problems() {
  std::vector<Problem> list;
  const Dims sizes[] = {{1, 1, 1},       {5, 7, 11},     {13, 11, 7},  {1, 10, 16},  {16, 1, 16},  {16, 16, 1},
                        {1, 1, 300},     {64, 10, 128},  {33, 65, 17}, {32, 32, 32}, {64, 64, 64}, {100, 130, 70},
                        {129, 127, 131}, {200, 33, 300}, {7, 300, 40}, {256, 48, 96}};
  for (const Dims& s : sizes) {
    for (Layout a : {Layout::contiguous, Layout::swapped}) {
      for (Layout b : {Layout::contiguous, Layout::swapped}) list.push_back({s[0], s[1], s[2], 0, a, b});
    }
  }
  // Epilogues.
  for (const char* c : {"full", "row", "column", "in place"}) {
    list.push_back({5, 7, 11, 0, Layout::contiguous, Layout::contiguous, Layout::contiguous, 1, 1, c});
    list.push_back({33, 65, 17, 0, Layout::contiguous, Layout::swapped, Layout::contiguous, 0.5, -2, c});
    list.push_back({64, 64, 64, 0, Layout::swapped, Layout::contiguous, Layout::contiguous, 2, 0.5, c});
  }
  list.push_back({5, 7, 11, 0, Layout::contiguous, Layout::contiguous, Layout::contiguous, 0, 1, "full"});
  list.push_back({5, 7, 11, 0, Layout::contiguous, Layout::contiguous, Layout::contiguous, -1.5, 0, ""});
  list.push_back({64, 64, 64, 0, Layout::contiguous, Layout::contiguous, Layout::contiguous, 3, 0, ""});
  // K beyond what a kernel keeps between two stores, with c and with c in place of d.
  for (const char* c : {"row", "in place"}) {
    list.push_back({29, 37, 600, 0, Layout::contiguous, Layout::swapped, Layout::contiguous, 0.5, 2, c});
    list.push_back({14, 43, 521, 2, Layout::swapped, Layout::contiguous, Layout::swapped, 1, -1, c});
  }
  list.push_back({513, 130, 517});
  // Long sums of few results, in parts.
  for (Layout a : {Layout::contiguous, Layout::swapped}) list.push_back({16, 32, 1027, 0, a});
  list.push_back({19, 7, 1030, 0, Layout::swapped, Layout::swapped, Layout::contiguous, 0.5, 2, "row"});
  list.push_back({17, 21, 530, 2, Layout::swapped, Layout::contiguous, Layout::swapped, 1, -1, "in place"});
  // Memory orders beyond a transposition.
  for (Layout layout : {Layout::padded, Layout::strided}) {
    list.push_back({13, 11, 7, 0, layout, layout, layout});
    list.push_back({66, 70, 40, 0, layout, layout, layout, 1, 1, "full"});
  }
  list.push_back({13, 11, 7, 0, Layout::contiguous, Layout::contiguous, Layout::swapped});
  list.push_back({66, 70, 40, 0, Layout::swapped, Layout::swapped, Layout::swapped, 1, 1, "full"});
  list.push_back({13, 11, 7, 0, Layout::contiguous, Layout::contiguous, Layout::contiguous, 1, 0, "", 1,
                  2});  // each operand one row, one column
  // Batches.
  for (Layout layout : {Layout::contiguous, Layout::swapped}) {
    list.push_back({5, 7, 11, 3, layout, Layout::contiguous});
    list.push_back({13, 11, 7, 2, Layout::contiguous, layout, Layout::contiguous, 1, 1, "full"});
    list.push_back({40, 33, 50, 4, layout, layout});
  }
  list.push_back({5, 7, 11, 3, Layout::contiguous, Layout::contiguous, Layout::contiguous, 1, 0, "", 1, 0});
  list.push_back({5, 7, 11, 3, Layout::contiguous, Layout::contiguous, Layout::contiguous, 1, 0, "", 0, 1});
  list.push_back({40, 33, 50, 3, Layout::contiguous, Layout::contiguous, Layout::contiguous, 1, 1, "row", 0, 1});
  list.push_back({5, 7, 11, 3, Layout::padded, Layout::strided, Layout::reversed});
  list.push_back({4, 6, 5, 3, Layout::reversed, Layout::reversed, Layout::contiguous, 1, 1, "in place"});
  list.push_back({5, 7, 11, 1});
  list.push_back({1, 9, 16, 70});
  // Nothing to add, and nothing to do.
  list.push_back({5, 7, 0});
  list.push_back({5, 7, 0, 0, Layout::contiguous, Layout::contiguous, Layout::contiguous, 1, 2, "full"});
  list.push_back({5, 7, 0, 2});
  list.push_back({0, 7, 5});
  list.push_back({5, 0, 7});
  list.push_back({5, 7, 11, 0, Layout::contiguous, Layout::contiguous, Layout::contiguous, 1, 0, "full"});
  return list;
}

// For dtypes whose kernels differ from float32's in how they load and store.
std::vector<Problem> few_problems() {
  const Layout plain = Layout::contiguous, swapped = Layout::swapped;
  std::vector<Problem> list;
  const Dims sizes[] = {{1, 1, 1}, {5, 7, 11}, {13, 11, 7}, {1, 10, 16}, {16, 1, 16}, {1, 1, 300}, {33, 65, 17}, {100, 130, 70}};
  for (const Dims& s : sizes) list.push_back({s[0], s[1], s[2]});
  list.push_back({64, 10, 128, 0, swapped, plain});
  list.push_back({33, 65, 17, 0, plain, swapped, plain, 3, -2, "full"});
  list.push_back({33, 65, 17, 0, swapped, swapped, swapped, 1, 1, "in place"});
  list.push_back({5, 7, 11, 0, plain, plain, plain, 2, 1, "column"});
  list.push_back({29, 37, 600, 0, plain, swapped, plain, 1, 2, "row"});
  list.push_back({14, 43, 521, 2, swapped, plain, swapped, 1, -1, "in place"});
  list.push_back({16, 18, 1025, 0, swapped, plain, plain, 2, 1, "full"});
  list.push_back({66, 70, 40, 0, Layout::padded, Layout::padded, Layout::padded, 1, 1, "full"});
  list.push_back({13, 11, 7, 0, Layout::strided, Layout::strided, Layout::strided});
  list.push_back({40, 33, 50, 4, plain, swapped});
  list.push_back({5, 7, 11, 3, plain, plain, plain, 1, 0, "", 1, 0});
  list.push_back({5, 7, 11, 3, Layout::reversed, plain, Layout::reversed, 1, 1, "row", 0, 1});
  list.push_back({5, 7, 0, 0, plain, plain, plain, 1, 2, "full"});
  list.push_back({5, 7, 0, 2});
  list.push_back({5, 0, 7});
  return list;
}

// An epilogue: further tensors (storage dtype, which dims broadcast) and scalars behind the op's own, and the tape over them.
struct Ending {
  const char* name;
  std::vector<std::pair<uint32_t, uint32_t>> further;
  std::vector<onc_scalar> scalars;
  std::function<Value(Tape&, Value x, const std::vector<Value>& further)> tape;
};

Case ending_case(uint32_t dtype, const Problem& problem, const Ending& ending) {
  Case c = matmul_case(dtype, problem);
  c.name += std::string(" ") + ending.name;
  Tape tape;
  const Value x = tape.input(dtype);
  std::vector<Value> further;
  for (const auto& [storage, broadcast] : ending.further) {
    Tensor t = tensor(storage, c.out[0].dims, Domain::any, broadcast ? Layout::contiguous : problem.d);
    // Row and column bits are those of the last two dims.
    t.broadcast = problem.batch ? broadcast << 1 | (broadcast ? 1 : 0) : broadcast;
    c.in.push_back(t);
    further.push_back(tape.input(storage));
  }
  tape.output(ending.tape(tape, x, further));
  c.set_tape(tape);
  c.scalars.insert(c.scalars.end(), ending.scalars.begin(), ending.scalars.end());
  return c;
}

void ending_cases(Cases& cases) {
  const Layout plain = Layout::contiguous, swapped = Layout::swapped;
  const uint32_t of_columns = 1, of_rows = 2;  // a bias for each column has no stride between rows
  const auto zero = [](Tape& t, Value like) {
    return like.dtype == ONC_F32 || like.dtype == ONC_F64 ? t.constant(like.dtype, 0) : t.constant_int(like.dtype, 0);
  };
  const auto relu = [zero](Tape& t, Value x, const std::vector<Value>& e) { return maximum(x + e[0], zero(t, x)); };
  const auto gelu = [](Tape&, Value x, const std::vector<Value>& e) {
    const Value y = x + e[0];
    return y * 0.5 * (erf(y * 0.70710678118654752) + 1.0);
  };
  const auto residual = [](Tape& t, Value x, const std::vector<Value>& e) {
    return x * t.scalar(x.dtype) + e[0] - t.cast(t.scalar(ONC_I64), x.dtype);
  };
  const Ending bias_relu{"bias relu", {{ONC_F32, of_columns}}, {}, relu};
  const Ending sum{"residual", {{ONC_F32, 0}}, {scalar(0.75), scalar_int(3)}, residual};
  for (const Problem& p : std::vector<Problem>{{5, 7, 11},
                                               {1, 10, 300},
                                               {33, 65, 17, 0, plain, swapped, plain, 0.5, -2, "full"},
                                               {64, 64, 64, 0, plain, plain, swapped},
                                               {29, 70, 600, 0, plain, swapped, plain, 0.5, 2, "row"},
                                               {40, 33, 520, 3},
                                               {13, 11, 7, 0, plain, plain, Layout::strided},
                                               {5, 7, 0, 2, plain, plain, plain, 1, 1, "full"},
                                               {0, 7, 5}}) {
    cases.push_back(ending_case(ONC_F32, p, bias_relu));
    cases.push_back(ending_case(ONC_F32, p, sum));
    if (p.m < 33 || p.n < 65) cases.back().level = Level::full;
  }
  cases.push_back(ending_case(ONC_F32, {33, 70, 17}, {"bias gelu", {{ONC_F32, of_columns}}, {}, gelu}));
  cases.push_back(ending_case(ONC_F64, {33, 70, 17, 0, plain, plain, plain, 1, 1, "in place"},
                              {"bias gelu", {{ONC_F64, of_columns}}, {}, gelu}));
  cases.push_back(ending_case(ONC_F32, {40, 33, 20}, {"row bias relu", {{ONC_F32, of_rows}}, {}, relu}));
  const auto positive = [](Tape& t, Value x, const std::vector<Value>&) { return gt(x, t.scalar(x.dtype)); };
  cases.push_back(ending_case(ONC_F32, {40, 70, 12}, {"above", {}, {scalar(0.25)}, positive}));
  for (const uint32_t half : {ONC_F16, ONC_BF16}) {
    // The bias is float32 while the product is a half, the residual a half too.
    const Ending mixed{"bias relu", {{ONC_F32, of_columns}}, {}, relu},
        rounded{"residual", {{half, 0}}, {scalar(0.5), scalar_int(1)}, residual};
    cases.push_back(ending_case(half, {33, 70, 17}, mixed));
    cases.push_back(ending_case(half, {29, 70, 600}, mixed));
    cases.push_back(ending_case(half, {13, 35, 11, 2}, rounded));
  }
  const auto clip = [](Tape& t, Value x, const std::vector<Value>& e) {
    return minimum(maximum(x + t.cast(e[0], x.dtype), t.constant_int(x.dtype, -100)), t.constant_int(x.dtype, 100));
  };
  cases.push_back(ending_case(ONC_I8, {33, 70, 17}, {"bias clip", {{ONC_I32, of_columns}}, {}, clip}));
  cases.push_back(ending_case(ONC_I64, {13, 35, 300}, {"bias clip", {{ONC_I8, of_columns}}, {}, clip}));
}

}  // namespace

void cases_matmul(Cases& cases) {
  for (uint32_t dtype : {ONC_F16, ONC_BF16, ONC_I32, ONC_I64, ONC_I8, ONC_I16, ONC_U8}) {
    for (const Problem& problem : few_problems()) {
      cases.push_back(matmul_case(dtype, problem));
      // Each dtype has kernels of its own to compile; these two differ from int8 in the storage type alone.
      if (dtype == ONC_I16 || dtype == ONC_U8) cases.back().level = Level::full;
    }
  }
  ending_cases(cases);
  // More matrices than a launch may have work-groups along a dim.
  Case many = matmul_case(ONC_F32, {1, 2, 3, 70000, Layout::contiguous, Layout::contiguous, Layout::contiguous, 1, 1, "full"});
  many.name += " (many)";
  cases.push_back(many);
  for (uint32_t dtype : {ONC_F32, ONC_F64}) {
    for (const Problem& problem : problems()) cases.push_back(matmul_case(dtype, problem));
    // c is not read where beta is 0, so its NaN must not show.
    Case unread = matmul_case(dtype, {5, 7, 11, 0, Layout::contiguous, Layout::contiguous, Layout::contiguous, 2, 0, "full"});
    unread.name += " c NaN";
    unread.in[2].fill = list({NAN});
    cases.push_back(unread);
    Case nan = matmul_case(dtype, {6, 5, 4});
    nan.name += " NaN and infinity";
    nan.in[0].fill = list({1, 2, 3, 4, NAN, 1, 1, 1, INFINITY, 1, 1, 1, -INFINITY, INFINITY, 1, 1, 1, 1, 0, 0});
    nan.in[1].fill = list({1, 2, 3, 0, 1, 2});
    cases.push_back(nan);
    Case known = matmul_case(dtype, {2, 2, 3, 0, Layout::contiguous, Layout::contiguous, Layout::contiguous, 2, 10, "row"});
    known.name += " known";
    known.in[0].fill = list({1, 2, 3, 4, 5, 6});
    known.in[1].fill = list({1, 0, 0, 1, 1, 1});
    known.in[2].fill = list({7, 8, 7, 8});
    known.known = {{0, {78, 90, 90, 102}}};
    cases.push_back(known);
  }
}

}  // namespace oncilla::test
