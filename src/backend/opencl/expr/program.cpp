#include "expr/program.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "expr/reductions.hpp"
#include "expr/tape_writer.hpp"
#include "expr/types.hpp"

namespace oncilla::ocl {

namespace {

using kit::cat;
using Role = Expression::Role;

class Writer {
 public:
  Writer(const Expression& expression, const Shape& shape)
      : e_(expression),
        s_(shape),
        layout_(shape.form == Form::square ? squared(expression) : expression.layout()),
        index_(shape.wide_index ? "long" : "int"),
        rows_(shape.form == Form::item || shape.form == Form::group || shape.form == Form::tile),
        square_(shape.form == Form::square),
        axis_kept_(shape.form == Form::pointwise || square_ || shape.form == Form::column) {
    // The vector axis is taken off the dims that the loops decompose, and the other side of a square.
    outer_kept_ = layout_.kept() - (axis_kept_ && layout_.kept() > 0 ? 1 : 0) - (square_ ? 1 : 0);
    outer_reduced_ = layout_.reduced > 0 ? layout_.reduced - 1 : 0;
    if (axis_kept_ && layout_.kept() > 0) axis_ = static_cast<int>(layout_.kept()) - 1;
    if (rows_ && layout_.reduced > 0) axis_ = static_cast<int>(layout_.dims.size()) - 1;
    used_kept_.resize(e_.operands().size());
    used_reduced_.resize(e_.operands().size());
  }

  Program write() {
    counts();
    const bool finish = s_.form == Form::finish;
    TapeWriter full(e_.tape(), functions_, s_.width, "v",
                    [this](TapeWriter& w, const onc_expr_inst& i) { return leaf(w, i, true); });
    TapeWriter epilogue(e_.tape(), functions_, axis_kept_ ? s_.width : 1, "w",
                        [this](TapeWriter& w, const onc_expr_inst& i) { return leaf(w, i, false); });
    find_reductions();
    if (s_.form == Form::pointwise) hoist(full);
    if (!finish) write_step(full);
    if (e_.reduces()) {
      write_states();
      write_finish(epilogue);
    }
    write_decomposition();
    write_parameters();
    return assemble();
  }

 private:
  struct State {
    uint16_t value;  // the REDUCE instruction
    Reduction how;
  };

  // The dims with the other side of a square last but one.
  static Layout squared(const Expression& expression) {
    Layout layout = expression.layout();
    const auto from = static_cast<ptrdiff_t>(expression.square_dim()), to = static_cast<ptrdiff_t>(layout.kept()) - 1;
    const auto move = [&](kit::Dims& dims) { std::rotate(dims.begin() + from, dims.begin() + from + 1, dims.begin() + to); };
    move(layout.dims);
    for (Strides& strides : layout.strides) move(strides);
    return layout;
  }

  // ---- numbers of the struct

  void field(const std::string& name, int64_t value) { program_.space.emplace_back(name, value); }
  static int64_t chunks(int64_t size, int64_t chunk) { return (size + chunk - 1) / chunk; }
  int64_t axis_size() const { return axis_ < 0 ? 1 : layout_.dims[static_cast<size_t>(axis_)]; }
  int64_t outer_product(size_t begin, size_t count) const {
    int64_t n = 1;
    for (size_t d = begin; d < begin + count; ++d) n *= layout_.dims[d];
    return n;
  }

  // What the loops of each file count (documented there). The launch fills per_item, item_step, unit_step and segment_units.
  void counts() {
    const int64_t kept = layout_.kept_numel(), rows = outer_product(0, outer_kept_);
    const int64_t loop = layout_.reduced > 0 ? layout_.dims.back() : 1;
    const int64_t outer_reduced = outer_product(layout_.kept(), outer_reduced_);
    const int64_t vectors = chunks(axis_size(), s_.form == Form::column ? int64_t{s_.width} * s_.across : s_.chunk);
    const int64_t across = square_ ? layout_.dims[outer_kept_] : 1, strips = chunks(across, s_.width);
    field("kept", axis_kept_ ? rows * (square_ ? strips : 1) * vectors : s_.form == Form::tile ? chunks(kept, s_.width) : kept);
    for (const char* name : {"per_item", "item_step", "unit_step"}) field(name, 0);
    if (axis_kept_) {
      field("inner", axis_size());
      field("chunks", vectors);
    }
    if (square_) {
      field("across", across);
      field("strips", strips);
    }
    if (s_.form != Form::pointwise && !square_) field("total", kept);
    if (s_.form == Form::finish) field("segments", 0);
    if (s_.form == Form::tile) field("whole", whole_rows());
    if (rows_ || s_.form == Form::column) {
      field("length", loop);
      field("length_chunks", chunks(loop, s_.chunk));
      field("units", outer_reduced * chunks(loop, s_.chunk));
      field("segment_units", 0);
    }
    for (size_t d = 0; d < outer_kept_; ++d) field(cat("k", d), layout_.dims[d]);
    if (s_.form != Form::finish) {
      for (size_t d = 0; d < outer_reduced_; ++d) field(cat("r", d), layout_.dims[layout_.kept() + d]);
    }
  }

