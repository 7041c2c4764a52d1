#include "expr/tape_writer.hpp"

#include "expr/rows.hpp"
#include "expr/types.hpp"

namespace oncilla::ocl {

using kit::cat;

void Functions::add(const std::string& text) {
  if (written_.insert(text).second) text_ += text;
}

std::string Functions::row(uint32_t op, uint32_t dtype, int width) {
  if (by_lanes(op, dtype, width)) {
    (void)row(op, dtype, 1);
  } else if (const std::string helper = row_helper(op, dtype, width); !helper.empty()) {
    add(helper);
  }
  add(row_text(op, dtype, width));
  return row_name(op, dtype, width);
}

void Functions::load(uint32_t storage, int width) {
  add(cat("ONC_PACKED(", storage_bits(storage), ", ", width, ")\n"));
  add(storage == ONC_F16 ? cat("ONC_LOAD_HALF(", width, ")\n") : cat("ONC_LOAD(", storage_scalar(storage), ", ", width, ")\n"));
}

void Functions::store(uint32_t storage, int width) {
  add(cat("ONC_PACKED(", storage_bits(storage), ", ", width, ")\n"));
  add(storage == ONC_F16 ? cat("ONC_STORE_HALF(float, ", width, ")\n")
                         : cat("ONC_STORE(", storage_scalar(storage), ", ", width, ")\n"));
}

void Functions::turn(uint32_t storage, int width) {
  int rounds = 0;
  while (1 << rounds < width) ++rounds;
  add(cat("ONC_TURN(", storage_bits(storage), ", ", width, ", ", rounds, ")\n"));
}

void Functions::philox(int width) { add(cat("ONC_PHILOX(", vector_type("uint", width), ", onc_philox_", width, ")\n")); }

void Functions::gather(uint32_t storage, uint32_t position_dtype, int width) {
  const char* position = value_scalar(position_dtype);
  if (width == 1) {
    add(storage == ONC_F16 ? cat("ONC_GATHER_HALF_1(", position, ")\n")
                           : cat("ONC_GATHER_1(", storage_scalar(storage), ", ", position, ")\n"));
  } else {
    add(storage == ONC_F16 ? cat("ONC_GATHER_HALF(", position, ", ", width, ")\n")
                           : cat("ONC_GATHER(", storage_scalar(storage), ", ", position, ", ", width, ")\n"));
  }
}

TapeWriter::TapeWriter(const kit::Tape& tape, Functions& functions, int width, std::string prefix, Leaf leaf)
    : tape_(tape),
      functions_(functions),
      width_(width),
      prefix_(std::move(prefix)),
      leaf_(std::move(leaf)),
      names_(tape.insts.size()) {}

// Operands come before their instruction, so one pass marks what v needs and a second one writes it in order: no recursion, however
// long the tape.
std::string TapeWriter::value(uint16_t v) {
  std::vector<bool> needed(v + 1u, false);
  needed[v] = true;
  for (size_t i = v + 1u; i-- > 0;) {
    if (!needed[i] || !names_[i].empty()) continue;
    const onc_expr_inst& inst = tape_.insts[i];
    for (const uint16_t operand : kit::inst_operands(inst)) needed[operand] = true;
  }
  for (size_t i = 0; i <= v; ++i) {
    if (!needed[i] || !names_[i].empty()) continue;
    const onc_expr_inst& inst = tape_.insts[i];
    const std::string text = expression(inst);
    names_[i] = cat(prefix_, i);
    line(cat("const ", value_type(inst.dtype, width_), " ", names_[i], " = ", text, ";"));
  }
  return names_[v];
}

std::string TapeWriter::expression(const onc_expr_inst& inst) {
  const auto& a = names_[inst.a];
  switch (inst.op) {
    case ONC_EX_CONST:
      return broadcast(literal(inst.imm, inst.dtype), inst.dtype, width_);
    case ONC_EX_INPUT:
    case ONC_EX_SCALAR:
    case ONC_EX_TENSOR_SCALAR:
    case ONC_EX_COORD:
    case ONC_EX_PHILOX:
    case ONC_EX_GATHER:
      return leaf_(*this, inst);
    case ONC_EX_CAST:
      return cast_value(a, tape_.insts[inst.a].dtype, inst.dtype, width_);
    case ONC_EX_WHERE:
      return cat("SEL(", select_mask(a, inst.dtype, width_), ", ", names_[inst.b], ", ", names_[inst.c], ")");
    default:
      break;
  }
  const uint32_t arity = kit::inst_arity(inst.op);
  std::string call = cat(functions_.row(inst.op, tape_.insts[inst.a].dtype, width_), "(", a);
  if (arity > 1) call += ", " + names_[inst.b];
  if (arity > 2) call += ", " + names_[inst.c];
  return call + ")";
}

std::string load_text(Functions& functions, const Place& place, uint32_t storage, uint32_t dtype, int width) {
  if (width == 1 || place.step == 'b') {
    const std::string element =
        storage == ONC_F16 ? cat("vload_half(", place.at, ", ", place.base, ")") : cat(place.base, "[", place.at, "]");
    return broadcast(from_storage(element, storage, dtype, 1), dtype, width);
  }
  functions.load(storage, width);
  const std::string type = cat(storage_scalar(storage), width);
  const std::string vector =
      place.step == 'c' ? cat("onc_load_c_", type, "(", place.base, " + (", place.at, "), ", place.live, ")")
                        : cat("onc_load_s_", type, "(", place.base, " + (", place.at, "), ", place.stride, ", ", place.live, ")");
  return from_storage(vector, storage, dtype, width);
}

std::string gather_text(Functions& functions, const std::string& base, const Position& position, uint32_t storage, uint32_t dtype,
                        int width) {
  functions.gather(storage, position.dtype, width);
  const std::string size = cat("space.", base, "_n");
  const std::string read = cat("onc_gather_", vector_type(storage_scalar(storage), width), "_", value_scalar(position.dtype), "(",
                               base, ", ", size, ", ", position.name, ")");
  const std::string value = from_storage(read, storage, dtype, width);
  std::string together;
  if (!position.together.empty()) {
    const Place place{base, cat(position.ahead, " + i"), 'c', "", "live"};
    together = cat(position.together, " ? ", load_text(functions, place, storage, dtype, width), " : ");
  }
  if (kit::dtype_kind(dtype) != 'f') return together + value;  // what is not there was read as 0
  const bool wide = position.wide || position.dtype == ONC_I64;
  const std::string at = cast_value(position.name, position.dtype, wide ? ONC_I64 : ONC_I32, width);
  const std::string type = vector_type(wide ? "long" : "int", width);
  std::string inside = cat("((", at, " >= (", type, ")(0)) & (", at, " < (", type, ")(", size, ")))");
  if (wide && width > 1) inside = cat("convert_", vector_type("int", width), inside);
  return cat(together, "SEL(", select_mask(inside, dtype, width), ", ", value, ", (", value_type(dtype, width), ")(NAN))");
}

std::string store_text(Functions& functions, const Place& place, const std::string& x, uint32_t dtype, uint32_t storage,
                       int width) {
  if (storage == ONC_BF16) functions.add(width == 1 ? "ONC_BF16_1\n" : cat("ONC_BF16(", width, ")\n"));
  const std::string value = to_storage(x, dtype, storage, width);
  if (width == 1) {
    return storage == ONC_F16 ? cat("vstore_half_rte(", value, ", ", place.at, ", ", place.base, ");")
                              : cat(place.base, "[", place.at, "] = ", value, ";");
  }
  functions.store(storage, width);
  const std::string type = cat(storage == ONC_F16 ? "half_float" : storage_scalar(storage), width);
  const std::string stride = place.step == 's' ? place.stride + ", " : "";
  return cat("onc_store_", place.step, "_", type, "(", value, ", ", stride, place.live, ", ", place.base, " + (", place.at, "));");
}

std::string macro(const std::string& head, const std::vector<std::string>& lines) {
  std::string text = "#define " + head;
  for (const std::string& line : lines) text += " \\\n  " + line;
  return text + "\n";
}

}  // namespace oncilla::ocl
