// The interpreter of tapes.
#include "interpreter.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "plan.hpp"
#include "scalar_ops.hpp"

namespace oncilla::reference {
namespace {

bool is_reduce(uint16_t op) { return op >= ONC_EX_REDUCE_SUM && op <= ONC_EX_REDUCE_ARGMAX; }

// A reduction of one output element so far.
class Reduction {
 public:
  Reduction(uint16_t op, uint16_t operand_dtype) : op_(op), dtype_(operand_dtype) {
    if (op == ONC_EX_REDUCE_PROD) value_ = {.f = 1, .i = 1};
    if (op == ONC_EX_REDUCE_ALL) value_ = {.f = 1, .i = 1};
  }

  void add(Number x, int64_t position) {
    switch (op_) {
      case ONC_EX_REDUCE_SUM:
        value_.f += x.f;
        value_.i = wrap(static_cast<uint64_t>(value_.i) + static_cast<uint64_t>(x.i));
        break;
      case ONC_EX_REDUCE_PROD:
        value_.f *= x.f;
        value_.i = wrap(static_cast<uint64_t>(value_.i) * static_cast<uint64_t>(x.i));
        break;
      case ONC_EX_REDUCE_ANY:
        value_.i = value_.i || x.i;
        break;
      case ONC_EX_REDUCE_ALL:
        value_.i = value_.i && x.i;
        break;
      case ONC_EX_REDUCE_MIN:
      case ONC_EX_REDUCE_ARGMIN:
        take_if(is_float(dtype_) ? x.f < value_.f : x.i < value_.i, x, position);
        break;
      default:
        take_if(is_float(dtype_) ? x.f > value_.f : x.i > value_.i, x, position);
        break;
    }
  }

  Number result(uint16_t dtype) const {
    if (op_ == ONC_EX_REDUCE_ARGMIN || op_ == ONC_EX_REDUCE_ARGMAX) return {.i = position_};
    return {.f = round_float(value_.f, dtype), .i = value_.i};
  }

 private:
  int64_t wrap(uint64_t value) const { return is_float(dtype_) ? 0 : wrap_int(static_cast<int64_t>(value), dtype_); }

  // The first of equals stays; the first NaN wins.
  void take_if(bool better, Number x, int64_t position) {
    const bool nan = is_float(dtype_) && std::isnan(x.f), has_nan = is_float(dtype_) && std::isnan(value_.f);
    if (!started_ || (!has_nan && (better || nan))) {
      value_ = x;
      position_ = position;
      started_ = true;
    }
  }

  uint16_t op_, dtype_;
  Number value_;
  int64_t position_ = 0;
  bool started_ = false;
};

class Interpreter {
 public:
  Interpreter(const kit::Tape& tape, const kit::Dims& dims, const Leaves& leaves)
      : tape_(tape), dims_(dims), leaves_(leaves), after_(tape.insts.size()), values_(tape.insts.size()) {
    const size_t leading = dims.size() - tape.reduce_rank;
    outer_ = product(dims, 0, leading);
    inner_ = product(dims, leading, dims.size());
    for (size_t v = 0; v < tape.insts.size(); ++v) after_[v] = is_reduce(tape.insts[v].op) || uses_reduced(tape.insts[v]);
  }

  std::vector<std::vector<Number>> run() {
    std::vector<std::vector<Number>> results(tape_.outs.size());
    for (int64_t row = 0; row < outer_; ++row) {
      std::vector<Reduction> reductions = fresh_reductions();
      for (int64_t position = 0; position < inner_; ++position) {
        element_ = static_cast<uint64_t>(row * inner_ + position);
        for (size_t v = 0; v < after_.size(); ++v) {
          if (!after_[v]) values_[v] = evaluate(v);
        }
        for (size_t v = 0, r = 0; v < after_.size(); ++v) {
          if (is_reduce(tape_.insts[v].op)) reductions[r++].add(values_[tape_.insts[v].a], position);
        }
        for (size_t j = 0; j < results.size(); ++j) {
          if (!reduced_out(j)) results[j].push_back(values_[tape_.outs[j]]);
        }
      }
      if (inner_ == 0) evaluate_leaves();
      for (size_t v = 0, r = 0; v < after_.size(); ++v) {
        if (is_reduce(tape_.insts[v].op)) {
          values_[v] = reductions[r++].result(tape_.insts[v].dtype);
        } else if (after_[v]) {
          values_[v] = evaluate(v);
        }
      }
      for (size_t j = 0; j < results.size(); ++j) {
        if (reduced_out(j)) results[j].push_back(values_[tape_.outs[j]]);
      }
    }
    return results;
  }

 private:
  bool reduced_out(size_t j) const { return !leaves_.reduced_outs.empty() && leaves_.reduced_outs[j]; }

  bool uses_reduced(const onc_expr_inst& inst) const {
    const kit::Operands operands = kit::inst_operands(inst);
    return std::any_of(operands.begin(), operands.end(), [&](uint16_t v) { return after_[v]; });
  }

  std::vector<Reduction> fresh_reductions() const {
    std::vector<Reduction> reductions;
    for (const auto& inst : tape_.insts) {
      if (is_reduce(inst.op)) reductions.emplace_back(inst.op, tape_.insts[inst.a].dtype);
    }
    return reductions;
  }

