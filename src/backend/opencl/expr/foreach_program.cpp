#include "expr/foreach_program.hpp"

#include <algorithm>
#include <set>

#include "expr/tape_writer.hpp"
#include "expr/types.hpp"

namespace oncilla::ocl {

namespace {

using kit::cat;

class Writer {
 public:
  Writer(const kit::OpDesc& desc, const std::vector<ListKind>& kinds, const ForeachShape& shape)
      : desc_(desc), tape_(*desc.tape), kinds_(kinds), shape_(shape) {
    program_.tensor_scalars.resize(tape_.n_tensor_scalars, 0);
  }

  ForeachProgram write() {
    const auto leaf_of = [this](TapeWriter& writer, const onc_expr_inst& inst) { return leaf(inst, writer.width()); };
    TapeWriter single(tape_, functions_, 1, "u", leaf_of), tape(tape_, functions_, shape_.width, "v", leaf_of);
    hoist(single, tape);
    // All loads come before all stores: an output list may be an input list.
    std::vector<std::string> values;
    for (uint16_t out : tape_.outs) values.push_back(tape.value(out));
    std::vector<std::string> step = tape.lines();
    for (size_t j = 0; j < tape_.outs.size(); ++j) {
      const uint32_t storage = desc_.output(j * desc_.foreach_tensors).dtype;
      const std::string name = pointer(cat("out", j), kinds_.size() + j, storage, "");
      step.push_back(
          store_text(functions_, {name, "i", 'c', "", "live"}, values[j], tape_.insts[tape_.outs[j]].dtype, storage, shape_.width));
    }
    tensor_.insert(tensor_.end(), single.lines().begin(), single.lines().end());
    return assemble(step);
  }

 private:
  // What has one value a tensor (a bias correction, say) is computed once a tensor, as a scalar; the vectors take it from there.
  void hoist(TapeWriter& single, TapeWriter& tape) {
    std::vector<bool> one(tape_.insts.size());
    for (size_t i = 0; i < one.size(); ++i) {
      const onc_expr_inst& inst = tape_.insts[i];
      const std::vector<uint16_t> operands = operands_of(inst);
      one[i] = inst.op == ONC_EX_INPUT ? kinds_[inst.a] == ListKind::one
                                       : std::all_of(operands.begin(), operands.end(), [&](uint16_t v) { return one[v]; });
    }
    const auto take = [&](uint16_t v) {
      const onc_expr_inst& inst = tape_.insts[v];
      // Constants and scalars are as short where they are used.
      if (!one[v] || (inst.op != ONC_EX_INPUT && operands_of(inst).empty())) return;
      tape.define(v, broadcast(single.value(v), inst.dtype, shape_.width));
    };
    for (size_t i = 0; i < one.size(); ++i) {
      if (one[i]) continue;
      for (const uint16_t v : operands_of(tape_.insts[i])) take(v);
    }
    for (const uint16_t v : tape_.outs) take(v);
  }

  static std::vector<uint16_t> operands_of(const onc_expr_inst& inst) {
    const auto operands = kit::inst_operands(inst);
    return {operands.begin(), operands.end()};
  }

  std::string leaf(const onc_expr_inst& inst, int w) {
    switch (inst.op) {
      case ONC_EX_INPUT:
        return load(inst, w);
      case ONC_EX_SCALAR: {
        const uint32_t kind = kit::dtype_kind(inst.dtype) == 'f' ? inst.dtype : static_cast<uint32_t>(ONC_I64);
        const std::string name = cat("s", inst.a, suffix(kind));
        if (scalars_.insert(name).second) {
          program_.scalars.push_back({inst.a, kind});
          params_.push_back(cat("const ", value_scalar(kind), " ", name, ","));
        }
        return broadcast(kind == ONC_I64 ? cast_value(name, ONC_I64, inst.dtype, 1) : name, inst.dtype, w);
      }
      case ONC_EX_TENSOR_SCALAR:
        return broadcast(tensor_scalar(inst), inst.dtype, w);
      default:
        throw kit::Error(ONC_INTERNAL, cat("[foreach] ", kit::inst_name(inst.op), " is no leaf of FOREACH"));
    }
  }

