// The frame of a program: the struct of numbers, from a row to offsets, parameters, the text as a whole.
#include "expr/program_writer.hpp"

#include <algorithm>

namespace oncilla::ocl {

using kit::cat;

ProgramWriter::ProgramWriter(const Expression& expression, const Shape& shape)
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

Program ProgramWriter::write() {
  counts();
  const bool finish = s_.form == Form::finish;
  TapeWriter full(e_.tape(), functions_, s_.width, "v", [this](TapeWriter& w, const onc_expr_inst& i) { return leaf(w, i, true); });
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

// The dims with the other side of a square last but one.
Layout ProgramWriter::squared(const Expression& expression) {
  Layout layout = expression.layout();
  const auto from = static_cast<ptrdiff_t>(expression.square_dim()), to = static_cast<ptrdiff_t>(layout.kept()) - 1;
  const auto move = [&](kit::Dims& dims) { std::rotate(dims.begin() + from, dims.begin() + from + 1, dims.begin() + to); };
  move(layout.dims);
  for (Strides& strides : layout.strides) move(strides);
  return layout;
}

int64_t ProgramWriter::outer_product(size_t begin, size_t count) const {
  int64_t n = 1;
  for (size_t d = begin; d < begin + count; ++d) n *= layout_.dims[d];
  return n;
}

// What the loops of each file count (documented there). The launch fills per_item, item_step, unit_step and segment_units.
void ProgramWriter::counts() {
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
int64_t ProgramWriter::whole_rows() const {
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

// How operand o steps along the vector axis. Coordinates are computed, so theirs is always a number.
char ProgramWriter::step(size_t o) const {
  const int64_t by = axis_stride(o);
  return by == 1 ? 'c' : by == 0 ? 'b' : 's';
}

// EXPR_KEPT(row), EXPR_REDUCED(row): from a flat row number to every operand's offset, which _k and _r hold.
void ProgramWriter::write_decomposition() {
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

std::vector<std::string> ProgramWriter::decompose(const char* part, size_t count) const {
  std::vector<std::string> lines;
  if (count > 1) lines.push_back(cat("I ", part, "_rest = (row);"));
  for (size_t d = count; d-- > 1;) {
    lines.push_back(
        cat("const I ", part, "_c", d, " = ", part, "_rest % space.", part, d, "; ", part, "_rest /= space.", part, d, ";"));
  }
  if (count > 0) lines.push_back(cat("const I ", part, "_c0 = ", count > 1 ? cat(part, "_rest") : std::string("(row)"), ";"));
  return lines;
}

std::string ProgramWriter::offset(size_t o, const std::string& name, const char* part, size_t first, size_t count) {
  std::string sum;
  for (size_t d = 0; d < count; ++d) {
    const std::string number = cat(name, "_", part, d);
    field(number, stride(o, first + d));
    sum += cat(d == 0 ? "" : " + ", part, "_c", d, " * space.", number);
  }
  return cat("const I ", name, "_", part, " = ", count == 0 ? "0" : sum, ";");
}

void ProgramWriter::write_parameters() {
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

bool ProgramWriter::peeled() const {
  if (s_.form != Form::pointwise || s_.width == 1) return false;
  const auto& insts = e_.tape().insts;
  const auto rises = [&](const onc_expr_inst& inst) { return may_rise(inst); };
  return e_.simple() || std::any_of(insts.begin(), insts.end(), rises);
}

Program ProgramWriter::assemble() {
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

Program Expression::program(const Shape& shape) const { return ProgramWriter(*this, shape).write(); }

}  // namespace oncilla::ocl
