// Writes a tape as OpenCL C (program.hpp): one object a program. What it writes is collected in macros, which the kernel files put
// into their loops.
//   program.cpp         the frame: numbers of the struct, offsets of a row, parameters, the text as a whole
//   program_values.cpp  places of operands, leaves of the tape, what is computed once a row
//   program_states.cpp  a step of the loops, states of reductions, results
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "expr/program.hpp"
#include "expr/reductions.hpp"
#include "expr/tape_writer.hpp"
#include "expr/types.hpp"

namespace oncilla::ocl {

class ProgramWriter {
 public:
  ProgramWriter(const Expression& expression, const Shape& shape);
  Program write();

 private:
  using Role = Expression::Role;
  struct State {
    uint16_t value;  // the REDUCE instruction
    Reduction how;
  };

  // ---- frame

  void field(const std::string& name, int64_t value) { program_.space.emplace_back(name, value); }
  static int64_t chunks(int64_t size, int64_t chunk) { return (size + chunk - 1) / chunk; }
  int64_t axis_size() const { return axis_ < 0 ? 1 : layout_.dims[static_cast<size_t>(axis_)]; }
  int64_t stride(size_t o, size_t d) const { return layout_.strides[o][d]; }
  int64_t axis_stride(size_t o) const { return axis_ < 0 || axis_size() == 1 ? 1 : stride(o, static_cast<size_t>(axis_)); }
  bool is_table(size_t o) const { return e_.operands()[o].role == Role::table; }
  bool reads(size_t o) const { return e_.operands()[o].role == Role::input || is_table(o); }
  bool computed(size_t o) const { return !reads(o) && e_.operands()[o].role != Role::output; }
  static Layout squared(const Expression& expression);
  int64_t outer_product(size_t begin, size_t count) const;
  void counts();
  int64_t whole_rows() const;
  char step(size_t o) const;
  void write_decomposition();
  std::vector<std::string> decompose(const char* part, size_t count) const;
  std::string offset(size_t o, const std::string& name, const char* part, size_t first, size_t count);
  void write_parameters();
  Program assemble();
  // Whether loads, stores and their tails are most of the tape, so that it is worth to compile it twice.
  bool peeled() const;

  // ---- values

  std::string at(size_t o, bool full);
  Place place(size_t o, bool full);
  std::string leaf(TapeWriter& writer, const onc_expr_inst& inst, bool full);
  std::string turned(TapeWriter& writer, size_t o);
  std::string scalar(uint16_t number, uint32_t dtype);
  std::string index(size_t o, bool full, int width);
  std::string cast_index(const std::string& x, uint32_t dtype, int width) const;
  std::string philox(TapeWriter& writer, const onc_expr_inst& inst, bool full);
  void hoist(TapeWriter& full);
  bool may_rise(const onc_expr_inst& inst) const;
  void find_ahead(uint16_t v);

  // ---- states

  // A work-item of the column form has one state for each of its vectors, one of the tile form for each row, and is at number u.
  bool many() const { return s_.form == Form::tile || (s_.form == Form::column && s_.chains == 1); }
  std::string named(const char* part, uint16_t v) const { return kit::cat(part, v, many() ? "[u]" : ""); }
  // What a step of the loop adds to: with chains, the one whose turn it is.
  std::string turn(const char* part, uint16_t v) const { return kit::cat(part, v, many() || s_.chains > 1 ? "[u]" : ""); }
  std::string first_of(const State& state) const { return rows_ ? kit::cat("sa", state.value) : joined("a", state); }
  std::string second_of(const State& state) const { return rows_ ? kit::cat("sb", state.value) : joined("b", state); }
  void find_reductions();
  void write_step(TapeWriter& full);
  void accumulate(const State& state, const std::string& term, std::vector<std::string>& lines);
  std::string joined(const char* part, const State& state) const;
  void variable(const std::string& type, const char* part, uint16_t v, bool turns, const std::string& initial,
                std::vector<std::string>& lines) const;
  void join_chains(const State& state, std::vector<std::string>& lines) const;
  void write_states();
  void merge_lanes(const State& state, std::vector<std::string>& lines) const;
  static std::string truth_bit(const std::string& a, const Reduction& how);
  void tile_state(const State& state, std::vector<std::string>& declare, std::vector<std::string>& lanes);
  void write_group();
  void write_finish(TapeWriter& epilogue);
  void write_partial();

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

}  // namespace oncilla::ocl
