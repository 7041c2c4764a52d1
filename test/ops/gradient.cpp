// Gradients by central differences: d/dx_k of sum(cotangent * forward(x)) = (L(x + h e_k) - L(x - h e_k)) / 2h, in float64.
#include <cmath>
#include <cstring>

#include "ops/harness.hpp"
#include "ops/planned.hpp"

namespace oncilla::test {
namespace {

constexpr double kStep = 1e-6;
// The quotient's error is about step^2 from the third derivative and 1e-16 / step from rounding, each times the sum's size.
constexpr double kRelative = 1e-5, kAbsolute = 1e-6;
constexpr int64_t kMostElements = 400;

double element(const Elements& elements, size_t i) {
  double value;
  std::memcpy(&value, elements.data() + i * sizeof value, sizeof value);
  return value;
}

// The input of a backward that is the gradient of the forward's output 0: the first floating one (SCATTER has none to begin with,
// and an index before it).
size_t cotangent_of(const Case& c) {
  size_t i = 0;
  while (c.in[i].dtype == 0 || !is_float(c.in[i].dtype)) ++i;
  return i;
}

double loss(const Case& forward, const std::vector<Elements>& inputs, const Elements& cotangent, Bench& reference) {
  const Elements y = expected_of(forward, inputs, reference)[0];
  double sum = 0;
  for (size_t i = 0; i < y.size() / sizeof(double); ++i) sum += element(y, i) * element(cotangent, i);
  return sum;
}

std::string check_one(const Case& c, Bench& reference, size_t wrt, size_t out) {
  const std::vector<Elements> backward_in = inputs_of(c, reference);
  const Elements& cotangent = backward_in[cotangent_of(c)];
  const Elements gradient = expected_of(c, backward_in, reference)[out];
  std::vector<Elements> x = inputs_of(*c.forward, reference);
  for (size_t k = 0; k < gradient.size() / sizeof(double); ++k) {
    const double at = element(x[wrt], k), above = at + kStep, below = at - kStep;
    std::memcpy(x[wrt].data() + k * sizeof at, &above, sizeof at);
    const double up = loss(*c.forward, x, cotangent, reference);
    std::memcpy(x[wrt].data() + k * sizeof at, &below, sizeof at);
    const double down = loss(*c.forward, x, cotangent, reference);
    std::memcpy(x[wrt].data() + k * sizeof at, &at, sizeof at);
    const double numeric = (up - down) / (above - below), analytic = element(gradient, k);
    if (!(std::fabs(numeric - analytic) <= kAbsolute + kRelative * std::fabs(numeric))) {
      return "output " + std::to_string(out) + (out < c.labels.size() ? " (" + c.labels[out] + ")" : "") + ", element " +
             std::to_string(k) + ": the backward gives " + std::to_string(analytic) + ", the finite difference of the forward " +
             std::to_string(numeric);
    }
  }
  return "";
}

}  // namespace

std::optional<Result> check_gradients(const Case& c, Bench& reference) {
  if (!c.forward || c.gradients.empty() || c.in[cotangent_of(c)].dtype != ONC_F64) return std::nullopt;
  for (const auto& [wrt, out] : c.gradients) {
    if (c.out[out].numel() == 0 || c.out[out].numel() > kMostElements || c.forward->out[0].numel() > 4 * kMostElements)
      return std::nullopt;
  }
  Result result{.name = c.name, .variant = "finite differences", .message = {}};
  const double begin = now();
  try {
    for (const auto& [wrt, out] : c.gradients) {
      if (result.message.empty()) result.message = check_one(c, reference, wrt, out);
    }
  } catch (const Error& error) {
    result.message = error.what();
  }
  if (!result.message.empty()) result.state = Result::State::failed;
  result.seconds = now() - begin;
  return result;
}

}  // namespace oncilla::test