  static const char* suffix(uint32_t dtype) { return dtype == ONC_F32 ? "f" : dtype == ONC_F64 ? "d" : "i"; }

  // The table holds one word for a tensor scalar, so all readers of one share a kind: float, double or integer. A float reader of
  // what the table holds as double narrows it.
  std::string tensor_scalar(const onc_expr_inst& inst) {
    uint32_t& kind = program_.tensor_scalars[inst.a];
    if (kind == 0) {
      kind = kit::dtype_kind(inst.dtype) != 'f' ? static_cast<uint32_t>(ONC_I64) : inst.dtype;
      for (const onc_expr_inst& other : tape_.insts) {
        if (other.op == ONC_EX_TENSOR_SCALAR && other.a == inst.a && other.dtype == ONC_F64) kind = ONC_F64;
      }
      const std::string word = cat("row[", 1 + kinds_.size() + tape_.outs.size() + inst.a, "]");
      const std::string value = kind == ONC_F32   ? cat("as_float((int)", word, ")")
                                : kind == ONC_F64 ? cat("as_double(", word, ")")
                                                  : word;
      tensor_.push_back(cat("const ", value_scalar(kind), " t", inst.a, " = ", value, ";"));
    }
    return cast_value(cat("t", inst.a), kind, inst.dtype, 1);
  }

  std::string load(const onc_expr_inst& inst, int w) {
    const uint32_t storage = desc_.input(size_t{inst.a} * desc_.foreach_tensors).dtype;
    const std::string name = pointer(cat("in", inst.a), inst.a, storage, "const ");
    const std::string single = load_text(functions_, {name, "0", 'b', "", ""}, storage, inst.dtype, w);
    if (kinds_[inst.a] == ListKind::one) return single;
    const std::string plain = load_text(functions_, {name, "i", 'c', "", "live"}, storage, inst.dtype, w);
    if (kinds_[inst.a] == ListKind::full) return plain;
    return cat("LIST_BROADCASTS(row[", 1 + inst.a, "]) ? ", single, " : ", plain);
  }

  // The pointer to this tensor of a list, declared once a tensor.
  std::string pointer(const std::string& name, size_t list, uint32_t storage, const char* qualifier) {
    if (pointers_.insert(name).second) {
      const std::string type = cat("global ", qualifier, storage_scalar(storage), " *");
      tensor_.push_back(cat(type, name, " = (", type, ")LIST_MEMORY(row[", 1 + list, "]);"));
    }
    return name;
  }

  ForeachProgram assemble(const std::vector<std::string>& step) {
    std::string text = "#pragma OPENCL FP_CONTRACT OFF\n";
    text += cat("typedef long I;\n#define W ", shape_.width, "\n#define CHUNK ", shape_.chunk, "\n#define ROW ",
                1 + kinds_.size() + tape_.outs.size() + tape_.n_tensor_scalars, "\n");
    text += "#include \"lib/arg.h\"\n#include \"lib/elementwise.h\"\n#include \"lib/memory.h\"\n";
    text += functions_.text() + macro("FOREACH_SCALARS", params_) + macro("FOREACH_TENSOR", tensor_) + macro("FOREACH_STEP", step);
    program_.prelude = std::move(text);
    return std::move(program_);
  }

  const kit::OpDesc& desc_;
  const kit::Tape& tape_;
  const std::vector<ListKind>& kinds_;
  const ForeachShape& shape_;
  Functions functions_;
  std::set<std::string> scalars_, pointers_;
  std::vector<std::string> params_, tensor_;
  ForeachProgram program_;
};

}  // namespace

ForeachProgram foreach_program(const kit::OpDesc& desc, const std::vector<ListKind>& kinds, const ForeachShape& shape) {
  return Writer(desc, kinds, shape).write();
}

}  // namespace oncilla::ocl