  // Of the tile form's rows, how many may be read to the end of their last vector, since it lies within every tensor still.
  int64_t whole_rows() const {
    const int64_t kept = layout_.kept_numel(), length = axis_size();
    const int64_t beyond = chunks(length, s_.width) * s_.width - length;
    int64_t whole = layout_.kept() == 1 ? kept : 0;
    for (size_t o = 0; o < e_.operands().size(); ++o) {
      if (e_.operands()[o].role == Role::output && e_.full_output(e_.operands()[o].number)) whole = 0;
      if (e_.operands()[o].role != Role::input || step(o) == 'b') continue;
      const int64_t between = layout_.kept() == 1 ? stride(o, 0) : 0;
      whole = between > 0 && step(o) == 'c' ? std::min(whole, std::max<int64_t>(0, kept - chunks(beyond, between))) : 0;
    }
    return whole;
  }

  int64_t stride(size_t o, size_t d) const { return layout_.strides[o][d]; }
  int64_t axis_stride(size_t o) const { return axis_ < 0 || axis_size() == 1 ? 1 : stride(o, static_cast<size_t>(axis_)); }
  // How operand o steps along the vector axis. Coordinates are computed, so theirs is always a number.
  char step(size_t o) const {
    const int64_t by = axis_stride(o);
    return by == 1 ? 'c' : by == 0 ? 'b' : 's';
  }
  bool is_table(size_t o) const { return e_.operands()[o].role == Role::table; }
  bool reads(size_t o) const { return e_.operands()[o].role == Role::input || is_table(o); }
  bool computed(size_t o) const { return !reads(o) && e_.operands()[o].role != Role::output; }

  // ---- places

  // Operand o's offset, in the loop over the full space or in the epilogue.
  std::string at(size_t o, bool full) {
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

  Place place(size_t o, bool full) {
    const std::string& name = e_.operands()[o].name;
    return {name, at(o, full), step(o), cat("space.", name, "_x"), "live"};
  }

  // ---- leaves of the tape

  std::string leaf(TapeWriter& writer, const onc_expr_inst& inst, bool full) {
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
  std::string turned(TapeWriter& writer, size_t o) {
    const auto& [role, number, dtype, name] = e_.operands()[o];
    used_kept_[o] = true;
    if (writer.first(name)) {
      functions_.turn(dtype, s_.width);
      const std::string type = storage_bits(dtype), vector = vector_type(type, s_.width);
      square_lines_.push_back(cat(vector, " ", name, "_square[W];"));
      square_lines_.push_back(cat("onc_turn_", vector, "((const global ", type, " *)", name, " + (", name, "_k + top * space.",
                                  name, "_y + i * space.", name, "_x), space.", name, "_x, live, rows, ", name, "_square);"));
    }
    return dtype == ONC_F16 ? cat("vload_half", s_.width, "(0, (const half *)&", name, "_square[t])") : name + "_square[t]";
  }

  // The run-time scalar as a parameter of the kernel.
  std::string scalar(uint16_t number, uint32_t dtype) {
    const uint32_t kind = kit::dtype_kind(dtype) == 'f' ? dtype : static_cast<uint32_t>(ONC_I64);
    scalars_.emplace(std::pair{number, kind}, 0);
    const std::string name = cat("s", number, kind == ONC_F32 ? "f" : kind == ONC_F64 ? "d" : "i");
    return kind == ONC_I64 ? cast_value(name, ONC_I64, dtype, 1) : name;
  }

  // The index that computed operand o stands for, as lanes of the index type.
  std::string index(size_t o, bool full, int width) {
    const std::string text = at(o, full);
    if (width == 1) return cat("(", text, ")");
    const std::string type = vector_type(index_, width);
    return cat("((", type, ")(", text, ") + ONC_LANES * (", type, ")(space.", e_.operands()[o].name, "_x))");
  }

  std::string cast_index(const std::string& x, uint32_t dtype, int width) const {
    return cast_value(x, s_.wide_index ? ONC_I64 : ONC_I32, dtype, width);
  }

  std::string philox(TapeWriter& writer, const onc_expr_inst& inst, bool full) {
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
                      type, ")((uint)", draw, "), (", type, ")((uint)(", draw, " >> 32)), (uint)", key, ", (uint)(", key,
                      " >> 32), ", name, ");"));
    }
    return cat("convert_", vector_type("long", w), "(", name, "[", inst.c, "])");
  }

