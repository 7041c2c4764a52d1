// The samples of a CTC loss: labels with blanks between them, and the sums over paths in logarithms.
#pragma once

#include <cmath>
#include <initializer_list>
#include <limits>

#include "plan.hpp"

namespace oncilla::reference {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

inline double log_sum(std::initializer_list<double> terms) {
  double top = -kInfinity, sum = 0, plain = 0;
  for (double term : terms) {
    top = std::max(top, term);
    plain += term;
  }
  if (top == -kInfinity) return plain;  // minus infinity, or NaN
  for (double term : terms) sum += std::exp(term - top);
  return top + std::log(sum);
}

struct CtcSamples {
  std::vector<double> log_prob;
  std::vector<int64_t> target, input_length, target_length;
  int64_t steps, batch, classes, labels, width, blank;

  // first: the number of the input log_prob; targets and lengths follow it.
  CtcSamples(const Call& call, size_t first)
      : log_prob(call.read(first)),
        target(call.read_int(first + 1)),
        input_length(call.read_int(first + 2)),
        target_length(call.read_int(first + 3)) {
    const kit::Dims& dims = call.desc().input(first).dims;
    steps = dims[0];
    batch = dims[1];
    classes = dims[2];
    labels = call.desc().input(first + 1).dims[1];
    width = 2 * labels + 1;
    blank = call.desc().attributes<onc_ctc_attrs>().blank;
  }

  double lp(int64_t t, int64_t n, int64_t c) const { return log_prob[static_cast<size_t>((t * batch + n) * classes + c)]; }
  int64_t input(int64_t n) const { return input_length[static_cast<size_t>(n)]; }
  int64_t length(int64_t n) const { return target_length[static_cast<size_t>(n)]; }
  // The symbol at position s of the labels with blanks around them.
  int64_t symbol(int64_t n, int64_t s) const { return s % 2 == 0 ? blank : target[static_cast<size_t>(n * labels + s / 2)]; }
  // A path may come to position s from s - 2.
  bool skips(int64_t n, int64_t s) const { return s >= 2 && symbol(n, s) != symbol(n, s - 2); }

  bool valid(int64_t n) const {
    if (input(n) < 0 || input(n) > steps || length(n) < 0 || length(n) > labels) return false;
    for (int64_t s = 0; s < 2 * length(n) + 1; ++s) {
      if (symbol(n, s) < 0 || symbol(n, s) >= classes) return false;
    }
    return true;
  }

  // Fills alpha(t, s), which holds minus infinity, and gives the loss.
  template <class Alpha>
  double forward(int64_t n, Alpha&& alpha) const {
    const int64_t end = 2 * length(n);  // the last position
    if (input(n) == 0) return length(n) == 0 ? 0 : kInfinity;
    for (int64_t t = 0; t < input(n); ++t) {
      for (int64_t s = 0; s <= end; ++s) {
        double before = s <= 1 ? 0 : -kInfinity;
        if (t > 0)
          before =
              log_sum({alpha(t - 1, s), s >= 1 ? alpha(t - 1, s - 1) : -kInfinity, skips(n, s) ? alpha(t - 1, s - 2) : -kInfinity});
        alpha(t, s) = before + lp(t, n, symbol(n, s));
      }
    }
    const int64_t last = input(n) - 1;
    return -log_sum({alpha(last, end), end >= 1 ? alpha(last, end - 1) : -kInfinity});
  }

  // Fills beta(t, s), the probability of the rest of the labels from position s at step t on, both included.
  template <class Beta>
  void backward(int64_t n, Beta&& beta) const {
    const int64_t end = 2 * length(n);
    for (int64_t t = input(n) - 1; t >= 0; --t) {
      for (int64_t s = 0; s <= end; ++s) {
        double after = s >= end - 1 ? 0 : -kInfinity;
        if (t < input(n) - 1)
          after = log_sum({beta(t + 1, s), s + 1 <= end ? beta(t + 1, s + 1) : -kInfinity,
                           s + 2 <= end && skips(n, s + 2) ? beta(t + 1, s + 2) : -kInfinity});
        beta(t, s) = after + lp(t, n, symbol(n, s));
      }
    }
  }
};

}  // namespace oncilla::reference