  // Over nothing only constants and scalars have values, for the epilogue of a reduction.
  void evaluate_leaves() {
    for (size_t v = 0; v < after_.size(); ++v) {
      const uint16_t op = tape_.insts[v].op;
      const bool needs_element = op == ONC_EX_INPUT || op == ONC_EX_COORD || op == ONC_EX_PHILOX;
      values_[v] = after_[v] || needs_element ? Number{} : evaluate(v);
    }
  }

  int64_t coordinate(uint32_t dim) const {
    return static_cast<int64_t>(element_) / product(dims_, dim + 1, dims_.size()) % dims_[dim];
  }

  Number evaluate(size_t v) const {
    const onc_expr_inst& inst = tape_.insts[v];
    switch (inst.op) {
      case ONC_EX_INPUT:
        return convert(leaves_.load(inst.a, element_), leaves_.input_dtypes[inst.a], inst.dtype);
      case ONC_EX_GATHER:
        return gather(inst);
      case ONC_EX_CONST:
        return leaf(inst.imm, inst.dtype);
      case ONC_EX_SCALAR:
        return leaf(leaves_.scalars[inst.a], inst.dtype);
      case ONC_EX_TENSOR_SCALAR:
        return leaf(leaves_.tensor_scalars[inst.a], inst.dtype);
      case ONC_EX_COORD:
        return {.i = wrap_int(coordinate(inst.a), inst.dtype)};
      case ONC_EX_PHILOX:
        return {.i = philox(element_, static_cast<uint64_t>(leaves_.scalars[inst.b].i),
                            static_cast<uint64_t>(leaves_.scalars[inst.a].i), inst.c)};
      case ONC_EX_CAST:
        return convert(values_[inst.a], tape_.insts[inst.a].dtype, inst.dtype);
      case ONC_EX_WHERE:
        return values_[inst.a].i ? values_[inst.b] : values_[inst.c];
      default:
        return elementwise(inst);
    }
  }

  Number gather(const onc_expr_inst& inst) const {
    const int64_t position = values_[inst.b].i;
    if (position < 0 || static_cast<uint64_t>(position) >= leaves_.table_sizes[inst.a])
      return {.f = is_float(inst.dtype) ? std::numeric_limits<double>::quiet_NaN() : 0, .i = 0};
    return convert(leaves_.load(inst.a, static_cast<uint64_t>(position)), leaves_.input_dtypes[inst.a], inst.dtype);
  }

  static Number leaf(onc_scalar scalar, uint16_t dtype) {
    if (is_float(dtype)) return {.f = round_float(scalar.f, dtype)};
    return {.i = wrap_int(scalar.i, dtype)};
  }

  Number elementwise(const onc_expr_inst& inst) const {
    const uint32_t arity = kit::inst_arity(inst.op), operands = tape_.insts[inst.a].dtype;
    const Number a = values_[inst.a], b = arity > 1 ? values_[inst.b] : Number{}, c = arity > 2 ? values_[inst.c] : Number{};
    Number result;
    switch (operands) {
      case ONC_F32:
        result.f = scalar::evaluate_float<float>(inst.op, float(a.f), float(b.f), float(c.f));
        break;
      case ONC_F64:
        result.f = scalar::evaluate_float<double>(inst.op, a.f, b.f, c.f);
        break;
      case ONC_I32:
        result.i = scalar::evaluate_int<int32_t>(inst.op, int32_t(a.i), int32_t(b.i), int32_t(c.i));
        break;
      case ONC_I64:
        result.i = scalar::evaluate_int<int64_t>(inst.op, a.i, b.i, c.i);
        break;
      default:
        result.i = scalar::evaluate_int<int32_t>(inst.op, int32_t(a.i), int32_t(b.i), int32_t(c.i)) & 1;
        break;  // BOOL: the lowest bit
    }
    if (inst.dtype == ONC_BOOL && is_float(operands)) result.i = result.f != 0;
    return result;
  }

  const kit::Tape& tape_;
  const kit::Dims& dims_;
  const Leaves& leaves_;
  std::vector<bool> after_;  // depends on a reduction's result
  std::vector<Number> values_;
  int64_t outer_ = 1, inner_ = 1;
  uint64_t element_ = 0;
};

}  // namespace

uint32_t philox(uint64_t counter_low, uint64_t counter_high, uint64_t key, uint32_t word) {
  std::array<uint32_t, 4> x{uint32_t(counter_low), uint32_t(counter_low >> 32), uint32_t(counter_high),
                            uint32_t(counter_high >> 32)};
  std::array<uint32_t, 2> k{uint32_t(key), uint32_t(key >> 32)};
  for (int round = 0; round < 10; ++round) {
    const uint64_t p = uint64_t{0xD2511F53} * x[0], q = uint64_t{0xCD9E8D57} * x[2];
    x = {uint32_t(q >> 32) ^ x[1] ^ k[0], uint32_t(q), uint32_t(p >> 32) ^ x[3] ^ k[1], uint32_t(p)};
    k = {k[0] + 0x9E3779B9, k[1] + 0xBB67AE85};
  }
  return x[word];
}

std::vector<std::vector<Number>> interpret(const kit::Tape& tape, const kit::Dims& dims, const Leaves& leaves) {
  return Interpreter(tape, dims, leaves).run();
}

}  // namespace oncilla::reference