  // ---- parts of the loops

  // What is the same along the vector axis (the index of a row, a channel's factor) is computed once a row, as a scalar; the
  // vectors take it from there.
  void hoist(TapeWriter& full) {
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
      row_lines_.push_back(
          cat("const bool together", inst.b, "_", inst.a, " = rises", inst.b, " && last", inst.b, " < ", size, ";"));
    }
  }

  // A read whose positions may be neighbours. Vectors of halves have to be aligned on some devices (lib/storage.h).
  bool may_rise(const onc_expr_inst& inst) const {
    return s_.form == Form::pointwise && inst.op == ONC_EX_GATHER && e_.along(inst.b) == Expression::Along::next &&
           e_.desc().input(inst.a).dtype != ONC_F16;
  }

  // Positions that rise by 1 from lane to lane, or stay the same, from begin to end of the loop: the first and the last of them
  // tell whether they do rise. Then whole vectors are read.
  void find_ahead(uint16_t v) {
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

  void find_reductions() {
    const kit::Tape& t = e_.tape();
    for (size_t v = 0; v < t.insts.size(); ++v) {
      const onc_expr_inst& inst = t.insts[v];
      if (inst.op >= ONC_EX_REDUCE_SUM && inst.op <= ONC_EX_REDUCE_ARGMAX) {
        states_.push_back({static_cast<uint16_t>(v), Reduction{inst.op, t.insts[inst.a].dtype}});
      }
    }
  }

  // EXPR_STEP: one vector of the full space: outputs that are full, and terms of the reductions.
  void write_step(TapeWriter& full) {
    const kit::Tape& t = e_.tape();
    // All loads come before all stores: an output may be the memory of an input.
    std::vector<std::string> values;
    for (size_t j = 0; j < t.outs.size(); ++j) values.push_back(e_.full_output(j) ? full.value(t.outs[j]) : "");
    for (const State& state : states_) terms_.push_back(full.value(t.insts[state.value].a));
    std::vector<std::string> lines = full.lines();
    for (size_t j = 0; j < t.outs.size(); ++j) {
      if (!e_.full_output(j)) continue;
      const size_t o = e_.operand(Role::output, static_cast<uint32_t>(j));
      lines.push_back(
          store_text(functions_, place(o, true), values[j], t.insts[t.outs[j]].dtype, e_.operands()[o].dtype, s_.width));
    }
    for (size_t k = 0; k < states_.size(); ++k) accumulate(states_[k], terms_[k], lines);
    macros_ += macro("EXPR_STEP", lines);
    if (square_) macros_ += macro("EXPR_SQUARE", square_lines_);
  }

  // Adds one vector to a state. Along a reduced axis the last vector may have lanes that do not exist.
  void accumulate(const State& state, const std::string& term, std::vector<std::string>& lines) {
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

  // A work-item of the column form has one state for each of its vectors, one of the tile form for each row, and is at number u.
  bool many() const { return s_.form == Form::tile || (s_.form == Form::column && s_.chains == 1); }
  std::string named(const char* part, uint16_t v) const { return cat(part, v, many() ? "[u]" : ""); }
  // What a step of the loop adds to: with chains, the one whose turn it is.
  std::string turn(const char* part, uint16_t v) const { return cat(part, v, many() || s_.chains > 1 ? "[u]" : ""); }
  // What results are made of when chains are joined.
  std::string joined(const char* part, const State& state) const {
    return s_.chains > 1 && !state.how.summed() ? cat(part, state.value, "[0]") : named(part, state.value);
  }

  void variable(const std::string& type, const char* part, uint16_t v, bool turns, const std::string& initial,
                std::vector<std::string>& lines) const {
    if (many() || (turns && s_.chains > 1)) {
      const char* number = s_.form == Form::tile ? "W" : s_.chains > 1 ? "CHAINS" : "ACROSS";
      lines.push_back(cat(type, " ", part, v, "[", number, "]; ", s_.form == Form::tile ? "" : "ONC_UNROLL ",
                          "for (int u = 0; u < ", number, "; ++u) ", part, v, "[u] = ", initial, ";"));
    } else {
      lines.push_back(cat(type, " ", part, v, " = ", initial, ";"));
    }
  }

  // All chains into the first, as a tree.
  void join_chains(const State& state, std::vector<std::string>& lines) const {
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
  void write_states() {
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
  void merge_lanes(const State& state, std::vector<std::string>& lines) const {
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
  static std::string truth_bit(const std::string& a, const Reduction& how) {
    return how.dtype == ONC_BOOL ? cat("(", a, " & 1)") : a;
  }

  // The tile form: a state of each row in an array; W vectors of them become one, of a result in each lane, when neighbours are
  // joined again and again, even lanes with odd ones. Float sums are added up as they are, since a row is short. Row u gets sa and
  // sb.
  void tile_state(const State& state, std::vector<std::string>& declare, std::vector<std::string>& lanes) {
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
    lanes.push_back(cat("    ", type, " even = ", pairs(from, "ONC_EVEN", type), "; const ", type,
                        " odd = ", pairs(from, "ONC_ODD", type), ";"));
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
  void write_group() {
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

  // ---- behind the loops

  std::string first_of(const State& state) const { return rows_ ? cat("sa", state.value) : joined("a", state); }
  std::string second_of(const State& state) const { return rows_ ? cat("sb", state.value) : joined("b", state); }

  // EXPR_FINISH: the epilogue, or the states to the workspace. EXPR_TAKE(segment) of the finish form reads them back.
  void write_finish(TapeWriter& epilogue) {
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
  void write_partial() {
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

  // EXPR_KEPT(row), EXPR_REDUCED(row): from a flat row number to every operand's offset, which _k and _r hold.
  void write_decomposition() {
    std::vector<std::string> kept = decompose("k", outer_kept_), reduced = decompose("r", outer_reduced_);
    for (size_t o = 0; o < e_.operands().size(); ++o) {
      const std::string& name = e_.operands()[o].name;
      if (is_table(o)) {
        if (used_kept_[o]) field(name + "_n", e_.desc().input(e_.operands()[o].number).numel());
        continue;
      }
      if (used_kept_[o]) kept.push_back(offset(o, name, "k", 0, outer_kept_));
      if (used_reduced_[o]) reduced.push_back(offset(o, name, "r", layout_.kept(), outer_reduced_));
      if (used_reduced_[o] && s_.form == Form::column && layout_.reduced > 0) field(name + "_l", layout_.strides[o].back());
      if (used_kept_[o] && s_.form != Form::finish && (computed(o) || step(o) == 's')) field(name + "_x", axis_stride(o));
      if (used_kept_[o] && square_) field(name + "_y", stride(o, outer_kept_));
    }
    kept.insert(kept.end(), row_lines_.begin(), row_lines_.end());
    macros_ += macro("EXPR_KEPT(row)", kept);
    if (e_.reduces()) macros_ += macro("EXPR_REDUCED(row)", reduced);
  }

  std::vector<std::string> decompose(const char* part, size_t count) const {
    std::vector<std::string> lines;
    if (count > 1) lines.push_back(cat("I ", part, "_rest = (row);"));
    for (size_t d = count; d-- > 1;) {
      lines.push_back(
          cat("const I ", part, "_c", d, " = ", part, "_rest % space.", part, d, "; ", part, "_rest /= space.", part, d, ";"));
    }
    if (count > 0) lines.push_back(cat("const I ", part, "_c0 = ", count > 1 ? cat(part, "_rest") : std::string("(row)"), ";"));
    return lines;
  }

  std::string offset(size_t o, const std::string& name, const char* part, size_t first, size_t count) {
    std::string sum;
    for (size_t d = 0; d < count; ++d) {
      const std::string number = cat(name, "_", part, d);
      field(number, stride(o, first + d));
      sum += cat(d == 0 ? "" : " + ", part, "_c", d, " * space.", number);
    }
    return cat("const I ", name, "_", part, " = ", count == 0 ? "0" : sum, ";");
  }

  // Whether loads, stores and their tails are most of the tape, so that it is worth to compile it twice.
  bool peeled() const { return s_.form == Form::pointwise && s_.width > 1 && e_.simple(); }

  // ---- the whole

  void write_parameters() {
    std::vector<std::string> params, bind;
    for (size_t o = 0; o < e_.operands().size(); ++o) {
      const auto& operand = e_.operands()[o];
      if (!used_kept_[o] || computed(o)) continue;
      const std::string type = cat(reads(o) ? "const " : "", storage_scalar(operand.dtype));
      params.push_back(cat("ARG(", type, ", ", operand.name, "),"));
      bind.push_back(cat("BIND(", type, ", ", operand.name, ");"));
      (reads(o) ? program_.inputs : program_.outputs).push_back(operand.number);
    }
    if (program_.workspace) {
      params.push_back("ARG(uchar, workspace),");
      bind.push_back("BIND(uchar, workspace);");
    }
    for (const auto& [key, ignored] : scalars_) {
      const char* suffix = key.second == ONC_F32 ? "f" : key.second == ONC_F64 ? "d" : "i";
      params.push_back(cat("const ", value_scalar(key.second), " s", key.first, suffix, ","));
      program_.scalars.push_back({key.first, key.second});
    }
    params.push_back("const Space space");
    macros_ += macro("EXPR_PARAMS", params) + macro("EXPR_BIND", bind);
  }

  Program assemble() {
    static const std::map<Form, const char*> files = {
        {Form::pointwise, "expr"}, {Form::square, "expr_square"}, {Form::item, "expr_item"},    {Form::group, "expr_group"},
        {Form::tile, "expr_tile"}, {Form::column, "expr_column"}, {Form::finish, "expr_finish"}};
    program_.entry = files.at(s_.form);
    program_.file = program_.entry + ".cl";
    std::string text = "#pragma OPENCL FP_CONTRACT OFF\n";
    text += cat("typedef ", index_, " I;\n#define W ", s_.width, "\n#define CHUNK ", s_.chunk, "\n#define GROUP ", s_.group,
                "\n#define ACROSS ", s_.across, "\n#define CHAINS ", s_.chains, "\n#define PEELED ", peeled() ? 1 : 0, "\n");
    text +=
        "#include \"lib/arg.h\"\n#include \"lib/elementwise.h\"\n#include \"lib/lanes.h\"\n#include \"lib/memory.h\"\n#include "
        "\"lib/philox.h\"\n";
    if (s_.width > 1) {
      std::string numbers;
      for (int l = 0; l < s_.width; ++l) numbers += cat(l == 0 ? "" : ", ", l);
      text += cat("#define ONC_LANES ((", index_, s_.width, ")(", numbers, "))\n#define ONC_LANE_NUMBERS ((int", s_.width, ")(",
                  numbers, "))\n");
    }
    text += "typedef struct {\n";
    for (const auto& number : program_.space) text += cat("  I ", number.first, ";\n");
    program_.prelude = text + "} Space;\n" + functions_.text() + macros_;
    return std::move(program_);
  }

  const Expression& e_;
  const Shape& s_;
  const Layout layout_;
  const std::string index_;
  const bool rows_, square_, axis_kept_;  // vectors along a reduced dim; squares; vectors along a kept one
  size_t outer_kept_ = 0, outer_reduced_ = 0;
  int axis_ = -1;  // of layout_.dims; -1: a single element
  Functions functions_;
  std::string macros_;
  std::vector<State> states_;
  std::vector<std::string> terms_, parts_, row_, row_lines_, square_lines_;
  std::map<uint16_t, std::string> once_;  // what is computed once a row
  std::vector<bool> used_kept_, used_reduced_;
  std::map<std::pair<uint16_t, uint32_t>, int> scalars_;
  Program program_;
};

}  // namespace

Program Expression::program(const Shape& shape) const { return Writer(*this, shape).write(); }

}  // namespace oncilla::ocl
