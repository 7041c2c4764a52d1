#include "kit/bounds.hpp"

namespace oncilla::kit {
namespace {

bool inside(onc_arg at, uint64_t bytes) {
  const uint64_t size = at.buffer->bytes();
  return at.offset <= size && bytes <= size - at.offset;
}

bool ranges_meet(onc_arg a, uint64_t a_bytes, onc_arg b, uint64_t b_bytes) {
  return a.buffer == b.buffer && a.offset < b.offset + b_bytes && b.offset < a.offset + a_bytes;
}

// "input 2" or "output 0" of the descriptor.
std::string arg_name(const onc_plan& plan, size_t i) {
  const size_t n_in = plan.desc.in.size();
  return i < n_in ? cat("input ", i) : cat("output ", i - n_in);
}

// The pairs that ops.def allows to be the same memory.
bool may_be_same(uint32_t op, size_t in, size_t out) {
  return (op == ONC_OP_MATMUL && in == 2) || (op == ONC_OP_BATCH_NORM && in >= 3 && in == out) || (op == ONC_OP_SCATTER && in == 0);
}

// Two tensors that begin at one place hold the same elements at the same indices.
bool same_elements(const Tensor& a, const Tensor& b) {
  if (a.dims != b.dims || dtype_bytes(a.dtype) != dtype_bytes(b.dtype)) return false;
  for (size_t i = 0; i < a.dims.size(); ++i)
    if (a.dims[i] > 1 && a.strides[i] != b.strides[i]) return false;
  return true;
}

// The memory of an output must not be that of a table, of which any element may be read at any time.
void check_table(const onc_plan& plan, const onc_run& run, size_t i, size_t o) {
  const size_t n_in = plan.desc.in.size();
  const ArgBounds &table = plan.bounds[i], &out = plan.bounds[n_in + o];
  const onc_arg from = run.args[i], to = run.args[n_in + o];
  const bool meet =
      out.dense ? ranges_meet(from, table.bytes, to, out.bytes) : from.buffer == to.buffer && from.offset == to.offset;
  require(!meet, "[expr] output ", o, " (offset ", to.offset, ", ", out.bytes, " bytes) overlaps the table, input ", i, " (offset ",
          from.offset, ", ", table.bytes, " bytes)");
}

// A tape reads and writes element by element, so that an output may be an input of the same strides. Beginning at one place with
// others, some elements would be read after they were written. (Strided tensors that begin elsewhere may interleave.)
void check_in_place(const onc_plan& plan, const onc_run& run) {
  const size_t n_in = plan.desc.in.size();
  for (size_t o = 0; o < plan.desc.out.size(); ++o) {
    const onc_arg out = run.args[n_in + o];
    const ArgBounds& out_bounds = plan.bounds[n_in + o];
    for (size_t i = 0; i < n_in; ++i) {
      const ArgBounds& bounds = plan.bounds[i];
      if (bounds.bytes != 0 && out_bounds.bytes != 0 && plan.desc.tape->is_table(i)) {
        check_table(plan, run, i, o);
        continue;
      }
      if (run.args[i].buffer != out.buffer || run.args[i].offset != out.offset || bounds.bytes == 0 || out_bounds.bytes == 0)
        continue;
      const Tensor &from = plan.desc.input(i), &to = plan.desc.output(o);
      const bool one_element = bounds.bytes == bounds.align && out_bounds.bytes == out_bounds.align;
      if (one_element || same_elements(from, to)) continue;
      throw Error(ONC_INVALID_ARGUMENT,
                  cat("[expr] output ", o, " ", to, " with strides ", to_string(to.strides), " begins where input ", i, " ", from,
                      " with strides ", to_string(from.strides), " does: not the same elements"));
    }
  }
}

// Between dense tensors, to share a range is to overlap.
void check_outputs_apart(const onc_plan& plan, const onc_run& run) {
  if (plan.desc.op == ONC_OP_EXPR) return check_in_place(plan, run);
  if (plan.desc.op == ONC_OP_FOREACH) return;  // contiguous lists, in place as a rule
  const size_t n_in = plan.desc.in.size(), n = plan.bounds.size();
  for (size_t o = n_in; o < n; ++o) {
    for (size_t i = 0; i < o; ++i) {
      const ArgBounds &out = plan.bounds[o], &other = plan.bounds[i];
      if (!out.dense || !other.dense || !ranges_meet(run.args[o], out.bytes, run.args[i], other.bytes)) continue;
      const bool same = run.args[o].offset == run.args[i].offset && out.bytes == other.bytes;
      const bool allowed = same && i < n_in && may_be_same(plan.desc.op, i, o - n_in);
      if (allowed) continue;
      throw Error(ONC_INVALID_ARGUMENT,
                  cat("[", plan.desc.name(), "] ", arg_name(plan, o), " (offset ", run.args[o].offset, ", ", out.bytes,
                      " bytes) overlaps ", arg_name(plan, i), " (offset ", run.args[i].offset, ", ", other.bytes, " bytes)"));
    }
  }
}

void check_workspace(const onc_plan& plan, onc_arg at) {
  const uint64_t bytes = plan.info.workspace_bytes;
  if (bytes == 0) return;
  const char* op = plan.desc.name();
  require(at.buffer != nullptr, "[", op, "] the plan needs a workspace of ", bytes, " bytes, and none is given");
  require(inside(at, bytes), "[", op, "] workspace of ", bytes, " bytes at offset ", at.offset, " passes the end of a buffer of ",
          at.buffer->bytes(), " bytes");
  require(at.offset % kWorkspaceAlign == 0, "[", op, "] workspace offset ", at.offset, " is not a multiple of ", kWorkspaceAlign);
}

}  // namespace

std::vector<ArgBounds> arg_bounds(const OpDesc& desc) {
  std::vector<ArgBounds> bounds;
  bounds.reserve(desc.in.size() + desc.out.size());
  for (const auto* side : {&desc.in, &desc.out}) {
    for (const std::optional<Tensor>& t : *side) {
      ArgBounds b;
      if (t) {
        const uint64_t item = dtype_bytes(t->dtype), span = static_cast<uint64_t>(t->span());
        b = {true, span > 0 && span == static_cast<uint64_t>(t->numel()), span * item, item};
      }
      bounds.push_back(b);
    }
  }
  return bounds;
}

void check_range(SlotName slot, const char* what, onc_arg at, uint64_t bytes) {
  slot.holds(at.buffer != nullptr, what, ".buffer is NULL");
  slot.holds(inside(at, bytes), what, " of ", bytes, " bytes at offset ", at.offset, " passes the end of a buffer of ",
             at.buffer->bytes(), " bytes");
}

void check_d2d(SlotName slot, onc_arg dst, onc_arg src, uint64_t bytes) {
  check_range(slot, "dst", dst, bytes);
  check_range(slot, "src", src, bytes);
  slot.holds(dst.offset == src.offset || !ranges_meet(dst, bytes, src, bytes), "dst at offset ", dst.offset, " and src at offset ",
             src.offset, " overlap in part over ", bytes, " bytes");
}

void check_fill(SlotName slot, onc_arg dst, uint64_t bytes, uint32_t pattern_bytes) {
  const bool known = pattern_bytes == 1 || pattern_bytes == 2 || pattern_bytes == 4 || pattern_bytes == 8 || pattern_bytes == 16;
  slot.holds(known, "pattern_bytes ", pattern_bytes, " is not 1, 2, 4, 8 or 16");
  slot.holds(bytes % pattern_bytes == 0, "bytes ", bytes, " is not a multiple of the pattern's ", pattern_bytes);
  slot.holds(dst.offset % pattern_bytes == 0, "dst.offset ", dst.offset, " is not a multiple of the pattern's ", pattern_bytes);
  check_range(slot, "dst", dst, bytes);
}

void check_run(const onc_plan& plan, const onc_run& run) {
  const char* op = plan.desc.name();
  require(run.n_args == plan.bounds.size(), "[", op, "] ", run.n_args, " arguments, but the plan has ", plan.bounds.size());
  require(run.n_args == 0 || run.args != nullptr, "[", op, "] args is NULL");
  require(run.n_scalars == plan.n_scalars, "[", op, "] ", run.n_scalars, " scalars, but the plan reads ", plan.n_scalars);
  require(run.n_scalars == 0 || run.scalars != nullptr, "[", op, "] scalars is NULL");
  for (size_t i = 0; i < plan.bounds.size(); ++i) {
    const ArgBounds& bound = plan.bounds[i];
    if (bound.bytes == 0) continue;  // absent or empty
    const onc_arg at = run.args[i];
    if (at.buffer != nullptr && inside(at, bound.bytes) && at.offset % bound.align == 0) continue;
    const std::string name = arg_name(plan, i);
    require(at.buffer != nullptr, "[", op, "] ", name, " has no buffer");
    require(inside(at, bound.bytes), "[", op, "] ", name, " of ", bound.bytes, " bytes at offset ", at.offset,
            " passes the end of a buffer of ", at.buffer->bytes(), " bytes");
    require(false, "[", op, "] ", name, " has offset ", at.offset, ", not a multiple of the ", bound.align, " bytes of an element");
  }
  check_workspace(plan, run.workspace);
  check_outputs_apart(plan, run);
}

}  // namespace oncilla::kit
