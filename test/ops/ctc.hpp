// Samples of the CTC loss.
#pragma once

#include "ops/cases.hpp"

namespace oncilla::test {

struct CtcShape {
  int64_t steps, batch, classes, labels;
  std::vector<double> targets, input_lengths, target_lengths;  // repeated
  int64_t blank = 0;
  const char* what = "";
  Layout layout = Layout::contiguous;
};

// Labels stand again, side by side and apart; lengths vary, and some samples cannot be spelled in their steps.
inline const std::vector<CtcShape>& ctc_shapes() {
  static const std::vector<CtcShape> shapes = {
      {5, 3, 4, 2, {1, 2, 3, 3, 2, 1}, {5, 4, 5}, {2, 2, 1}},
      {7, 4, 5, 3, {1, 1, 2, 3, 4, 3, 2, 2, 2, 4, 1, 4}, {7, 6, 7, 5}, {3, 3, 3, 2}, 0, " repeated labels"},
      {7, 4, 5, 3, {1, 1, 2, 3, 0, 3, 2, 2, 2, 0, 1, 0}, {7, 6, 7, 5}, {3, 3, 3, 2}, 4, " blank 4"},
      {6, 3, 4, 3, {1, 2, 1}, {6, 0, 4}, {0, 0, 0}, 0, " empty targets"},
      {3, 4, 4, 3, {1, 2, 3, 1, 1, 1, 2, 2, 1, 3, 2, 1}, {3, 3, 3, 2}, {3, 2, 3, 3}, 0, " some infinite"},
      {4, 2, 3, 0, {}, {4, 3}, {0}, 1, " no labels"},
      {1, 2, 3, 1, {1, 2}, {1}, {1, 0}, 0, " one step"},
      {4, 3, 4, 2, {1, 4, 2, -1, 1, 2}, {4, 4, 5}, {2}, 0, " labels and lengths out of range"},
      {4, 2, 4, 3, {1, 0, 2, 0, 0, 3}, {4}, {3}, 0, " a label that is the blank"},
      {0, 2, 3, 1, {1, 2}, {0}, {1, 0}, 0, " no steps"},
      {4, 0, 3, 2, {}, {}, {}, 0, " no samples"},
      {9, 3, 7, 4, {1, 2, 6, 3, 5, 5, 4, 1, 6, 2, 6, 2}, {9, 8, 7}, {4, 3, 4}, 3, "", Layout::reversed},
      {9, 3, 7, 4, {1, 2, 6, 3, 5, 5, 4, 1, 6, 2, 6, 2}, {9, 8, 7}, {4, 3, 4}, 3, "", Layout::strided},
      {12, 2, 80, 5, {11, 70, 11, 3, 79, 5, 5, 5, 42, 1}, {12, 11}, {5, 4}, 0, ""},
  };
  return shapes;
}

Case ctc_case(uint32_t dtype, const CtcShape& shape);

// log-softmax of numbers, and two batches of samples over it, whose results are torch.nn.functional.ctc_loss's.
inline const std::vector<double> kCtcLogProb = {
    -2.182855466878769,  -0.43285546687876886, -1.432855466878769,  -0.4076059644443804, -1.4076059644443804, -2.4076059644443806,
    -0.4076059644443804, -1.4076059644443804,  -2.4076059644443806, -0.4076059644443804, -1.4076059644443804, -2.4076059644443806,
    -1.24843345474315,   -2.2484334547431497,  -0.4984334547431499, -1.24843345474315,   -2.2484334547431497, -0.4984334547431499,
    -1.24843345474315,   -2.2484334547431497,  -0.4984334547431499, -1.24843345474315,   -2.2484334547431497, -0.4984334547431499};
Case known_ctc_case(uint32_t dtype, size_t which);

}  // namespace oncilla::test
