// What is known of a tape before a variant is chosen.
#include <algorithm>

#include "expr/program.hpp"
#include "expr/reductions.hpp"
#include "expr/rows.hpp"
#include "runtime/storage.hpp"

namespace oncilla::ocl {

namespace {

// Row-major steps of the dims [begin, end); 0 elsewhere.
Strides row_major(const kit::Dims& dims, size_t begin, size_t end) {
  Strides strides(dims.size(), 0);
  int64_t step = 1;
  for (size_t d = end; d-- > begin;) {
    strides[d] = step;
    step *= dims[d];
  }
  return strides;
}

bool reports_position(uint16_t op) { return op == ONC_EX_REDUCE_ARGMIN || op == ONC_EX_REDUCE_ARGMAX; }

}  // namespace

Expression::Expression(const kit::OpDesc& desc) : desc_(desc) {
  const kit::Tape& t = tape();
  const size_t leading = t.rank - t.reduce_rank;
  for (uint32_t i = 0; i < desc.in.size(); ++i) {
    const bool table = t.is_table(i);  // lies beside the space: no dim steps through it
    add(table ? Role::table : Role::input, i, desc.input(i).dtype, "in", table ? Strides(t.rank, 0) : desc.input(i).strides);
  }
  for (uint32_t j = 0; j < desc.out.size(); ++j) {
    Strides strides = desc.output(j).strides;
    full_output_.push_back(!t.reduced[t.outs[j]] && (!t.both[t.outs[j]] || desc.output(j).rank() == t.rank));
    strides.resize(t.rank, 0);  // a reduced output does not move with the reduced dims
    add(Role::output, j, desc.output(j).dtype, "out", std::move(strides));
  }
  bool positions = false, random = false;
  std::vector<bool> coords(t.rank, false);
  for (const onc_expr_inst& inst : t.insts) {
    positions = positions || reports_position(inst.op);
    random = random || inst.op == ONC_EX_PHILOX;
    if (inst.op == ONC_EX_COORD) coords[inst.a] = true;
  }
  for (uint32_t d = 0; d < t.rank; ++d) {
    Strides along(t.rank, 0);
    along[d] = 1;
    if (coords[d]) add(Role::coord, d, ONC_I64, "coord", std::move(along));
  }
  if (random) add(Role::philox, 0, ONC_I64, "element", row_major(t.dims, 0, t.rank));
  if (positions) add(Role::position, 0, ONC_I64, "position", row_major(t.dims, leading, t.rank));

  // Pointwise work follows its first output, so that stores are dense; a reduction its largest input, which is what it reads.
  Order order{desc.in.size(), !positions};
  if (reduces() && !desc.in.empty()) {
    const auto span = [&](size_t i) { return reach(t.dims, strides_[i]); };
    order.lead = 0;
    for (size_t i = 1; i < desc.in.size(); ++i) order.lead = span(i) > span(order.lead) ? i : order.lead;
  }
  layout_ = collapse(t.dims, t.reduce_rank, strides_, order);
  if (reduces()) return;
  for (const onc_expr_inst& inst : t.insts) along_.push_back(find_along(inst));
}

// From the operands, which come before. Integers wrap, and so do positions that are each one more than the last. Floats are never
// next, since coordinates are integers and a cast to a float is none: they round, and positions made of them may begin and end as
// far apart as neighbours do without being neighbours in between.
Expression::Along Expression::find_along(const onc_expr_inst& inst) const {
  const auto step = [&](Role role) {
    const size_t o = operand(role, inst.a);
    return layout_.kept() == 0 ? int64_t{-1} : layout_.strides[o][layout_.kept() - 1];
  };
  if (inst.op == ONC_EX_INPUT) return step(Role::input) == 0 ? Along::same : Along::other;
  if (inst.op == ONC_EX_COORD) return step(Role::coord) == 0 ? Along::same : step(Role::coord) == 1 ? Along::next : Along::other;
  if (inst.op == ONC_EX_PHILOX) return Along::other;
  const auto operands = kit::inst_operands(inst);
  if (std::all_of(operands.begin(), operands.end(), [&](uint16_t v) { return along_[v] == Along::same; })) return Along::same;
  const auto counts = [&](uint16_t v) { return along_[v] != Along::other; };
  bool next = false;
  if (inst.op == ONC_EX_CAST) next = (inst.dtype == ONC_I32 || inst.dtype == ONC_I64) && counts(inst.a);
  if (inst.op == ONC_EX_ADD)
    next = counts(inst.a) && counts(inst.b) && (along_[inst.a] == Along::same || along_[inst.b] == Along::same);
  if (inst.op == ONC_EX_SUB) next = counts(inst.a) && along_[inst.b] == Along::same;
  if (inst.op == ONC_EX_WHERE) next = along_[inst.a] == Along::same && counts(inst.b) && counts(inst.c);
  return next ? Along::next : Along::other;
}

void Expression::add(Role role, uint32_t number, uint32_t dtype, const char* prefix, Strides strides) {
  operands_.push_back({role, number, dtype, kit::cat(prefix, number)});
  strides_.push_back(std::move(strides));
}

size_t Expression::operand(Role role, uint32_t number) const {
  for (size_t o = 0; o < operands_.size(); ++o) {
    if (operands_[o].role == role && operands_[o].number == number) return o;
  }
  throw kit::Error(ONC_INTERNAL, "[expr] no such operand");
}

bool Expression::wide_index() const {
  // Room for the last step of a loop beyond the end.
  constexpr int64_t kLimit = int64_t{1} << 30;
  bool wide = ocl::wide_index(desc_) || layout_.kept_numel() >= kLimit || layout_.reduced_numel() >= kLimit;
  for (const Strides& s : layout_.strides) wide = wide || reach(layout_.dims, s) >= kLimit;
  return wide;
}

bool Expression::simple() const {
  constexpr size_t kFew = 6;
  const auto& insts = tape().insts;
  return insts.size() <= kFew && std::all_of(insts.begin(), insts.end(), [](const onc_expr_inst& i) {
           if (i.op == ONC_EX_PHILOX || i.op == ONC_EX_GATHER) return false;
           return i.op <= ONC_EX_REDUCE_ARGMAX || !is_long(i.op, i.dtype);
         });
}

bool Expression::wide_values() const {
  const auto& insts = tape().insts;
  for (size_t v = 0; v < insts.size(); ++v) {
    const bool wide = insts[v].dtype == ONC_F64 || insts[v].dtype == ONC_I64;
    if (wide && along(static_cast<uint16_t>(v)) != Along::same) return true;
  }
  return false;
}

uint64_t Expression::state_bytes() const {
  uint64_t bytes = 0;
  for (const onc_expr_inst& inst : tape().insts) {
    if (inst.op < ONC_EX_REDUCE_SUM || inst.op > ONC_EX_REDUCE_ARGMAX) continue;
    bytes += Reduction{inst.op, tape().insts[inst.a].dtype}.second() ? 16 : 8;
  }
  return bytes;
}

int Expression::square_dim() const {
  if (reduces() || layout_.kept() < 2) return -1;
  const size_t last = layout_.kept() - 1;
  int best = -1;
  int64_t most = 0;
  for (size_t d = 0; d < last; ++d) {
    int64_t inputs = 0;
    for (size_t o = 0; o < operands_.size(); ++o) inputs += turned(o, d) ? 1 : 0;
    if (inputs > most) {
      most = inputs;
      best = static_cast<int>(d);
    }
  }
  return best;
}

bool Expression::turned(size_t o, size_t d) const {
  const Strides& strides = layout_.strides[o];
  return operands_[o].role == Role::input && strides[d] == 1 && strides[layout_.kept() - 1] > 1;
}

bool Expression::column_contiguous() const {
  if (layout_.kept() == 0 || layout_.reduced == 0) return false;
  int jumps_kept = 0, jumps_reduced = 0;
  for (size_t o = 0; o < operands_.size(); ++o) {
    const bool reads = operands_[o].role == Role::input,
               writes = operands_[o].role == Role::output && full_output_[operands_[o].number];
    if (!reads && !writes) continue;
    jumps_kept += layout_.strides[o][layout_.kept() - 1] > 1 ? 1 : 0;
    jumps_reduced += layout_.strides[o].back() > 1 ? 1 : 0;
  }
  return jumps_kept < jumps_reduced;
}

std::vector<unsigned char> Program::space_bytes(bool wide_index) const {
  std::vector<unsigned char> bytes;
  const auto append = [&](const void* value, size_t n) {
    const auto* at = static_cast<const unsigned char*>(value);
    bytes.insert(bytes.end(), at, at + n);
  };
  for (const auto& field : space) {
    const auto narrow = static_cast<int32_t>(field.second);
    wide_index ? append(&field.second, 8) : append(&narrow, 4);
  }
  return bytes;
}

}  // namespace oncilla::ocl
