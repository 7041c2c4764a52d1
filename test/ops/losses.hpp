// Shapes and targets of the class losses.
#pragma once

#include "ops/cases.hpp"

namespace oncilla::test {

struct LossShape {
  Dims dims;  // [N, C, ...]
  Layout layout;
  Dims rows() const {
    Dims rows = dims;
    rows.erase(rows.begin() + 1);
    return rows;
  }
};

inline const LossShape kLossShapes[] = {
    {{1, 1}, Layout::contiguous},     {{5, 7}, Layout::contiguous},       {{64, 10}, Layout::contiguous},
    {{13, 11}, Layout::padded},       {{13, 11}, Layout::strided},        {{13, 11}, Layout::reversed},
    {{2, 5, 7}, Layout::contiguous},  {{2, 3, 5, 4}, Layout::contiguous}, {{2, 3, 5, 4}, Layout::channels_last},
    {{3, 1003}, Layout::contiguous},  {{1030, 3}, Layout::contiguous},    {{0, 5}, Layout::contiguous},
    {{4, 6, 33}, Layout::contiguous},
};

enum class TargetKind { plain, ignored, all_ignored, invalid };
inline const char* target_name(TargetKind kind) {
  return kind == TargetKind::plain         ? ""
         : kind == TargetKind::ignored     ? " some ignored"
         : kind == TargetKind::all_ignored ? " all ignored"
                                           : " one invalid";
}
inline const char* reduction_name(uint32_t reduction) {
  return reduction == ONC_REDUCTION_NONE ? " none" : reduction == ONC_REDUCTION_MEAN ? " mean" : " sum";
}

// What a loss case varies in.
struct LossKind {
  uint32_t reduction;
  bool weighted;
  TargetKind targets;
};

// Halves are stored and computed in float32, and what the backward reads again is float32.
inline bool is_half(uint32_t dtype) { return dtype == ONC_F16 || dtype == ONC_BF16; }
inline uint32_t saved_dtype(uint32_t dtype) { return is_half(dtype) ? uint32_t{ONC_F32} : dtype; }

inline std::vector<LossKind> loss_kinds() {
  return {{ONC_REDUCTION_NONE, false, TargetKind::plain},  {ONC_REDUCTION_MEAN, false, TargetKind::plain},
          {ONC_REDUCTION_SUM, false, TargetKind::plain},   {ONC_REDUCTION_NONE, true, TargetKind::ignored},
          {ONC_REDUCTION_MEAN, true, TargetKind::ignored}, {ONC_REDUCTION_SUM, true, TargetKind::ignored}};
}

// The kinds that one shape is enough for.
inline std::vector<LossKind> rare_loss_kinds() {
  return {{ONC_REDUCTION_NONE, true, TargetKind::all_ignored}, {ONC_REDUCTION_MEAN, false, TargetKind::all_ignored},
          {ONC_REDUCTION_SUM, false, TargetKind::all_ignored}, {ONC_REDUCTION_NONE, false, TargetKind::invalid},
          {ONC_REDUCTION_MEAN, true, TargetKind::invalid},     {ONC_REDUCTION_SUM, false, TargetKind::invalid}};
}

inline constexpr int64_t kIgnored = -100;

// Targets, weight, attributes, loss and total_weight, as nll_loss and cross_entropy have them.
inline Case loss_case(uint32_t op, uint32_t dtype, const LossShape& shape, const LossKind& kind) {
  Case c;
  c.op = op;
  c.name = std::string(op_name(op)) + "/" + dtype_name(dtype) + " " + dims_name(shape.dims) + " " + layout_name(shape.layout) +
           reduction_name(kind.reduction) + (kind.weighted ? " weighted" : "") + target_name(kind.targets);
  onc_loss_attrs attrs{};
  attrs.reduction = kind.reduction;
  attrs.ignore_index = kIgnored;
  c.set_attrs(attrs);
  const int64_t classes = shape.dims[1];
  Fill targets = index_below(classes);
  if (kind.targets != TargetKind::plain) {
    std::vector<double> values;
    for (int i = 0; i < 23; ++i)
      values.push_back(kind.targets == TargetKind::all_ignored || (i % 4 == 1) ? kIgnored : double(i * 5 % classes));
    if (kind.targets == TargetKind::invalid) values[2] = double(classes);
    targets = list(values);
  }
  const Dims rows = shape.rows();
  c.in = {tensor(dtype, shape.dims, Domain::any, shape.layout), tensor(ONC_I64, rows, targets),
          kind.weighted ? tensor(dtype, {classes}, Domain::positive) : absent()};
  c.out = {tensor(dtype, kind.reduction == ONC_REDUCTION_NONE ? rows : Dims{}), tensor(saved_dtype(dtype), {})};
  c.labels = {"loss", "total_weight"};
  return c;
}

// CROSS_ENTROPY with its third output.
inline Case cross_entropy_case(uint32_t dtype, const LossShape& shape, const LossKind& kind, double label_smoothing = 0) {
  Case c = loss_case(ONC_OP_CROSS_ENTROPY, dtype, shape, kind);
  c.out.push_back(tensor(saved_dtype(dtype), shape.rows()));
  c.labels.push_back("lse");
  if (label_smoothing != 0) {
    onc_loss_attrs attrs{};
    attrs.reduction = kind.reduction;
    attrs.ignore_index = kIgnored;
    attrs.label_smoothing = label_smoothing;
    c.set_attrs(attrs);
    c.name += label_smoothing == 1 ? " only smoothing" : " smoothing";
  }
  return c;
}

// The shapes and kinds that halves run: every variant, few programs.
inline const size_t kHalfLossShapes[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12};
inline std::vector<LossKind> half_loss_kinds() {
  return {{ONC_REDUCTION_NONE, true, TargetKind::ignored}, {ONC_REDUCTION_MEAN, false, TargetKind::plain}};
}

}  // namespace oncilla::test
