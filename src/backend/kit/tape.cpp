// Validation of tapes: after it, every index of an instruction is in range, operands come before their use, dtypes agree, and
// reductions are used as attrs.h says, so that a plugin may translate instruction by instruction without a check of its own.
#include <limits>
#include <string_view>

#include "kit/desc.hpp"

namespace oncilla::kit {
namespace {

constexpr uint32_t kMaxInsts = 65535;    // value numbers are 16 bits
constexpr uint32_t kMaxScalars = 65535;  // scalar numbers are 16 bits
constexpr uint32_t kMaxOuts = 64;
constexpr uint32_t kMaxTensors = 1 << 20;

// What a row of elementwise.def says, or what attrs.h says of the other instructions.
struct InstRow {
  const char* name = nullptr;
  uint32_t arity = 0;
  bool elementwise = false, boolean = false, floating = false, integer = false;
};

InstRow inst_row(uint32_t op) {
  switch (op) {
    case ONC_EX_INPUT:
      return {"input", 0};
    case ONC_EX_CONST:
      return {"const", 0};
    case ONC_EX_SCALAR:
      return {"scalar", 0};
    case ONC_EX_COORD:
      return {"coord", 0};
    case ONC_EX_PHILOX:
      return {"philox", 0};
    case ONC_EX_CAST:
      return {"cast", 1};
    case ONC_EX_WHERE:
      return {"where", 3};
    case ONC_EX_GATHER:
      return {"gather", 1};
    case ONC_EX_TENSOR_SCALAR:
      return {"tensor_scalar", 0};
    case ONC_EX_REDUCE_SUM:
      return {"reduce_sum", 1};
    case ONC_EX_REDUCE_PROD:
      return {"reduce_prod", 1};
    case ONC_EX_REDUCE_MIN:
      return {"reduce_min", 1};
    case ONC_EX_REDUCE_MAX:
      return {"reduce_max", 1};
    case ONC_EX_REDUCE_ANY:
      return {"reduce_any", 1};
    case ONC_EX_REDUCE_ALL:
      return {"reduce_all", 1};
    case ONC_EX_REDUCE_ARGMIN:
      return {"reduce_argmin", 1};
    case ONC_EX_REDUCE_ARGMAX:
      return {"reduce_argmax", 1};
// A column that reads NONE refuses the kind of operand.
#define ONC_EW(number, NAME, name, arity, result, F, I, ...) \
  case number:                                               \
    return {#name,                                           \
            arity,                                           \
            true,                                            \
            std::string_view(#result) == "boolean",          \
            std::string_view(#F) != "NONE",                  \
            std::string_view(#I) != "NONE"};
#include "oncilla/elementwise.def"
#undef ONC_EW
    default:
      return {};
  }
}

bool takes_bool(uint32_t op) {
  switch (op) {
    case ONC_EX_EQ:
    case ONC_EX_NE:
    case ONC_EX_LOGICAL_AND:
    case ONC_EX_LOGICAL_OR:
    case ONC_EX_LOGICAL_XOR:
    case ONC_EX_LOGICAL_NOT:
    case ONC_EX_BIT_AND:
    case ONC_EX_BIT_OR:
    case ONC_EX_BIT_XOR:
      return true;
    default:
      return false;
  }
}

bool is_value_dtype(uint32_t dtype) {
  return dtype == ONC_F32 || dtype == ONC_F64 || dtype == ONC_I32 || dtype == ONC_I64 || dtype == ONC_BOOL;
}

bool is_reduction(uint32_t op) { return op >= ONC_EX_REDUCE_SUM && op <= ONC_EX_REDUCE_ARGMAX; }

// "[expr] instruction 4 (add): " in messages.
struct Where {
  const char* op;
  size_t index;
  const char* name;
};
std::ostream& operator<<(std::ostream& out, const Where& w) {
  return out << "[" << w.op << "] instruction " << w.index << " (" << w.name << "): ";
}

// Walks the instructions in order. The tape's sizes, and the dims of the inputs, are checked before.
class Walk {
 public:
  Walk(Tape& tape, const OpDesc& desc, uint32_t n_inputs)
      : tape_(tape),
        desc_(desc),
        foreach_(desc.op == ONC_OP_FOREACH),
        n_inputs_(n_inputs),
        scalar_kinds_(tape.n_scalars),
        tensor_scalar_kinds_(tape.n_tensor_scalars) {
    for (uint32_t d = tape.rank - tape.reduce_rank; d < tape.dims.size(); ++d) reduces_nothing_ |= tape.dims[d] == 0;
  }

  void run() {
    for (size_t i = 0; i < tape_.insts.size(); ++i) check(i);
  }

 private:
  void check(size_t index) {
    const onc_expr_inst& inst = tape_.insts[index];
    const InstRow row = inst_row(inst.op);
    require(row.name != nullptr, "[", desc_.name(), "] instruction ", index, " has the unknown opcode ", inst.op);
    const Where at{desc_.name(), index, row.name};
    require(is_value_dtype(inst.dtype), at, "dtype ", inst.dtype, " (", dtype_name(inst.dtype),
            ") is no value dtype: float32, float64, int32, int64 and bool are");
    require(inst.reserved == 0, at, "reserved is ", inst.reserved, ", not 0");
    const Operands operands = inst_operands(inst);
    for (uint32_t k = 0; k < operands.count; ++k)
      require(operands.values[k] < index, at, "operand ", (inst.op == ONC_EX_GATHER ? "b" : "abc")[k], " is value ",
              operands.values[k], ", which does not come before it");

    if (row.elementwise) {
      check_elementwise(at, inst, row);
    } else if (is_reduction(inst.op)) {
      check_reduction(at, inst);
    } else {
      check_structural(at, inst);
    }
    place(at, inst, operands);
  }

  void check_elementwise(const Where& at, const onc_expr_inst& inst, const InstRow& row) const {
    const uint32_t dtype = dtype_of(inst.a);
    const uint16_t operands[] = {inst.a, inst.b, inst.c};
    for (uint32_t k = 1; k < row.arity; ++k) {
      const uint32_t other = dtype_of(operands[k]);
      require(other == dtype, at, "operands are ", dtype_name(dtype), " and ", dtype_name(other));
    }
    const uint32_t result = row.boolean ? static_cast<uint32_t>(ONC_BOOL) : dtype;
    require(inst.dtype == result, at, "result is ", dtype_name(inst.dtype), ", but must be ", dtype_name(result));
    if (dtype == ONC_BOOL) {
      require(takes_bool(inst.op), at, "does not take bool operands");
    } else if (dtype_kind(dtype) == 'f') {
      require(row.floating, at, "does not take floating operands (", dtype_name(dtype), ")");
    } else {
      require(row.integer, at, "does not take integer operands (", dtype_name(dtype), ")");
    }
  }

  void check_reduction(const Where& at, const onc_expr_inst& inst) const {
    require(!foreach_, at, "foreach has no reductions");
    require(tape_.reduce_rank > 0, at, "the tape has reduce_rank 0");
    const uint32_t dtype = dtype_of(inst.a);
    const bool any_all = inst.op == ONC_EX_REDUCE_ANY || inst.op == ONC_EX_REDUCE_ALL;
    const bool arg = inst.op == ONC_EX_REDUCE_ARGMIN || inst.op == ONC_EX_REDUCE_ARGMAX;
    const bool has_identity = any_all || inst.op == ONC_EX_REDUCE_SUM || inst.op == ONC_EX_REDUCE_PROD;
    const uint32_t result = arg ? static_cast<uint32_t>(ONC_I64) : dtype;
    require(!any_all || dtype == ONC_BOOL, at, "takes bool, not ", dtype_name(dtype));
    require(any_all || dtype != ONC_BOOL, at, "does not take bool operands");
    require(inst.dtype == result, at, "result is ", dtype_name(inst.dtype), ", but must be ", dtype_name(result));
    require(has_identity || !reduces_nothing_, at, "has no value over nothing: the last ", tape_.reduce_rank, " dims of ",
            to_string(tape_.dims), " are empty");
    require(!tape_.reduced[inst.a], at, "value ", inst.a, " is reduced already");
  }

  void check_structural(const Where& at, const onc_expr_inst& inst) {
    const bool floating = dtype_kind(inst.dtype) == 'f';
    switch (inst.op) {
      case ONC_EX_INPUT:
        require(inst.a < n_inputs_, at, "there is no input ", inst.a, ": there are ", n_inputs_);
        return require(!tape_.is_table(inst.a), at, "input ", inst.a, " is a table, which gather alone reads");
      case ONC_EX_GATHER:
        return check_gather(at, inst);
      case ONC_EX_CONST:
        require(inst.dtype != ONC_BOOL || inst.imm.i == 0 || inst.imm.i == 1, at, "a bool is 0 or 1, not ", inst.imm.i);
        return require(inst.dtype != ONC_I32 || inst.imm.i == static_cast<int32_t>(inst.imm.i), at, inst.imm.i, " is no int32");
      case ONC_EX_SCALAR:
        require(inst.a < tape_.n_scalars, at, "there is no scalar ", inst.a, ": there are ", tape_.n_scalars);
        return read_scalar(at, scalar_kinds_, inst.a, floating);
      case ONC_EX_TENSOR_SCALAR:
        require(foreach_, at, "only foreach has scalars of a tensor");
        require(inst.a < tape_.n_tensor_scalars, at, "there is no tensor scalar ", inst.a, ": there are ", tape_.n_tensor_scalars);
        return read_scalar(at, tensor_scalar_kinds_, inst.a, floating);
      case ONC_EX_COORD:
        require(!foreach_, at, "foreach has no coordinates");
        require(inst.a < tape_.rank, at, "there is no dim ", inst.a, ": the rank is ", tape_.rank);
        return require(inst.dtype == ONC_I32 || inst.dtype == ONC_I64, at, "result is ", dtype_name(inst.dtype),
                       ", but must be int32 or int64");
      case ONC_EX_PHILOX:
        require(!foreach_, at, "foreach draws no random numbers");
        require(inst.a < tape_.n_scalars, at, "there is no scalar ", inst.a, " (key): there are ", tape_.n_scalars);
        require(inst.b < tape_.n_scalars, at, "there is no scalar ", inst.b, " (counter): there are ", tape_.n_scalars);
        require(inst.c < 4, at, "there is no output word ", inst.c, ": there are 4");
        require(inst.dtype == ONC_I64, at, "result is ", dtype_name(inst.dtype), ", but must be int64");
        read_scalar(at, scalar_kinds_, inst.a, false);
        return read_scalar(at, scalar_kinds_, inst.b, false);
      case ONC_EX_WHERE:
        require(dtype_of(inst.a) == ONC_BOOL, at, "the condition is ", dtype_name(dtype_of(inst.a)), ", not bool");
        require(dtype_of(inst.b) == inst.dtype, at, "b is ", dtype_name(dtype_of(inst.b)), ", but the result ",
                dtype_name(inst.dtype));
        return require(dtype_of(inst.c) == inst.dtype, at, "c is ", dtype_name(dtype_of(inst.c)), ", but the result ",
                       dtype_name(inst.dtype));
      default:
        return;  // CAST: from any value dtype to any
    }
  }

  void check_gather(const Where& at, const onc_expr_inst& inst) const {
    require(!foreach_, at, "foreach reads no tables");
    require(inst.a < n_inputs_, at, "there is no input ", inst.a, ": there are ", n_inputs_);
    const Tensor& table = desc_.input(inst.a);
    require(table.rank() == 1, at, "the table, input ", inst.a, ", is ", table, ", not one-dimensional");
    require(table.contiguous(), at, "the table, input ", inst.a, ", is ", table, " with stride ", table.strides[0],
            ", not contiguous");
    const uint32_t position = dtype_of(inst.b);
    require(position == ONC_I32 || position == ONC_I64, at, "the position, value ", inst.b, ", is ", dtype_name(position),
            ", not int32 or int64");
  }

  // A scalar is one union: it cannot be a double here and an integer there.
  static void read_scalar(const Where& at, std::vector<char>& kinds, uint32_t number, bool floating) {
    const char kind = floating ? 'f' : 'i';
    require(kinds[number] == 0 || kinds[number] == kind, at, "scalar ", number, " is read both as floating and as integer");
    kinds[number] = kind;
  }

  // Decides on which side of a reduction the value lives.
  void place(const Where& at, const onc_expr_inst& inst, const Operands& operands) {
    bool reduced = is_reduction(inst.op), both = !reduced;
    if (inst.op == ONC_EX_INPUT) both = constant_over_reduced(inst.a);
    if (inst.op == ONC_EX_COORD || inst.op == ONC_EX_PHILOX) both = false;
    if (!is_reduction(inst.op)) {
      bool full = false;
      for (const uint16_t v : operands) {
        reduced = reduced || tape_.reduced[v];
        full = full || (!tape_.reduced[v] && !tape_.both[v]);
      }
      require(!(full && reduced), at, "combines a reduced value with a full one");
      both = both && !full && !reduced;
    }
    tape_.reduced.push_back(reduced);
    tape_.both.push_back(both);
  }

  bool constant_over_reduced(uint32_t input) const {
    if (foreach_ || tape_.reduce_rank == 0) return false;
    const Tensor& tensor = desc_.input(input);
    for (uint32_t d = tape_.rank - tape_.reduce_rank; d < tape_.rank; ++d)
      if (tensor.strides[d] != 0) return false;
    return true;
  }

  uint32_t dtype_of(uint16_t value) const { return tape_.insts[value].dtype; }

  Tape& tape_;
  const OpDesc& desc_;
  const bool foreach_;
  const uint32_t n_inputs_;
  bool reduces_nothing_ = false;
  std::vector<char> scalar_kinds_, tensor_scalar_kinds_;
};

// The parts that EXPR and FOREACH share.
void copy_instructions(const OpDesc& desc, const onc_expr_inst* insts, uint32_t n_insts, const uint16_t* outs, uint32_t n_outs,
                       Tape& tape) {
  const char* op = desc.name();
  require(n_insts > 0 && n_insts <= kMaxInsts, "[", op, "] ", n_insts, " instructions: a tape has 1 to ", kMaxInsts);
  require(insts != nullptr, "[", op, "] insts is NULL");
  require(n_outs > 0 && n_outs <= kMaxOuts, "[", op, "] ", n_outs, " output values: a tape has 1 to ", kMaxOuts);
  require(outs != nullptr, "[", op, "] outs is NULL");
  require(tape.n_scalars <= kMaxScalars, "[", op, "] ", tape.n_scalars, " scalars are above ", kMaxScalars);
  tape.insts.assign(insts, insts + n_insts);
  tape.outs.assign(outs, outs + n_outs);
  for (uint32_t j = 0; j < n_outs; ++j) require(outs[j] < n_insts, "[", op, "] output ", j, " is value ", outs[j], " of ", n_insts);
}

}  // namespace

const char* inst_name(uint32_t op) {
  const char* name = inst_row(op).name;
  return name != nullptr ? name : "no instruction";
}

uint32_t inst_arity(uint32_t op) { return inst_row(op).arity; }

Operands inst_operands(const onc_expr_inst& inst) {
  if (inst.op == ONC_EX_GATHER) return {{inst.b}, 1};
  return {{inst.a, inst.b, inst.c}, inst_arity(inst.op)};
}

Tape parse_tape(const onc_expr_attrs& attrs, const OpDesc& desc) {
  require(attrs.rank <= kMaxRank, "[expr] rank ", attrs.rank, " is above ", kMaxRank);
  require(attrs.rank == 0 || attrs.dims != nullptr, "[expr] rank ", attrs.rank, " and dims NULL");
  require(attrs.reduce_rank <= attrs.rank, "[expr] reduce_rank ", attrs.reduce_rank, " is above the rank ", attrs.rank);
  require(attrs.reserved == 0, "[expr] attrs.reserved is ", attrs.reserved, ", not 0");
  Tape tape;
  tape.rank = attrs.rank;
  tape.reduce_rank = attrs.reduce_rank;
  tape.n_scalars = attrs.n_scalars;
  tape.dims.assign(attrs.dims, attrs.dims + attrs.rank);
  int64_t numel = 1;
  for (const int64_t dim : tape.dims) {
    require(dim >= 0, "[expr] dims ", to_string(tape.dims), " have the negative size ", dim);
    require(!__builtin_mul_overflow(numel, std::max<int64_t>(dim, 1), &numel), "[expr] dims ", to_string(tape.dims),
            " exceed 64 bits");
  }
  copy_instructions(desc, attrs.insts, attrs.n_insts, attrs.outs, attrs.n_outs, tape);
  tape.table.resize(desc.in.size(), false);
  for (const onc_expr_inst& inst : tape.insts) {
    if (inst.op == ONC_EX_GATHER && inst.a < tape.table.size()) tape.table[inst.a] = true;
  }
  for (size_t i = 0; i < desc.in.size(); ++i) {
    require(desc.has_in(i), "[expr] input ", i, " is absent");
    require(tape.table[i] || desc.input(i).dims == tape.dims, "[expr] input ", i, " is ", desc.input(i),
            ", but the iteration space ", to_string(tape.dims));
  }
  Walk(tape, desc, static_cast<uint32_t>(desc.in.size())).run();
  return tape;
}

Tape parse_tape(const onc_foreach_attrs& attrs, const OpDesc& desc) {
  const uint64_t n_in = uint64_t{attrs.n_in_lists} * attrs.n_tensors, n_out = uint64_t{attrs.n_out_lists} * attrs.n_tensors;
  require(attrs.n_tensors > 0 && attrs.n_tensors <= kMaxTensors, "[foreach] ", attrs.n_tensors, " tensors: a list has 1 to ",
          kMaxTensors);
  require(n_in == desc.in.size(), "[foreach] ", desc.in.size(), " inputs are not ", attrs.n_in_lists, " lists of ",
          attrs.n_tensors);
  require(n_out == desc.out.size(), "[foreach] ", desc.out.size(), " outputs are not ", attrs.n_out_lists, " lists of ",
          attrs.n_tensors);
  const uint64_t n_scalars = attrs.n_scalars + uint64_t{attrs.n_tensor_scalars} * attrs.n_tensors;
  require(attrs.n_tensor_scalars <= kMaxScalars, "[foreach] ", attrs.n_tensor_scalars, " scalars of a tensor are above ",
          kMaxScalars);
  require(n_scalars <= std::numeric_limits<uint32_t>::max(), "[foreach] ", n_scalars, " scalars in all are above 32 bits");
  Tape tape;
  tape.rank = 1;
  tape.n_scalars = attrs.n_scalars;
  tape.n_tensor_scalars = attrs.n_tensor_scalars;
  copy_instructions(desc, attrs.insts, attrs.n_insts, attrs.outs, attrs.n_out_lists, tape);
  Walk(tape, desc, attrs.n_in_lists).run();
  return tape;
}

}  // namespace oncilla::kit
