// What the class losses share: which targets count and with what weight, and how the rows' losses become one.
#pragma once

#include <limits>

#include "channels.hpp"

namespace oncilla::reference {

inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The targets of a loss over [N, C, ...]; row (n, i) is flat n * inner + i.
struct Targets {
  Channels channels;
  std::vector<int64_t> target;
  std::vector<double> weight;  // empty: all 1
  onc_loss_attrs attrs;

  size_t rows() const { return target.size(); }
  bool ignored(size_t row) const { return target[row] == attrs.ignore_index; }
  bool valid(size_t row) const { return target[row] >= 0 && target[row] < static_cast<int64_t>(channels.count); }
  double class_weight(size_t c) const { return weight.empty() ? 1 : weight[c]; }
  double weight_of(size_t row) const { return class_weight(static_cast<size_t>(target[row])); }
  // How much the loss of class c, were it the target, counts in the row's: 1 for the target, unless labels are smoothed.
  double share(size_t row, size_t c) const {
    const double hard = static_cast<int64_t>(c) == target[row] ? class_weight(c) : 0;
    return (1 - attrs.label_smoothing) * hard + attrs.label_smoothing / static_cast<double>(channels.count) * class_weight(c);
  }
  size_t position(size_t row, size_t c) const { return channels.position(row / channels.inner, c, row % channels.inner); }

  // NaN for a target that names no class.
  template <class Loss>
  double row_loss(size_t row, Loss&& loss) const {
    if (ignored(row)) return 0;
    if (!valid(row)) return kNan;
    if (attrs.label_smoothing == 0) return weight_of(row) * loss(row, static_cast<size_t>(target[row]));
    double sum = 0;
    for (size_t c = 0; c < channels.count; ++c) sum += share(row, c) * loss(row, c);
    return sum;
  }

  // Of the targets that count, whatever the reduction; one that names no class weighs NaN.
  double total_weight() const {
    double total = 0;
    for (size_t row = 0; row < rows(); ++row) {
      if (!ignored(row)) total += valid(row) ? weight_of(row) : kNan;
    }
    return total;
  }

  // The op's loss output from loss(row, class), the unweighted loss of a row if that were its class.
  template <class Loss>
  std::vector<double> reduce(Loss&& loss) const {
    std::vector<double> losses;
    double sum = 0;
    for (size_t row = 0; row < rows(); ++row) {
      losses.push_back(row_loss(row, loss));
      sum += losses.back();
    }
    if (attrs.reduction == ONC_REDUCTION_NONE) return losses;
    return {attrs.reduction == ONC_REDUCTION_MEAN ? sum / total_weight() : sum};
  }

  // d loss / d (loss of the row), given the gradient of the loss; 0 for an ignored row, NaN for an invalid one.
  double row_grad(size_t row, const std::vector<double>& grad_loss, double total) const {
    if (ignored(row)) return 0;
    if (!valid(row)) return kNan;
    if (attrs.reduction == ONC_REDUCTION_NONE) return grad_loss[row];
    return grad_loss[0] / (attrs.reduction == ONC_REDUCTION_MEAN ? total : 1);
  }
};

}  // namespace oncilla::reference
