// Where operands lie, and what a tape reads: inputs, tables, coordinates, random words, what is the same all along a row.
#include "expr/program_writer.hpp"

#include <set>

namespace oncilla::ocl {

using kit::cat;

// Operand o's offset, in the loop over the full space or in the epilogue.
std::string ProgramWriter::at(size_t o, bool full) {
  const std::string& name = e_.operands()[o].name;
  used_kept_[o] = true;
  std::string text = name + "_k";
  if (full && e_.reduces()) {
    used_reduced_[o] = true;
    text += cat(" + ", name, "_r");
    if (s_.form == Form::column && layout_.reduced > 0) text += cat(" + r * space.", name, "_l");
  }
  if (square_) text += cat(" + y * space.", name, "_y");
  const bool along = full ? s_.form != Form::finish : axis_kept_;
  // What is the same along the axis is read before the loop along it.
  const bool fixed = full && s_.form == Form::pointwise && axis_stride(o) == 0;
  if (along && !fixed && (computed(o) || step(o) == 's')) {
    text += cat(" + i * space.", name, "_x");
  } else if (along && step(o) == 'c') {
    text += " + i";
  }
  return text;
}

Place ProgramWriter::place(size_t o, bool full) {
  const std::string& name = e_.operands()[o].name;
  return {name, at(o, full), step(o), cat("space.", name, "_x"), "live"};
}

std::string ProgramWriter::leaf(TapeWriter& writer, const onc_expr_inst& inst, bool full) {
  switch (inst.op) {
    case ONC_EX_INPUT: {
      // Over nothing there is no element that an epilogue could read.
      if (!full && layout_.reduced_numel() == 0) return broadcast(literal({}, inst.dtype), inst.dtype, writer.width());
      const size_t o = e_.operand(Role::input, inst.a);
      if (square_ && e_.turned(o, static_cast<size_t>(e_.square_dim()))) {
        return from_storage(turned(writer, o), e_.operands()[o].dtype, inst.dtype, writer.width());
      }
      return load_text(functions_, place(o, full), e_.operands()[o].dtype, inst.dtype, writer.width());
    }
    case ONC_EX_GATHER: {
      const size_t o = e_.operand(Role::table, inst.a);
      used_kept_[o] = true;
      Position position{writer.value(inst.b), e_.tape().insts[inst.b].dtype, s_.wide_index, "", ""};
      if (writer.width() > 1 && may_rise(inst)) {
        position.together = cat("together", inst.b, "_", inst.a);
        position.ahead = cat("ahead", inst.b);
      }
      return gather_text(functions_, e_.operands()[o].name, position, e_.operands()[o].dtype, inst.dtype, writer.width());
    }
    case ONC_EX_SCALAR:
      return broadcast(scalar(inst.a, inst.dtype), inst.dtype, writer.width());
    case ONC_EX_COORD:
      return cast_index(index(e_.operand(Role::coord, inst.a), full, writer.width()), inst.dtype, writer.width());
    case ONC_EX_PHILOX:
      return philox(writer, inst, full);
    default:
      throw kit::Error(ONC_INTERNAL, cat("[expr] ", kit::inst_name(inst.op), " is no leaf of EXPR"));
  }
}

// Row t of an input's square, which is loaded before the rows of the square are computed.
std::string ProgramWriter::turned(TapeWriter& writer, size_t o) {
  const auto& [role, number, dtype, name] = e_.operands()[o];
  used_kept_[o] = true;
  if (writer.first(name)) {
    functions_.turn(dtype, s_.width);
    const std::string type = storage_bits(dtype), vector = vector_type(type, s_.width);
    square_lines_.push_back(cat(vector, " ", name, "_square[W];"));
    square_lines_.push_back(cat("onc_turn_", vector, "((const global ", type, " *)", name, " + (", name, "_k + top * space.", name,
                                "_y + i * space.", name, "_x), space.", name, "_x, live, rows, ", name, "_square);"));
  }
  return dtype == ONC_F16 ? cat("vload_half", s_.width, "(0, (const half *)&", name, "_square[t])") : name + "_square[t]";
}

// The run-time scalar as a parameter of the kernel.
std::string ProgramWriter::scalar(uint16_t number, uint32_t dtype) {
  const uint32_t kind = kit::dtype_kind(dtype) == 'f' ? dtype : static_cast<uint32_t>(ONC_I64);
  scalars_.emplace(std::pair{number, kind}, 0);
  const std::string name = cat("s", number, kind == ONC_F32 ? "f" : kind == ONC_F64 ? "d" : "i");
  return kind == ONC_I64 ? cast_value(name, ONC_I64, dtype, 1) : name;
}

// The index that computed operand o stands for, as lanes of the index type.
std::string ProgramWriter::index(size_t o, bool full, int width) {
  const std::string text = at(o, full);
  if (width == 1) return cat("(", text, ")");
  const std::string type = vector_type(index_, width);
  return cat("((", type, ")(", text, ") + ONC_LANES * (", type, ")(space.", e_.operands()[o].name, "_x))");
}

std::string ProgramWriter::cast_index(const std::string& x, uint32_t dtype, int width) const {
  return cast_value(x, s_.wide_index ? ONC_I64 : ONC_I32, dtype, width);
}

std::string ProgramWriter::philox(TapeWriter& writer, const onc_expr_inst& inst, bool full) {
  const int w = writer.width();
  const std::string name = cat(writer.prefix(), "word_", inst.a, "_", inst.b), type = vector_type("uint", w);
  if (writer.first(name)) {
    functions_.philox(w);
    const std::string element = index(e_.operand(Role::philox, 0), full, w);
    const std::string key = scalar(inst.a, ONC_I64), draw = scalar(inst.b, ONC_I64);
    const std::string high = s_.wide_index ? cat("convert_", type, "(", element, " >> 32)") : cat("(", type, ")(0)");
    // Conversion to a narrower integer keeps the low bits.
    writer.line(cat(type, " ", name, "[4];"));
    writer.line(cat("onc_philox_", w, "(convert_", type, "(", element, s_.wide_index ? " & 0xffffffffL" : "", "), ", high, ", (",
                    type, ")((uint)", draw, "), (", type, ")((uint)(", draw, " >> 32)), (uint)", key, ", (uint)(", key, " >> 32), ",
                    name, ");"));
  }
  return cat("convert_", vector_type("long", w), "(", name, "[", inst.c, "])");
}

// What is the same along the vector axis (the index of a row, a channel's factor) is computed once a row, as a scalar; the
// vectors take it from there.
void ProgramWriter::hoist(TapeWriter& full) {
  const kit::Tape& t = e_.tape();
  TapeWriter single(t, functions_, 1, "u", [this](TapeWriter& w, const onc_expr_inst& i) { return leaf(w, i, true); });
  const auto take = [&](uint16_t v) {
    const onc_expr_inst& inst = t.insts[v];
    // Constants and scalars are as short where they are used.
    if (e_.along(v) != Expression::Along::same || inst.op == ONC_EX_CONST || inst.op == ONC_EX_SCALAR) return;
    once_[v] = single.value(v);
    full.define(v, broadcast(once_[v], inst.dtype, s_.width));
  };
  for (size_t i = 0; i < t.insts.size(); ++i) {
    if (e_.along(static_cast<uint16_t>(i)) == Expression::Along::same) continue;
    for (const uint16_t v : kit::inst_operands(t.insts[i])) take(v);
  }
  for (const uint16_t v : t.outs) take(v);
  row_lines_ = single.lines();
  if (s_.width == 1) return;
  std::set<uint16_t> seen;
  for (const onc_expr_inst& inst : t.insts) {
    if (!may_rise(inst)) continue;
    if (seen.insert(inst.b).second) find_ahead(inst.b);
    const std::string size = cat("space.", e_.operands()[e_.operand(Role::table, inst.a)].name, "_n");
    row_lines_.push_back(cat("const bool together", inst.b, "_", inst.a, " = rises", inst.b, " && last", inst.b, " < ", size, ";"));
  }
}

// A read whose positions may be neighbours. Vectors of halves have to be aligned on some devices (lib/storage.h).
bool ProgramWriter::may_rise(const onc_expr_inst& inst) const {
  return s_.form == Form::pointwise && inst.op == ONC_EX_GATHER && e_.along(inst.b) == Expression::Along::next &&
         e_.desc().input(inst.a).dtype != ONC_F16;
}

// Positions that rise by 1 from lane to lane, or stay the same, from begin to end of the loop: the first and the last of them
// tell whether they do rise. Then whole vectors are read.
void ProgramWriter::find_ahead(uint16_t v) {
  TapeWriter at(e_.tape(), functions_, 1, "p", [this](TapeWriter& w, const onc_expr_inst& i) { return leaf(w, i, true); });
  for (const auto& [u, name] : once_) at.define(u, name);
  const std::string name = at.value(v);
  row_lines_.push_back(cat(value_scalar(e_.tape().insts[v].dtype), " first", v, ", last", v, ";"));
  for (const char* end : {"first", "last"}) {
    row_lines_.push_back(cat("{ const I i = ", end == std::string("first") ? "begin" : "end - 1", ";"));
    row_lines_.insert(row_lines_.end(), at.lines().begin(), at.lines().end());
    row_lines_.push_back(cat(end, v, " = ", name, "; }"));
  }
  row_lines_.push_back(
      cat("const bool rises", v, " = first", v, " >= 0 && last", v, " >= 0 && last", v, " - first", v, " == end - 1 - begin;"));
  row_lines_.push_back(cat("const I ahead", v, " = rises", v, " ? (I)(first", v, " - begin) : 0;"));
}

}  // namespace oncilla::ocl
