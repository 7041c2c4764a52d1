// What a loop does with the values: full outputs, states of reductions, their results.
#include "expr/program_writer.hpp"

namespace oncilla::ocl {

using kit::cat;

void ProgramWriter::find_reductions() {
  const kit::Tape& t = e_.tape();
  for (size_t v = 0; v < t.insts.size(); ++v) {
    const onc_expr_inst& inst = t.insts[v];
    if (inst.op >= ONC_EX_REDUCE_SUM && inst.op <= ONC_EX_REDUCE_ARGMAX) {
      states_.push_back({static_cast<uint16_t>(v), Reduction{inst.op, t.insts[inst.a].dtype}});
    }
  }
}

// EXPR_STEP: one vector of the full space: outputs that are full, and terms of the reductions.
void ProgramWriter::write_step(TapeWriter& full) {
  const kit::Tape& t = e_.tape();
  // All loads come before all stores: an output may be the memory of an input.
  std::vector<std::string> values;
  for (size_t j = 0; j < t.outs.size(); ++j) values.push_back(e_.full_output(j) ? full.value(t.outs[j]) : "");
  for (const State& state : states_) terms_.push_back(full.value(t.insts[state.value].a));
  std::vector<std::string> lines = full.lines();
  for (size_t j = 0; j < t.outs.size(); ++j) {
    if (!e_.full_output(j)) continue;
    const size_t o = e_.operand(Role::output, static_cast<uint32_t>(j));
    lines.push_back(store_text(functions_, place(o, true), values[j], t.insts[t.outs[j]].dtype, e_.operands()[o].dtype, s_.width));
  }
  for (size_t k = 0; k < states_.size(); ++k) accumulate(states_[k], terms_[k], lines);
  macros_ += macro("EXPR_STEP", lines);
  if (square_) macros_ += macro("EXPR_SQUARE", square_lines_);
}

// Adds one vector to a state. Along a reduced axis the last vector may have lanes that do not exist.
void ProgramWriter::accumulate(const State& state, const std::string& term, std::vector<std::string>& lines) {
  const Reduction& how = state.how;
  const uint16_t v = state.value;
  std::string x = how.enter(term, s_.width);
  if (rows_ && s_.width > 1) {
    const std::string own = cat("x", v), type = how.type(s_.width);
    lines.push_back(cat(type, " ", own, " = ", x, ";"));
    const char* exist = s_.form == Form::tile ? "exist" : "live";
    lines.push_back(cat("if (", exist, " < ", s_.width, ") ", own, " = SEL(",
                        select_mask(cat("(ONC_LANE_NUMBERS < ", exist, ")"), how.dtype, s_.width), ", ", own, ", ",
                        how.identity(s_.width), ");"));
    x = own;
  }
  if (how.summed()) {
    lines.push_back(cat(turn("block", v), " += ", x, ";"));
  } else {
    const std::string position = how.position() ? index(e_.operand(Role::position, 0), true, s_.width) : "";
    if (how.position()) lines.push_back(cat("const ", how.second_type(index_, s_.width), " at", v, " = ", position, ";"));
    lines.push_back(how.merge(turn("a", v), turn("b", v), x, how.position() ? cat("at", v) : "", index_, s_.width));
  }
}

// What results are made of when chains are joined.
std::string ProgramWriter::joined(const char* part, const State& state) const {
  return s_.chains > 1 && !state.how.summed() ? cat(part, state.value, "[0]") : named(part, state.value);
}

void ProgramWriter::variable(const std::string& type, const char* part, uint16_t v, bool turns, const std::string& initial,
                             std::vector<std::string>& lines) const {
  if (many() || (turns && s_.chains > 1)) {
    const char* number = s_.form == Form::tile ? "W" : s_.chains > 1 ? "CHAINS" : "ACROSS";
    lines.push_back(cat(type, " ", part, v, "[", number, "]; ", s_.form == Form::tile ? "" : "ONC_UNROLL ", "for (int u = 0; u < ",
                        number, "; ++u) ", part, v, "[u] = ", initial, ";"));
  } else {
    lines.push_back(cat(type, " ", part, v, " = ", initial, ";"));
  }
}

// All chains into the first, as a tree.
void ProgramWriter::join_chains(const State& state, std::vector<std::string>& lines) const {
  const auto& [v, how] = state;
  for (int half = s_.chains / 2; half > 0; half /= 2) {
    for (int u = 0; u < half; ++u) {
      const std::string to = cat("[", u, "]"), from = cat("[", u + half, "]");
      lines.push_back(how.summed() ? cat("block", v, to, " += block", v, from, ";")
                                   : how.merge(cat("a", v, to), cat("b", v, to), cat("a", v, from),
                                               how.second() ? cat("b", v, from) : "", index_, s_.width));
    }
  }
}

// EXPR_STATES, EXPR_BLOCK, EXPR_FOLD, EXPR_JOIN, and for rows EXPR_LANES: the states through the loop.
void ProgramWriter::write_states() {
  const int w = s_.form == Form::finish ? 1 : s_.width;
  std::vector<std::string> declare, block, fold, join, lanes;
  for (const State& state : states_) {
    const auto& [v, how] = state;
    if (s_.form == Form::tile) {
      tile_state(state, declare, lanes);
      continue;
    }
    variable(how.type(w), "a", v, !how.summed(), how.initial(w), declare);
    if (how.second()) variable(how.second_type(index_, w), "b", v, !how.summed(), how.second_initial(index_, w), declare);
    if (how.summed()) {
      variable(how.type(w), "block", v, true, "0", block);
      const std::string each = many() ? "ONC_UNROLL for (int u = 0; u < ACROSS; ++u) " : "";
      join_chains(state, fold);
      const std::string whole = s_.chains > 1 ? cat("block", v, "[0]") : named("block", v);
      fold.push_back(each + how.merge(named("a", v), named("b", v), whole, "", index_, w));
    } else {
      join_chains(state, join);
    }
    if (rows_) merge_lanes(state, lanes);
  }
  macros_ += macro("EXPR_STATES", declare) + macro("EXPR_BLOCK", block) + macro("EXPR_FOLD", fold) + macro("EXPR_JOIN", join);
  if (rows_) macros_ += macro("EXPR_LANES", lanes);
  if (s_.form == Form::tile) macros_ += macro("EXPR_ROW", row_);
  if (s_.form == Form::group) write_group();
}

// Vectors a, b to scalars sa, sb: the upper half of the lanes to the lower one, until one is left.
void ProgramWriter::merge_lanes(const State& state, std::vector<std::string>& lines) const {
  const auto& [v, how] = state;
  std::string a = joined("a", state), b = joined("b", state);
  for (int w = s_.width / 2; w > 0; w /= 2) {
    const std::string half_a = w == 1 ? cat("whole", v) : cat("a", v, "_", w), half_b = cat("b", v, "_", w);
    const std::string type = how.type(w), second = how.second_type(index_, w);
    const auto half = [&](const char* which, const std::string& of, const std::string& t) {
      return cat(which, "(", t, ", ", 2 * w, ", ", of, ");");
    };
    lines.push_back(cat(type, " ", half_a, " = ", half("ONC_LOW", a, type)));
    if (how.second()) lines.push_back(cat(second, " ", half_b, " = ", half("ONC_LOW", b, second)));
    lines.push_back(cat("{ const ", type, " x = ", half("ONC_HIGH", a, type)));
    if (how.second()) lines.push_back(cat("  const ", second, " y = ", half("ONC_HIGH", b, second)));
    lines.push_back(cat("  ", how.merge(half_a, half_b, "x", how.second() ? "y" : "", index_, w), " }"));
    a = half_a;
    b = half_b;
  }
  lines.push_back(cat(how.type(1), " sa", v, " = ", truth_bit(a, how), ";"));
  if (how.second()) lines.push_back(cat(how.second_type(index_, 1), " sb", v, " = ", b, ";"));
}

// A lane of a mask is 0 or -1, a truth value 0 or 1.
std::string ProgramWriter::truth_bit(const std::string& a, const Reduction& how) {
  return how.dtype == ONC_BOOL ? cat("(", a, " & 1)") : a;
}

// The tile form: a state of each row in an array; W vectors of them become one, of a result in each lane, when neighbours are
// joined again and again, even lanes with odd ones. Float sums are added up as they are, since a row is short. Row u gets sa and
// sb.
void ProgramWriter::tile_state(const State& state, std::vector<std::string>& declare, std::vector<std::string>& lanes) {
  const auto& [v, how] = state;
  const int w = s_.width;
  const std::string a = cat("a", v), b = cat("b", v), type = how.type(w), second = how.second_type(index_, w);
  variable(type, how.summed() ? "block" : "a", v, true, how.summed() ? "0" : how.initial(w), declare);
  if (how.position()) variable(second, "b", v, true, how.second_initial(index_, w), declare);
  const auto pairs = [&](const std::string& of, const char* which, const std::string& t) {
    return cat(which, "(", t, ", W, ", of, "[2 * u], ", of, "[2 * u + 1])");
  };
  const std::string from = how.summed() ? cat("block", v) : a;
  lanes.push_back("for (int n = W / 2; n > 0; n /= 2) {");
  lanes.push_back("  for (int u = 0; u < n; ++u) {");
  lanes.push_back(
      cat("    ", type, " even = ", pairs(from, "ONC_EVEN", type), "; const ", type, " odd = ", pairs(from, "ONC_ODD", type), ";"));
  if (how.position()) {
    lanes.push_back(cat("    ", second, " at_even = ", pairs(b, "ONC_EVEN", second), "; const ", second,
                        " at_odd = ", pairs(b, "ONC_ODD", second), ";"));
  }
  lanes.push_back(cat("    ", how.summed() ? "even += odd;" : how.merge("even", "at_even", "odd", "at_odd", index_, w)));
  lanes.push_back(cat("    ", from, "[u] = even;", how.position() ? cat(" ", b, "[u] = at_even;") : ""));
  lanes.push_back("  }");
  lanes.push_back("}");
  row_.push_back(
      cat("const ", how.type(1), " sa", v, " = ", truth_bit(cat("((const ", how.type(1), " *)", from, ")[u]"), how), ";"));
  if (how.position()) {
    row_.push_back(
        cat("const ", how.second_type(index_, 1), " sb", v, " = ((const ", how.second_type(index_, 1), " *)", b, ")[u];"));
  } else if (how.summed()) {
    row_.push_back(cat("const ", how.type(1), " sb", v, " = 0;"));
  }
}

// EXPR_LOCAL, EXPR_GROUP_PUT, EXPR_GROUP_MERGE(other), EXPR_GROUP_GET: the tree over a work-group. The states live in local
// memory alone: some compilers lose private values across the barriers of a loop.
void ProgramWriter::write_group() {
  std::vector<std::string> local, put, merge, get;
  for (const auto& [v, how] : states_) {
    const std::string type = how.type(1), second = how.second_type(index_, 1);
    local.push_back(cat("local ", type, " la", v, "[GROUP];"));
    put.push_back(cat("la", v, "[me] = sa", v, ";"));
    get.push_back(cat("const ", type, " sa", v, " = la", v, "[0];"));
    merge.push_back(cat("{ ", type, " a = la", v, "[me]; const ", type, " x = la", v, "[other];"));
    if (how.second()) {
      local.push_back(cat("local ", second, " lb", v, "[GROUP];"));
      put.push_back(cat("lb", v, "[me] = sb", v, ";"));
      get.push_back(cat("const ", second, " sb", v, " = lb", v, "[0];"));
      merge.push_back(cat("  ", second, " b = lb", v, "[me]; const ", second, " y = lb", v, "[other];"));
    }
    merge.push_back(cat("  ", how.merge("a", "b", "x", how.second() ? "y" : "", index_, 1), " la", v, "[me] = a;"));
    merge.push_back(how.second() ? cat("  lb", v, "[me] = b; }") : std::string("}"));
  }
  macros_ += macro("EXPR_LOCAL", local) + macro("EXPR_GROUP_PUT", put) + macro("EXPR_GROUP_MERGE(other)", merge) +
             macro("EXPR_GROUP_GET", get);
}

// EXPR_FINISH: the epilogue, or the states to the workspace. EXPR_TAKE(segment) of the finish form reads them back.
void ProgramWriter::write_finish(TapeWriter& epilogue) {
  if (s_.partial || s_.form == Form::finish) write_partial();
  if (s_.partial) return;
  const int w = epilogue.width();
  for (const State& state : states_) {
    const auto& [v, how] = state;
    const std::string name = cat("w", v), a = first_of(state), b = second_of(state);
    epilogue.line(cat("const ", value_type(e_.tape().insts[v].dtype, w), " ", name, " = ", how.leave(a, b, w), ";"));
    epilogue.define(v, name);
  }
  const kit::Tape& t = e_.tape();
  std::vector<std::string> values;
  for (size_t j = 0; j < t.outs.size(); ++j) values.push_back(e_.full_output(j) ? "" : epilogue.value(t.outs[j]));
  std::vector<std::string> lines = epilogue.lines();
  for (size_t j = 0; j < t.outs.size(); ++j) {
    if (e_.full_output(j)) continue;
    const size_t o = e_.operand(Role::output, static_cast<uint32_t>(j));
    lines.push_back(store_text(functions_, place(o, false), values[j], t.insts[t.outs[j]].dtype, e_.operands()[o].dtype, w));
  }
  macros_ += macro("EXPR_FINISH", lines);
}

// A state variable's array in the workspace: [segment][kept element], at byte offset ws<n>.
void ProgramWriter::write_partial() {
  program_.workspace = true;
  std::vector<std::string> put, take;
  int part = 0;
  const auto array = [&](const std::string& type) {
    const std::string name = cat("ws", part++);
    parts_.push_back(name);
    return cat("((global ", type, " *)(workspace + space.", name, "))");
  };
  const bool lanes = s_.form == Form::column && s_.width > 1;
  const auto put_part = [&](const std::string& to, const std::string& type, const std::string& from) {
    put.push_back(lanes ? cat("for (int l = 0; l < live; ++l) ", to, "[segment * space.total + element + l] = ((", type, " *)&",
                              from, ")[l];")
                        : cat(to, "[segment * space.total + element] = ", from, ";"));
  };
  for (const State& state : states_) {
    const auto& [v, how] = state;
    const std::string type = how.type(1), second = how.second_type(index_, 1);
    // Masks of vectors are 0 and -1, what finish merges is 0 and 1; both count as false and true.
    const std::string to = array(type);
    put_part(to, type, first_of(state));
    take.push_back(
        cat("{ const ", type, " x = ", to, "[(segment) * space.total + element]", how.dtype == ONC_BOOL ? " & 1" : "", ";"));
    if (how.second()) {
      const std::string to2 = array(second);
      put_part(to2, second, second_of(state));
      take.push_back(cat("  const ", second, " y = ", to2, "[(segment) * space.total + element];"));
    }
    take.push_back(cat("  ", how.merge(cat("a", v), cat("b", v), "x", how.second() ? "y" : "", index_, 1), " }"));
  }
  if (s_.partial) macros_ += macro("EXPR_FINISH", put);
  if (s_.form == Form::finish) macros_ += macro("EXPR_TAKE(segment)", take);
  for (const std::string& name : parts_) field(name, 0);
}

}  // namespace oncilla::ocl
