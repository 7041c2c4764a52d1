// The composites of the core: each has results computed here in plain C++ from the definition, since the tape and its oracle share
// the text under test. Gradients of the cells are checked against differences of the cell written out in double.
#include <cmath>
#include <complex>
#include <functional>
#include <limits>
#include <numeric>

#include "core/complex.hpp"
#include "core/indexing.hpp"
#include "core/recurrent.hpp"
#include "core/statistics.hpp"
#include "ops/expr.hpp"

namespace oncilla::test {
namespace {

constexpr Layout C = Layout::contiguous;
constexpr double kInf = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();
using Numbers = std::vector<double>;

// Sixteenths between -2 and 2, which every floating dtype holds.
Numbers draw_numbers(size_t n, uint64_t seed) {
  Numbers values;
  for (size_t i = 0; i < n; ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    values.push_back(static_cast<double>(static_cast<int64_t>(seed >> 33) % 33) / 16);
  }
  return values;
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

// ---- recurrent cells

constexpr int64_t kN = 5, kH = 7;
constexpr size_t kCell = kN * kH;

// A cell in plain form: parts[p][i] is element i of tensor p; gives hy, then the rest.
using Cell = std::function<std::vector<double>(const std::vector<Numbers>& parts, size_t i)>;

std::vector<double> lstm(const std::vector<Numbers>& x, size_t i) {
  const double in = logistic(x[0][i]), forget = logistic(x[1][i]), cell = std::tanh(x[2][i]), out = logistic(x[3][i]);
  const double cy = forget * x[4][i] + in * cell;
  return {out * std::tanh(cy), cy, in, forget, cell, out};
}

// Sums of x and h: parts 0-2 and 3-5; hx: 6.
std::vector<double> gru(const std::vector<Numbers>& x, size_t i) {
  const double reset = logistic(x[0][i] + x[3][i]), update = logistic(x[1][i] + x[4][i]),
               fresh = std::tanh(x[2][i] + reset * x[5][i]);
  return {(1 - update) * fresh + update * x[6][i], reset, update, fresh, x[6][i], x[5][i]};
}

// Sum of grad[o] * outputs[o] by differences with respect to part p of element i.
double slope(const Cell& cell, std::vector<Numbers> parts, size_t p, size_t i, const Numbers& grad) {
  constexpr double h = 1e-4;
  const auto value = [&](double by) {
    parts[p][i] += by;
    const std::vector<double> y = cell(parts, i);
    parts[p][i] -= by;
    double sum = 0;
    for (size_t o = 0; o < grad.size(); ++o) sum += grad[o] * y[o];
    return sum;
  };
  return (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h);
}

Tensor cell_tensor(uint32_t dtype, const Numbers& values) { return tensor(dtype, {kN, kH}, list(values), Layout::padded); }
Tensor bias_tensor(uint32_t dtype, const Numbers& row) {
  Tensor t = tensor(dtype, {kN, kH}, list(row), C, 1);
  return t;
}

// Adds what the plain cell gives as known results of outputs.
void know(Case& c, const std::vector<Numbers>& outputs) {
  for (size_t o = 0; o < outputs.size(); ++o) {
    c.known.push_back({o, outputs[o]});
    c.out[o].layout = o % 2 == 0 ? Layout::padded : C;
  }
}

void forward_case(Cases& cases, const std::string& name, uint32_t dtype, const Tape& tape, size_t gates, bool bias,
                  const Cell& plain) {
  Case c = expr_case(name + (bias ? " with bias " : " ") + dtype_name(dtype), tape, {kN, kH});
  std::vector<Numbers> products(2 * gates), sums(2 * gates);
  for (size_t p = 0; p < 2 * gates; ++p) {
    products[p] = draw_numbers(kCell, 11 + p);
    sums[p] = products[p];
    c.in.push_back(cell_tensor(dtype, products[p]));
  }
  for (size_t p = 0; bias && p < 2 * gates; ++p) {
    // Fills repeat their list, which a broadcast row reads along its one row only.
    const Numbers row = draw_numbers(kH, 31 + p);
    for (size_t i = 0; i < kCell; ++i) sums[p][i] += row[i % kH];
    Numbers whole;
    for (int64_t n = 0; n < kN; ++n) whole.insert(whole.end(), row.begin(), row.end());
    c.in.push_back(bias_tensor(dtype, whole));
  }
  const Numbers state = draw_numbers(kCell, 5);
  c.in.push_back(cell_tensor(dtype, state));
  std::vector<Numbers> parts = sums;
  if (gates == 4) {  // LSTM adds both products, gate by gate
    parts.assign(4, Numbers(kCell));
    for (size_t g = 0; g < 4; ++g) {
      for (size_t i = 0; i < kCell; ++i) parts[g][i] = sums[g][i] + sums[4 + g][i];
    }
  }
  parts.push_back(state);
  std::vector<Numbers> outputs(6);
  for (size_t i = 0; i < kCell; ++i) {
    const std::vector<double> y = plain(parts, i);
    for (size_t o = 0; o < 6; ++o) outputs[o].push_back(y[o]);
  }
  c.out.assign(6, tensor(dtype, {kN, kH}));
  know(c, outputs);
  cases.push_back(c);
}

// The saved tensors are given as a forward of this dtype left them; known gradients need the exact ones, so float32 and up.
void lstm_grad_case(Cases& cases, uint32_t dtype, bool has_hy, bool has_cy) {
  const std::string name = std::string("lstm_cell_grad ") + (has_hy ? "hy " : "") + (has_cy ? "cy " : "") + dtype_name(dtype);
  Case c = expr_case(name, lstm_grad_tape(dtype, has_hy, has_cy), {kN, kH});
  std::vector<Numbers> parts;
  for (size_t p = 0; p < 5; ++p) parts.push_back(draw_numbers(kCell, 51 + p));
  const Numbers grad_hy = draw_numbers(kCell, 61), grad_cy = draw_numbers(kCell, 62);
  std::vector<Numbers> saved(6), outputs(5);
  for (size_t i = 0; i < kCell; ++i) {
    const std::vector<double> y = lstm(parts, i);
    for (size_t o = 0; o < 6; ++o) saved[o].push_back(y[o]);
    for (size_t p = 0; p < 5; ++p)
      outputs[p].push_back(slope(lstm, parts, p, i, {has_hy ? grad_hy[i] : 0, has_cy ? grad_cy[i] : 0}));
  }
  if (has_hy) c.in.push_back(cell_tensor(dtype, grad_hy));
  if (has_cy) c.in.push_back(cell_tensor(dtype, grad_cy));
  for (size_t o = 2; o < 6; ++o) c.in.push_back(cell_tensor(dtype, saved[o]));
  c.in.push_back(cell_tensor(dtype, parts[4]));
  c.in.push_back(cell_tensor(dtype, saved[1]));
  c.out.assign(5, tensor(dtype, {kN, kH}));
  know(c, outputs);
  cases.push_back(c);
}

// The step of an LSTM layer, whose products were added to one another before.
void lstm_sums_case(Cases& cases, uint32_t dtype) {
  Case c = expr_case(std::string("lstm_sums ") + dtype_name(dtype), lstm_sums_tape(dtype), {kN, kH});
  std::vector<Numbers> parts;
  for (size_t p = 0; p < 5; ++p) {
    parts.push_back(draw_numbers(kCell, 51 + p));
    c.in.push_back(cell_tensor(dtype, parts[p]));
  }
  std::vector<Numbers> outputs(6);
  for (size_t i = 0; i < kCell; ++i) {
    const std::vector<double> y = lstm(parts, i);
    for (size_t o = 0; o < 6; ++o) outputs[o].push_back(y[o]);
  }
  c.out.assign(6, tensor(dtype, {kN, kH}));
  know(c, outputs);
  cases.push_back(c);
}

void gru_grad_case(Cases& cases, uint32_t dtype) {
  Case c = expr_case(std::string("gru_cell_grad ") + dtype_name(dtype), gru_grad_tape(dtype), {kN, kH});
  std::vector<Numbers> parts;
  for (size_t p = 0; p < 7; ++p) parts.push_back(draw_numbers(kCell, 71 + p));
  const Numbers grad = draw_numbers(kCell, 81);
  std::vector<Numbers> saved(6), outputs(7);
  for (size_t i = 0; i < kCell; ++i) {
    const std::vector<double> y = gru(parts, i);
    for (size_t o = 0; o < 6; ++o) saved[o].push_back(y[o]);
    for (size_t p = 0; p < 7; ++p) outputs[p].push_back(slope(gru, parts, p, i, {grad[i]}));
  }
  c.in.push_back(cell_tensor(dtype, grad));
  for (size_t o = 1; o < 6; ++o) c.in.push_back(cell_tensor(dtype, saved[o]));
  c.out.assign(7, tensor(dtype, {kN, kH}));
  know(c, outputs);
  cases.push_back(c);
}

void recurrent_cases(Cases& cases) {
  for (const uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16}) {
    forward_case(cases, "lstm_cell", dtype, lstm_tape(dtype, true), 4, true, lstm);
    forward_case(cases, "gru_cell", dtype, gru_tape(dtype, true), 3, true, gru);
    lstm_sums_case(cases, dtype);
    if (dtype == ONC_F16) continue;
    gru_grad_case(cases, dtype);
    lstm_grad_case(cases, dtype, true, true);
  }
  forward_case(cases, "lstm_cell", ONC_F32, lstm_tape(ONC_F32, false), 4, false, lstm);
  forward_case(cases, "gru_cell", ONC_F32, gru_tape(ONC_F32, false), 3, false, gru);
  lstm_grad_case(cases, ONC_F32, true, false);
  lstm_grad_case(cases, ONC_F32, false, true);
}

// ---- statistics

void statistics_cases(Cases& cases) {
  struct Row {
    const char* name;
    Numbers x;
  };
  const std::vector<Row> rows = {{"numbers", {3, -4, 0, 1, -1}},
                                 {"with NaN", {3, kNan, 0, -7, kNan}},
                                 {"only NaN", {kNan, kNan, kNan, kNan, kNan}},
                                 {"infinite", {kInf, 1, -kInf, 0, 2}}};
  for (const uint32_t dtype : {ONC_F32, ONC_F64}) {
    Tape t;
    const Value x = t.input(dtype);
    const std::vector<Value> values = {count_nonzero(x), nan_sum(x), nan_count(x), nan_mean(x),  nan_min(x),  nan_max(x),
                                       norm_0(x),        norm_1(x),  norm_2(x),    norm_p(x, 3), norm_max(x), norm_min(x)};
    for (const Value value : values) t.output(value);
    Case c = expr_case(std::string("statistics ") + dtype_name(dtype), t, {static_cast<int64_t>(rows.size()), 5}, 1);
    Numbers all;
    std::vector<Numbers> known(values.size());
    for (const Row& row : rows) {
      all.insert(all.end(), row.x.begin(), row.x.end());
      double sum = 0, one = 0, two = 0, three = 0, most = 0, least = kInf, low = kInf, high = -kInf, nonzero = 0, numbers = 0;
      bool has_nan = false;
      for (const double v : row.x) {
        nonzero += v != 0;
        has_nan = has_nan || std::isnan(v);
        if (!std::isnan(v)) {
          numbers += 1, sum += v;
          low = std::min(low, v), high = std::max(high, v);
        }
        one += std::fabs(v), two += v * v, three += std::pow(std::fabs(v), 3);
        most = std::max(most, std::fabs(v)), least = std::min(least, std::fabs(v));
      }
      const Numbers result = {nonzero, sum, numbers,        sum / numbers,    numbers == 0 ? kNan : low, numbers == 0 ? kNan : high,
                              nonzero, one, std::sqrt(two), std::cbrt(three), has_nan ? kNan : most,     has_nan ? kNan : least};
      for (size_t k = 0; k < result.size(); ++k) known[k].push_back(result[k]);
    }
    c.in = {tensor(dtype, c.dims, list(all), Layout::padded)};
    for (size_t k = 0; k < values.size(); ++k) {
      c.out.push_back(tensor(k == 0 || k == 2 ? uint32_t{ONC_I64} : dtype, {static_cast<int64_t>(rows.size())}));
      c.known.push_back({k, known[k]});
    }
    cases.push_back(c);

    // The second passes: logsumexp about the largest, variance about the mean.
    Tape s;
    const Value y = s.input(dtype), largest = s.input(dtype), mean = s.input(dtype), divisor = s.scalar(dtype);
    s.output(log_sum_exp(y, largest));
    s.output(variance(y, mean, divisor));
    Case d = expr_case(std::string("logsumexp, variance ") + dtype_name(dtype), s, {5, 3}, 1);
    const Numbers data = {1000, 1001, 1002, -1000, -1001, -1002, -kInf, -kInf, -kInf, kInf, 0, -kInf, 1, kNan, 2};
    const Numbers tops = {1002, -1000, -kInf, kInf, kNan}, means = {1001, -1001, -kInf, kNan, kNan};
    Numbers top_rows, mean_rows;
    for (size_t r = 0; r < 5; ++r) {
      top_rows.insert(top_rows.end(), 3, tops[r]);
      mean_rows.insert(mean_rows.end(), 3, means[r]);
    }
    const double base = std::log(1 + std::exp(-1.0) + std::exp(-2.0));
    d.in = {tensor(dtype, {5, 3}, list(data)), tensor(dtype, {5, 3}, list(top_rows), C, 2),
            tensor(dtype, {5, 3}, list(mean_rows), C, 2)};
    d.out = {tensor(dtype, {5}), tensor(dtype, {5})};
    d.scalars = {scalar(2)};
    d.known = {{0, {1002 + base, -1000 + base, -kInf, kInf, kNan}}, {1, {1, 1, kNan, kNan, kNan}}};
    cases.push_back(d);
  }
  Tape t;  // of integers and booleans
  t.output(count_nonzero(t.input(ONC_I32)));
  t.output(count_nonzero(t.input(ONC_BOOL)));
  Case c = expr_case("count_nonzero of int32 and bool", t, {2, 3}, 1);
  c.in = {tensor(ONC_I32, {2, 3}, list({0, -5, 7, 0, 0, 0})), tensor(ONC_BOOL, {2, 3}, list({1, 0, 0, 1, 1, 1}))};
  c.out = {tensor(ONC_I64, {2}), tensor(ONC_I64, {2})};
  c.known = {{0, {2, 0}}, {1, {1, 3}}};
  cases.push_back(c);
}

// ---- complex numbers

void complex_cases(Cases& cases) {
  using Number = std::complex<double>;
  const std::vector<Number> as = {{1, 2}, {-3, 0.5}, {0, 0}, {1e30, -1e30}, {2, -2}, {1, 0}, {-0.25, 4}};
  const std::vector<Number> bs = {{3, -1}, {0.5, 4}, {2, 1}, {1e30, 1e30}, {0, 2}, {-4, 0}, {1e-3, 1e-3}};
  for (const uint32_t dtype : {ONC_F32, ONC_F64}) {
    Tape t;
    const ComplexValue a{t.input(dtype), t.input(dtype)}, b{t.input(dtype), t.input(dtype)};
    for (const ComplexValue v : {add(a, b), sub(a, b), mul(a, b), div(a, b), conj(a)}) {
      t.output(v.re);
      t.output(v.im);
    }
    Case c = expr_case(std::string("complex ") + dtype_name(dtype), t, {7});
    std::vector<Numbers> in(4), out(10);
    for (size_t i = 0; i < as.size(); ++i) {
      // The product of the large ones passes float32; in float64 it does not, so each has its own factor.
      const Number x = as[i], y = i == 3 ? bs[i] * 1e-20 : bs[i];
      const Number results[] = {x + y, x - y, x * y, x / y, std::conj(x)};
      const double parts[] = {x.real(), x.imag(), y.real(), y.imag()};
      for (size_t p = 0; p < 4; ++p) in[p].push_back(parts[p]);
      for (size_t r = 0; r < 5; ++r) {
        out[2 * r].push_back(results[r].real());
        out[2 * r + 1].push_back(results[r].imag());
      }
    }
    for (size_t p = 0; p < 4; ++p) c.in.push_back(tensor(dtype, {7}, list(in[p]), Layout::strided));
    for (size_t r = 0; r < 10; ++r) {
      c.out.push_back(tensor(dtype, {7}, {}, r < 5 ? Layout::strided : C));
      if (r / 2 != 2) c.known.push_back({r, out[r]});
    }
    // A product may cancel; the expected one is rounded like ours where it does not.
    for (size_t r : {4, 5}) c.known.push_back({r, {out[r].begin(), out[r].begin() + 3}});
    cases.push_back(c);
  }
}

// ---- indexing

int64_t product_of(const Dims& dims) { return std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>()); }

Numbers counting(int64_t n) {
  Numbers values(static_cast<size_t>(n));
  std::iota(values.begin(), values.end(), 0.0);
  return values;
}

// The expected values by a walk over the output's coordinates; where gives the flat position in x, or -1.
Numbers walk(const Dims& dims, const std::function<int64_t(const Dims& at)>& where) {
  Numbers values;
  Dims at(dims.size(), 0);
  for (int64_t i = 0; i < product_of(dims); ++i) {
    int64_t rest = i;
    for (size_t d = dims.size(); d-- > 0;) at[d] = rest % dims[d], rest /= dims[d];
    const int64_t from = where(at);
    values.push_back(from < 0 ? kNan : static_cast<double>(from));
  }
  return values;
}

Case index_case(const std::string& name, const IndexTape& made, int64_t numel, std::vector<Tensor> indices, Numbers known) {
  Case c = expr_case(name, made.tape, made.dims);
  c.in = {tensor(ONC_F32, {numel}, list(counting(numel)))};
  c.in.insert(c.in.end(), indices.begin(), indices.end());
  c.out = {tensor(ONC_F32, made.dims)};
  c.scalars = made.scalars;
  c.known = {{0, std::move(known)}};
  return c;
}

void indexing_cases(Cases& cases) {
  const Dims x = {3, 5, 4};
  for (uint32_t axis = 0; axis < 3; ++axis) {
    // -1 counts from the end in one tape and is outside in the other; 9 always is.
    const Numbers picks = {1, 0, -1, 2, 9};
    for (const bool wrap : {false, true}) {
      const IndexTape made = index_select(ONC_F32, x, axis, 5, wrap);
      Numbers flat;
      for (int64_t i = 0; i < product_of(made.dims); ++i) flat.push_back(picks[static_cast<size_t>(i / made.dims[2] % 5)]);
      Numbers known = walk(made.dims, [&](const Dims& at) {
        int64_t k = static_cast<int64_t>(picks[static_cast<size_t>(at[1])]);
        if (wrap && k < 0) k += x[axis];
        return k < 0 || k >= x[axis] ? -1 : (at[0] * x[axis] + k) * made.dims[2] + at[2];
      });
      cases.push_back(index_case("index_select axis " + std::to_string(axis) + (wrap ? " wrapping" : ""), made, 60,
                                 {tensor(ONC_I64, made.dims, list(flat), C, 5)}, std::move(known)));
    }
    Dims index = {2, 3, 3};
    index[axis] = 7;
    Numbers picks_of(static_cast<size_t>(product_of(index)));
    for (size_t i = 0; i < picks_of.size(); ++i) picks_of[i] = static_cast<double>(i * 7 % static_cast<size_t>(x[axis] + 1));
    const IndexTape made = gather(ONC_F32, x, axis, index);
    Numbers known = walk(index, [&](const Dims& at) {
      Dims from = at;
      from[axis] = static_cast<int64_t>(picks_of[static_cast<size_t>((at[0] * index[1] + at[1]) * index[2] + at[2])]);
      return from[axis] >= x[axis] ? -1 : (from[0] * x[1] + from[1]) * x[2] + from[2];
    });
    cases.push_back(
        index_case("gather axis " + std::to_string(axis), made, 60, {tensor(ONC_I64, index, list(picks_of))}, std::move(known)));
  }
  {
    const Dims space = {2, 3};
    const IndexTape made = index_tensors(ONC_F32, x, 2, space);
    const Numbers rows = {2, -1}, columns = {0, 4, -5};
    Numbers row_fill, column_fill;
    for (size_t i = 0; i < 24; ++i) row_fill.push_back(rows[i / 12]), column_fill.push_back(columns[i / 4 % 3]);
    Numbers known = walk(made.dims, [&](const Dims& at) {
      const int64_t r = at[0] == 0 ? 2 : 2, c = at[1] == 1 ? 4 : 0;
      return (r * 5 + c) * 4 + at[2];
    });
    cases.push_back(index_case(
        "two index tensors as a composite", made, 60,
        {tensor(ONC_I64, {2, 3, 4}, list(row_fill), C, 6), tensor(ONC_I64, {2, 3, 4}, list(column_fill), C, 5)}, std::move(known)));
  }
  for (const uint32_t axes : {0u, 1u, 5u, 7u}) {
    Numbers known = walk(x, [&](const Dims& at) {
      Dims from = at;
      for (size_t d = 0; d < 3; ++d) from[d] = (axes >> d & 1) != 0 ? x[d] - 1 - at[d] : at[d];
      return (from[0] * x[1] + from[1]) * x[2] + from[2];
    });
    cases.push_back(index_case("flip dims " + std::to_string(axes), flip(ONC_F32, x, axes), 60, {}, std::move(known)));
  }
  for (const Dims& shifts : {Dims{1, 0, 0}, Dims{-1, 7, 2}, Dims{0, -13, 400}}) {
    Numbers known = walk(x, [&](const Dims& at) {
      Dims from = at;
      for (size_t d = 0; d < 3; ++d) from[d] = ((at[d] - shifts[d]) % x[d] + x[d]) % x[d];
      return (from[0] * x[1] + from[1]) * x[2] + from[2];
    });
    cases.push_back(
        index_case("roll by " + std::to_string(shifts[0]) + " " + std::to_string(shifts[1]) + " " + std::to_string(shifts[2]),
                   roll(ONC_F32, x, shifts), 60, {}, std::move(known)));
  }
  for (const bool upper : {false, true}) {
    for (const int64_t k : {-2, 0, 3}) {
      const IndexTape made = triangle(ONC_F32, Dims{2, 4, 6}, k, upper);
      Case c = expr_case(std::string(upper ? "triu " : "tril ") + std::to_string(k), made.tape, made.dims);
      Numbers data = counting(48), known;
      for (double& v : data) v += 1;
      for (int64_t i = 0; i < 48; ++i) {
        const int64_t below = i % 6 - i / 6 % 4;
        known.push_back((upper ? below >= k : below <= k) ? static_cast<double>(i + 1) : 0);
      }
      c.in = {tensor(ONC_F32, made.dims, list(data), Layout::reversed)};
      c.out = {tensor(ONC_F32, made.dims)};
      c.scalars = made.scalars;
      c.known = {{0, known}};
      cases.push_back(c);
    }
  }
  Case hot = expr_case("one_hot of a class outside", one_hot(2), {3, 4});
  hot.in = {tensor(ONC_I64, {3, 4}, list({2, 2, 2, 2, 0, 0, 0, 0, 4, 4, 4, 4}), C, 2)};
  hot.out = {tensor(ONC_I64, {3, 4})};
  hot.known = {{0, {0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0}}};
  cases.push_back(hot);
}

}  // namespace

void composite_cases(Cases& cases) {
  recurrent_cases(cases);
  statistics_cases(cases);
  complex_cases(cases);
  indexing_cases(cases);
}

}  // namespace oncilla::test
