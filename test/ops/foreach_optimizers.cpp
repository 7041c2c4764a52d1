// Optimizer steps over lists, with results worked out here number by number from the papers' and PyTorch's pseudocode. Two tensors
// of 5 and 7 elements; every step is in place, as training does it.
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "core/optimizers.hpp"
#include "ops/foreach.hpp"

namespace oncilla::test {
namespace {

using Numbers = std::vector<double>;
const std::vector<int64_t> kSizes = {5, 7};
constexpr size_t kElements = 12;

// One list: its elements through both tensors.
struct List {
  std::string name;
  Numbers values;
};

Numbers numbers(uint64_t seed, double low, double step) {
  Numbers values;
  for (size_t i = 0; i < kElements; ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    values.push_back(low + step * static_cast<double>(seed >> 40 & 63));
  }
  return values;
}
Numbers parameters() { return numbers(1, -2, 0.0625); }
Numbers gradients() { return numbers(2, -1, 0.03125); }
Numbers state() { return numbers(3, -0.5, 0.015625); }
Numbers squares() { return numbers(4, 0.0625, 0.03125); }

// Builds the case while its tape is written. Lists come first, then outputs over lists, each with its known values.
class StepCase {
 public:
  StepCase(const std::string& name, uint32_t dtype) : dtype_(dtype) {
    case_.op = ONC_OP_FOREACH;
    case_.name = "foreach/" + name + " " + dtype_name(dtype);
    case_.n_tensors = static_cast<uint32_t>(kSizes.size());
  }
  Value list(const Numbers& values) {
    size_t at = 0;
    for (const int64_t n : kSizes) {
      case_.in.push_back(tensor(
          dtype_, {n},
          oncilla::test::list({values.begin() + static_cast<ptrdiff_t>(at), values.begin() + static_cast<ptrdiff_t>(at) + n})));
      at += static_cast<size_t>(n);
    }
    ++lists_;
    return tape_.input(dtype_);
  }
  // One element a tensor, which broadcasts.
  Value single(const Numbers& values) {
    for (const double value : values) case_.in.push_back(tensor(dtype_, {1}, oncilla::test::list({value})));
    ++lists_;
    return tape_.input(dtype_);
  }
  Value number(double value) {
    case_.scalars.push_back(scalar(value));
    return tape_.scalar(dtype_);
  }
  Value per_tensor(const Numbers& values) {
    per_tensor_ = values;
    return tape_.tensor_scalar(dtype_);
  }
  // over: the list that it replaces; -1: memory of its own.
  void store(Value value, int over, const Numbers& known) {
    const size_t n = kSizes.size();
    size_t at = 0;
    for (size_t t = 0; t < n; ++t) {
      const size_t out = case_.out.size();
      case_.out.push_back(tensor(dtype_, {kSizes[t]}));
      if (over >= 0) case_.aliases.push_back({out, static_cast<size_t>(over) * n + t});
      case_.known.push_back(
          {out, {known.begin() + static_cast<ptrdiff_t>(at), known.begin() + static_cast<ptrdiff_t>(at) + kSizes[t]}});
      at += static_cast<size_t>(kSizes[t]);
    }
    tape_.output(value);
  }
  void finish(Cases& cases) {
    case_.set_tape(tape_);
    for (const double value : per_tensor_) case_.scalars.push_back(scalar(value));
    cases.push_back(case_);
  }

