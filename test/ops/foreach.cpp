// Cases of FOREACH: optimizer steps and list arithmetic.
#include "ops/foreach.hpp"

namespace oncilla::test {
namespace {

struct Lists {
  const char* name;
  std::vector<int64_t> sizes;
};

const std::vector<Lists>& lists() {
  static const std::vector<Lists> all = {
      {"one", {1}},
      {"odd", {5, 7, 11, 13}},
      {"with empty", {3, 0, 129, 1}},
      {"uneven", {70001, 1, 4097, 10}},
      {"many", std::vector<int64_t>(37, 33)},
  };
  return all;
}

// in_dtypes and out_dtypes: one a list. The tape has a scalar or more for each tensor where tensor_scalars is not empty.
Case foreach_case(const std::string& name, const Tape& tape, const Lists& sizes, const std::vector<uint32_t>& in_dtypes,
                  const std::vector<uint32_t>& out_dtypes, const Fill& fill = {}) {
  Case c;
  c.op = ONC_OP_FOREACH;
  c.name = "foreach/" + name + " " + dtype_name(in_dtypes.empty() ? out_dtypes[0] : in_dtypes[0]) + " " + sizes.name;
  c.set_tape(tape);
  c.n_tensors = static_cast<uint32_t>(sizes.sizes.size());
  for (uint32_t dtype : in_dtypes) {
    for (int64_t n : sizes.sizes) c.in.push_back(tensor(dtype, {n}, fill));
  }
  for (uint32_t dtype : out_dtypes) {
    for (int64_t n : sizes.sizes) c.out.push_back(tensor(dtype, {n}));
  }
  return c;
}

// Output list `out` is input list `in`.
void alias(Case& c, size_t out, size_t in) {
  for (size_t t = 0; t < c.n_tensors; ++t) c.aliases.push_back({out * c.n_tensors + t, in * c.n_tensors + t});
}

void sgd(Cases& cases, uint32_t dtype, const Lists& sizes, bool in_place) {
  Tape t;
  const uint32_t v = compute_dtype(dtype);
  const Value param = t.input(dtype), grad = t.input(dtype), buffer = t.input(dtype);
  const Value lr = t.scalar(v), momentum = t.scalar(v), decay = t.scalar(v);
  const Value g = grad + decay * param, m = momentum * buffer + g;
  t.output(param - lr * m);
  t.output(m);
  Case c = foreach_case(in_place ? "sgd in place" : "sgd", t, sizes, {dtype, dtype, dtype}, {dtype, dtype});
  c.scalars = {scalar(0.1), scalar(0.9), scalar(1e-2)};
  if (in_place) {
    alias(c, 0, 0);
    alias(c, 1, 2);
  }
  cases.push_back(c);
}

void adam(Cases& cases, uint32_t dtype, const Lists& sizes) {
  Tape t;
  const Value param = t.input(dtype), grad = t.input(dtype), m = t.input(dtype), v = t.input(dtype);
  const Value lr = t.scalar(dtype), beta1 = t.scalar(dtype), beta2 = t.scalar(dtype), eps = t.scalar(dtype);
  const Value step = t.tensor_scalar(dtype), root = t.tensor_scalar(dtype);  // bias corrections, one for each tensor
  const Value m1 = beta1 * m + (1.0 - beta1) * grad, v1 = beta2 * v + (1.0 - beta2) * grad * grad;
  t.output(param - lr * step * m1 / (sqrt(v1) * root + eps));
  t.output(m1);
  t.output(v1);
  Case c = foreach_case("adam in place", t, sizes, {dtype, dtype, dtype, dtype}, {dtype, dtype, dtype});
  for (size_t i = 0; i < c.n_tensors; ++i) c.in[3 * c.n_tensors + i].fill = Domain::positive;
  c.scalars = {scalar(1e-3), scalar(0.9), scalar(0.999), scalar(1e-8)};
  for (uint32_t i = 0; i < c.n_tensors; ++i) {
    c.scalars.push_back(scalar(1 + 0.25 * i));
    c.scalars.push_back(scalar(2 + 0.5 * i));
  }
  alias(c, 0, 0);
  alias(c, 1, 2);
  alias(c, 2, 3);
  cases.push_back(c);
}

void arithmetic(Cases& cases, uint32_t dtype, const Lists& sizes) {
  const uint32_t v = compute_dtype(dtype);
  {
    Tape t;
    const Value a = t.input(dtype), b = t.input(dtype);
    t.output(a * b + a);
    cases.push_back(foreach_case("mul add", t, sizes, {dtype, dtype}, {dtype}));
  }
  {  // a list of single elements against a list of tensors
    Tape t;
    const Value a = t.input(dtype), b = t.input(dtype);
    t.output(a * b);
    Case c = foreach_case("broadcast", t, sizes, {dtype, dtype}, {dtype});
    for (size_t i = 0; i < c.n_tensors; ++i) c.in[c.n_tensors + i].dims = {1};
    cases.push_back(c);
  }
  {  // values that each tensor has one of, beside a list in which some tensors have one element
    Tape t;
    const Value a = t.input(dtype), some = t.input(dtype), one = t.input(dtype), s = t.tensor_scalar(v);
    const Value twice = one + one, factor = where(lt(twice, s), twice + s, twice - s);
    t.output(a * factor + some);
    t.output(factor);
    Case c = foreach_case("one a tensor", t, sizes, {dtype, dtype, dtype}, {dtype, dtype});
    for (uint32_t i = 0; i < c.n_tensors; ++i) {
      if (i % 2 == 1) c.in[c.n_tensors + i].dims = {1};
      c.in[2 * c.n_tensors + i].dims = {1};
      c.scalars.push_back(is_float(v) ? scalar(0.5 * i - 1) : scalar_int(i));
    }
    cases.push_back(c);
  }
  {
    Tape t;
    t.output(is_float(v) ? t.constant(v, 0.5) : t.constant_int(v, 3));
    cases.push_back(foreach_case("fill", t, sizes, {}, {dtype}));
  }
  {
    Tape t;
    const Value a = t.input(dtype), s = t.tensor_scalar(v);
    t.output(a * s);
    Case c = foreach_case("tensor scalar", t, sizes, {dtype}, {dtype});
    for (uint32_t i = 0; i < c.n_tensors; ++i) c.scalars.push_back(is_float(v) ? scalar(0.5 * i - 1) : scalar_int(i));
    cases.push_back(c);
  }
}

}  // namespace

void cases_foreach(Cases& cases) {
  for (const Lists& sizes : lists()) {
    for (uint32_t dtype : {ONC_F32, ONC_F64}) {
      sgd(cases, dtype, sizes, false);
      sgd(cases, dtype, sizes, true);
      adam(cases, dtype, sizes);
    }
    for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_BF16, ONC_I32, ONC_I64}) arithmetic(cases, dtype, sizes);
    Tape t;  // copies with a cast
    const Value a = t.input(ONC_F32);
    t.output(a);
    t.output(a);
    t.output(a);
    Case c = foreach_case("copy to float16, bfloat16, int32", t, sizes, {ONC_F32}, {ONC_F16, ONC_BF16, ONC_I32}, Domain::percent);
    c.tolerance = Tolerance::exact;
    cases.push_back(c);
  }
  optimizer_cases(cases);
}

}  // namespace oncilla::test