 private:
  uint32_t dtype_;
  Tape tape_;
  Case case_;
  Numbers per_tensor_;
  int lists_ = 0;
};

// f(i) for every element.
Numbers each(const std::function<double(size_t)>& f) {
  Numbers values;
  for (size_t i = 0; i < kElements; ++i) values.push_back(f(i));
  return values;
}

void sgd_cases(Cases& cases, uint32_t dtype) {
  const Numbers p = parameters(), g = gradients(), b = state();
  struct Kind {
    const char* name;
    bool momentum, nesterov, first, maximize;
  };
  for (const Kind k : {Kind{"plain", false, false, false, false}, Kind{"maximize", false, false, false, true},
                       Kind{"momentum", true, false, false, false}, Kind{"first momentum", true, false, true, false},
                       Kind{"nesterov", true, true, false, false}}) {
    StepCase c(std::string("sgd ") + k.name, dtype);
    const Value param = c.list(p), grad = c.list(g), buffer = k.momentum ? c.list(b) : Value();
    SgdRule rule{c.number(0.1), c.number(0.01), {}, {}, k.nesterov, k.first};
    if (k.momentum) rule.momentum = c.number(0.9), rule.rest = c.number(0.75);
    const SgdStep step = sgd_step(rule, param, k.maximize ? maximized(grad) : grad, buffer);
    const auto decayed = [&](size_t i) { return (k.maximize ? -g[i] : g[i]) + 0.01 * p[i]; };
    const auto velocity = [&](size_t i) { return k.first ? decayed(i) : 0.9 * b[i] + 0.75 * decayed(i); };
    c.store(step.parameter, 0, each([&](size_t i) {
              const double way = !k.momentum ? decayed(i) : k.nesterov ? decayed(i) + 0.9 * velocity(i) : velocity(i);
              return p[i] - 0.1 * way;
            }));
    if (k.momentum) c.store(step.buffer, 2, each(velocity));
    c.finish(cases);
  }
}

void adam_cases(Cases& cases, uint32_t dtype) {
  const Numbers p = parameters(), g = gradients(), m = state(), v = squares(), top = numbers(9, 0.25, 0.03125);
  const Numbers steps = {1, 10};
  struct Kind {
    const char* name;
    bool decoupled, amsgrad;
  };
  for (const Kind k : {Kind{"adam", false, false}, Kind{"adam amsgrad", false, true}, Kind{"adamw", true, false}}) {
    StepCase c(k.name, dtype);
    const Value param = c.list(p), grad = c.list(g), average = c.list(m), square = c.list(v),
                peak = k.amsgrad ? c.list(top) : Value();
    AdamRule rule{c.number(0.01),
                  c.number(0.999),
                  c.number(1 - 0.9),
                  c.number(1 - 0.999),
                  c.number(std::log(0.9)),
                  c.number(std::log(0.999)),
                  c.number(1e-8),
                  c.number(0.1),
                  c.per_tensor(steps),
                  k.decoupled,
                  k.amsgrad};
    const AdamStep step = adam_step(rule, param, grad, average, square, peak);
    const auto decayed = [&](size_t i) { return k.decoupled ? g[i] : g[i] + 0.1 * p[i]; };
    const auto first = [&](size_t i) { return 0.9 * m[i] + 0.1 * decayed(i); };
    const auto second = [&](size_t i) { return 0.999 * v[i] + 0.001 * decayed(i) * decayed(i); };
    const auto largest = [&](size_t i) { return k.amsgrad ? std::max(top[i], second(i)) : second(i); };
    c.store(step.parameter, 0, each([&](size_t i) {
              const double t = steps[i < 5 ? 0 : 1], start = k.decoupled ? p[i] * (1 - 0.01 * 0.1) : p[i];
              const double m_hat = first(i) / (1 - std::pow(0.9, t)), v_hat = largest(i) / (1 - std::pow(0.999, t));
              return start - 0.01 * m_hat / (std::sqrt(v_hat) + 1e-8);
            }));
    c.store(step.average, 2, each(first));
    c.store(step.square, 3, each(second));
    if (k.amsgrad) c.store(step.peak, 4, each(largest));
    c.finish(cases);
  }
}

void other_cases(Cases& cases, uint32_t dtype) {
  const Numbers p = parameters(), g = gradients(), s = squares(), a = numbers(7, -0.125, 0.00390625), b = state();
  const auto decayed = [&](size_t i) { return g[i] + 0.01 * p[i]; };
  for (const bool full : {false, true}) {  // RMSprop: plain; centered with momentum
    StepCase c(full ? "rmsprop centered momentum" : "rmsprop", dtype);
    const Value param = c.list(p), grad = c.list(g), square = c.list(s), average = full ? c.list(a) : Value(),
                buffer = full ? c.list(b) : Value();
    RmsPropRule rule{c.number(0.01), c.number(0.9), c.number(1 - 0.9), c.number(1e-8), c.number(0.01), {}, full};
    if (full) rule.momentum = c.number(0.5);
    const RmsPropStep step = rmsprop_step(rule, param, grad, square, average, buffer);
    const auto second = [&](size_t i) { return 0.9 * s[i] + 0.1 * decayed(i) * decayed(i); };
    const auto mean = [&](size_t i) { return 0.9 * a[i] + 0.1 * decayed(i); };
    const auto way = [&](size_t i) {
      const double direction = decayed(i) / (std::sqrt(second(i) - (full ? mean(i) * mean(i) : 0)) + 1e-8);
      return full ? 0.5 * b[i] + direction : direction;
    };
    c.store(step.parameter, 0, each([&](size_t i) { return p[i] - 0.01 * way(i); }));
    c.store(step.square, 2, each(second));
    if (full) c.store(step.average, 3, each(mean)), c.store(step.buffer, 4, each(way));
    c.finish(cases);
  }
  {
    StepCase c("adagrad", dtype);
    const Value param = c.list(p), grad = c.list(g), sum = c.list(s), rate = c.number(0.1 / 1.5);
    const AdagradStep step = adagrad_step(rate, c.number(0.01), c.number(1e-10), param, grad, sum);
    const auto total = [&](size_t i) { return s[i] + decayed(i) * decayed(i); };
    c.store(step.parameter, 0, each([&](size_t i) { return p[i] - 0.1 / 1.5 * decayed(i) / (std::sqrt(total(i)) + 1e-10); }));
    c.store(step.sum, 2, each(total));
    c.finish(cases);
  }
  {
    StepCase c("adadelta", dtype);
    const Numbers d = numbers(8, 0.0625, 0.015625);
    const Value param = c.list(p), grad = c.list(g), square = c.list(s), delta = c.list(d);
    const AdadeltaRule rule{c.number(0.5), c.number(0.9), c.number(1 - 0.9), c.number(1e-6), c.number(0.01)};
    const AdadeltaStep step = adadelta_step(rule, param, grad, square, delta);
    const auto second = [&](size_t i) { return 0.9 * s[i] + 0.1 * decayed(i) * decayed(i); };
    const auto way = [&](size_t i) { return std::sqrt(d[i] + 1e-6) / std::sqrt(second(i) + 1e-6) * decayed(i); };
    c.store(step.parameter, 0, each([&](size_t i) { return p[i] - 0.5 * way(i); }));
    c.store(step.square, 2, each(second));
    c.store(step.delta, 3, each([&](size_t i) { return 0.9 * d[i] + 0.1 * way(i) * way(i); }));
    c.finish(cases);
  }
}

void lamb_cases(Cases& cases, uint32_t dtype) {
  const Numbers p = parameters(), g = gradients(), m = state(), v = squares();
  const Numbers steps = {1, 3};
  StepCase c("lamb direction", dtype);
  const Value param = c.list(p), grad = c.list(g), average = c.list(m), square = c.list(v);
  const AdamRule rule{{},
                      c.number(0.999),
                      c.number(1 - 0.9),
                      c.number(1 - 0.999),
                      c.number(std::log(0.9)),
                      c.number(std::log(0.999)),
                      c.number(1e-6),
                      c.number(0.01),
                      c.per_tensor(steps)};
  const LambDirection step = lamb_direction(rule, param, grad, average, square);
  const auto first = [&](size_t i) { return 0.9 * m[i] + 0.1 * g[i]; };
  const auto second = [&](size_t i) { return 0.999 * v[i] + 0.001 * g[i] * g[i]; };
  c.store(step.direction, -1, each([&](size_t i) {
            const double t = steps[i < 5 ? 0 : 1];
            return first(i) / (1 - std::pow(0.9, t)) / (std::sqrt(second(i) / (1 - std::pow(0.999, t))) + 1e-6) + 0.01 * p[i];
          }));
  c.store(step.average, 2, each(first));
  c.store(step.square, 3, each(second));
  c.finish(cases);

  for (const Numbers& norms : {Numbers{3, 0.5}, Numbers{0, 2}}) {  // of the parameters; updates: 1.5 and 0.25
    StepCase d("lamb step " + std::to_string(norms[0]), dtype);
    const Value x = d.list(p), u = d.list(g), x_norm = d.single(norms), u_norm = d.single({1.5, 0.25});
    d.store(lamb_step(d.number(0.1), x, u, x_norm, u_norm), 0, each([&](size_t i) {
              const size_t t = i < 5 ? 0 : 1;
              const double trust = norms[t] > 0 ? norms[t] / (t == 0 ? 1.5 : 0.25) : 1;
              return p[i] - 0.1 * trust * g[i];
            }));
    d.finish(cases);
  }
}

void scaling_cases(Cases& cases, uint32_t dtype) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  Numbers g = gradients();
  const Numbers p = parameters();
  g[3] = nan, g[4] = inf, g[7] = -inf;
  {
    StepCase c("clip by value", dtype);
    const Value grad = c.list(g);
    c.store(clipped(grad, c.number(-0.25), c.number(0.5)), 0,
            each([&](size_t i) { return std::isnan(g[i]) ? nan : std::fmin(std::fmax(g[i], -0.25), 0.5); }));
    c.finish(cases);
  }
  for (const double found : {0.0, 1.0}) {  // the gradients are unscaled either way; the step is left out
    StepCase c("unscale, step unless found " + std::to_string(static_cast<int>(found)), dtype);
    const Value param = c.list(p), grad = c.list(g), flag = c.single({found, found}), scale = c.number(0.125);
    const Value plain = unscaled(grad, scale);
    c.store(unless_found(flag, param - plain, param), 0, each([&](size_t i) { return found != 0 ? p[i] : p[i] - g[i] / 8; }));
    c.store(plain, 1, each([&](size_t i) { return g[i] / 8; }));
    c.finish(cases);
  }
  const auto over_norms = [&](const std::string& name, const Tape& tape, const Numbers& norms, std::vector<onc_scalar> scalars) {
    Case c;
    c.op = ONC_OP_EXPR;
    c.name = "expr/" + name + " " + dtype_name(dtype);
    c.set_tape(tape);
    c.dims = {static_cast<int64_t>(norms.size())};
    c.reduce_rank = 1;
    c.in = {tensor(dtype, c.dims, list(norms))};
    c.scalars = std::move(scalars);
    return c;
  };
  for (const Numbers& norms : {Numbers{3, 4}, Numbers{0.3, 0.4}, Numbers{0, 0}}) {
    Case c = over_norms("clip by norm " + std::to_string(norms[0]), clip_norm_tape(dtype), norms, {scalar(2)});
    const double total = std::hypot(norms[0], norms[1]);
    c.out = {tensor(dtype, {}), tensor(dtype, {})};
    c.known = {{0, {std::min(1.0, 2 / (total + 1e-6))}}, {1, {total}}};
    cases.push_back(c);
  }
  const std::vector<std::pair<Numbers, double>> found = {{{1, 2, 0}, 0}, {{1, inf, 0}, 1}, {{1, 2, nan}, 1}};
  for (const auto& [norms, expected] : found) {
    Case c = over_norms("found_inf " + std::to_string(norms[1]) + " " + std::to_string(norms[2]), found_inf_tape(dtype), norms, {});
    c.out = {tensor(ONC_F32, {})};
    c.known = {{0, {expected}}};
    cases.push_back(c);
  }
}

}  // namespace

void optimizer_cases(Cases& cases) {
  for (const uint32_t dtype : {ONC_F32, ONC_F64}) {
    sgd_cases(cases, dtype);
    adam_cases(cases, dtype);
    other_cases(cases, dtype);
    lamb_cases(cases, dtype);
    scaling_cases(cases, dtype);
  }
}

}  // namespace oncilla::test
