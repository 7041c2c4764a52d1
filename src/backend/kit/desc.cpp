// Facts about tensors, and the copy of a caller's onc_op_desc into an OpDesc. What each op demands of its tensors is check.cpp's.
#include "kit/desc.hpp"

#include <limits>

#include "kit/structs.hpp"

namespace oncilla::kit {
namespace {

constexpr uint32_t kMaxTensors = 1 << 20;  // of one side of a descriptor
constexpr uint32_t kMaxExtensions = 64;    // a longer chain is a cycle

struct DtypeRow {
  const char* name;
  uint8_t bytes;
  char kind;
};

constexpr DtypeRow dtype_row(uint32_t dtype) {
  switch (dtype) {
#define ONC_DTYPE(number, NAME, name, bytes, kind, ...) \
  case number:                                          \
    return {#name, bytes, #kind[0]};
#include "oncilla/dtypes.def"
#undef ONC_DTYPE
    default:
      return {nullptr, 0, 0};
  }
}

// A row of ops.def; max_in and n_out are -1 where attrs decide.
struct OpRow {
  const char* name;
  size_t attrs_bytes;
  int64_t min_in, max_in, n_out;
};

constexpr OpRow op_row(uint32_t op) {
  switch (op) {
#define ONC_OP(number, NAME, name, attrs, min_in, max_in, n_out) \
  case number:                                                   \
    return {#name, sizeof(attrs), min_in, max_in, n_out};
#include "oncilla/ops.def"
#undef ONC_OP
    default:
      return {nullptr, 0, 0, 0, 0};
  }
}

// Products and sums below are exact: checked_* is false where int64 overflows.
bool checked_mul(int64_t a, int64_t b, int64_t* out) { return !__builtin_mul_overflow(a, b, out); }
bool checked_add(int64_t a, int64_t b, int64_t* out) { return !__builtin_add_overflow(a, b, out); }

// "input 3" in messages.
struct Slot {
  const char* side;
  size_t index;
};
std::ostream& operator<<(std::ostream& out, const Slot& slot) { return out << slot.side << " " << slot.index; }

Tensor parse_tensor(const char* op, Slot slot, const onc_tensor_desc* pointer) {
  const onc_tensor_desc desc = read_struct(op, cat(slot).c_str(), pointer);
  require(dtype_row(desc.dtype).name != nullptr, "[", op, "] ", slot, " has the unknown dtype ", desc.dtype);
  require(desc.rank <= kMaxRank, "[", op, "] ", slot, " has rank ", desc.rank, ", above ", kMaxRank);
  require(desc.rank == 0 || desc.dims != nullptr, "[", op, "] ", slot, " has rank ", desc.rank, " and dims NULL");
  require(desc.rank == 0 || desc.strides != nullptr, "[", op, "] ", slot, " has rank ", desc.rank, " and strides NULL");
  Tensor tensor{desc.dtype, Dims(desc.dims, desc.dims + desc.rank), Dims(desc.strides, desc.strides + desc.rank)};

  // Sizes of 0 count as 1, so that partial products of an empty tensor fit as well.
  int64_t numel = 1, span = 1, bytes = 0;
  bool fits = true;
  for (uint32_t i = 0; i < desc.rank; ++i) {
    const int64_t dim = tensor.dims[i], stride = tensor.strides[i];
    require(dim >= 0, "[", op, "] ", slot, " has the negative size ", dim, " in dim ", i);
    require(stride >= 0, "[", op, "] ", slot, " has the negative stride ", stride, " in dim ", i);
    int64_t reach = 0;
    fits = fits && checked_mul(numel, std::max<int64_t>(dim, 1), &numel);
    fits = fits && checked_mul(std::max<int64_t>(dim, 1) - 1, stride, &reach) && checked_add(span, reach, &span);
  }
  const auto item = static_cast<int64_t>(dtype_bytes(desc.dtype));
  fits = fits && checked_mul(numel, item, &bytes) && checked_mul(span, item, &bytes);
  require(fits, "[", op, "] ", slot, " of sizes ", to_string(tensor.dims), " and strides ", to_string(tensor.strides),
          " does not fit in 64-bit byte offsets");
  return tensor;
}

std::vector<std::optional<Tensor>> parse_tensors(const char* op, const char* side, const onc_tensor_desc* const* list,
                                                 uint32_t count) {
  require(count <= kMaxTensors, "[", op, "] ", count, " ", side, "s are above ", kMaxTensors);
  require(count == 0 || list != nullptr, "[", op, "] ", count, " ", side, "s, but the list is NULL");
  std::vector<std::optional<Tensor>> tensors(count);
  for (uint32_t i = 0; i < count; ++i)
    if (list[i] != nullptr) tensors[i] = parse_tensor(op, {side, i}, list[i]);
  return tensors;
}

std::string parse_extensions(const char* op, const onc_ext* ext) {
  std::string variant;
  for (uint32_t n = 0; ext != nullptr; ext = ext->next, ++n) {
    require(n < kMaxExtensions, "[", op, "] the chain of extensions is longer than ", kMaxExtensions);
    if (ext->type != ONC_EXT_VARIANT) continue;  // an unknown one is skipped
    require(ext->size >= sizeof(onc_ext_variant), "[", op, "] the variant extension has size ", ext->size, ", below ",
            sizeof(onc_ext_variant));
    const char* name = reinterpret_cast<const onc_ext_variant*>(ext)->name;
    require(name != nullptr, "[", op, "] the name of the forced variant is NULL");
    variant = name;
  }
  return variant;
}

// Attributes of an op without a tape: the caller's bytes, zero-extended, and without its pointer to extensions.
std::vector<unsigned char> parse_attrs(uint32_t op, const OpRow& row, const void* attrs) {
  const bool may_be_absent = row.attrs_bytes == sizeof(onc_no_attrs) || op == ONC_OP_MATMUL;
  const uint32_t known_flags = op == ONC_OP_MATMUL || op == ONC_OP_CONV ? uint32_t{ONC_ATTRS_EPILOGUE} : 0;
  std::vector<unsigned char> bytes(row.attrs_bytes);
  if (attrs == nullptr) {
    require(may_be_absent, "[", row.name, "] attrs is NULL");
    return bytes;
  }
  const uint32_t size = struct_size(row.name, "attrs", attrs);
  onc_no_attrs head = read_struct(row.name, "attrs", static_cast<const onc_no_attrs*>(attrs), known_flags);
  std::memcpy(bytes.data(), attrs, std::min<size_t>(size & ~7u, bytes.size()));
  head.size = static_cast<uint32_t>(bytes.size());
  head.next = nullptr;
  std::memcpy(bytes.data(), &head, sizeof(head));
  return bytes;
}

}  // namespace

size_t dtype_bytes(uint32_t dtype) { return dtype_row(dtype).bytes; }
char dtype_kind(uint32_t dtype) { return dtype_row(dtype).kind; }
const char* dtype_name(uint32_t dtype) {
  const char* name = dtype_row(dtype).name;
  return name != nullptr ? name : "no dtype";
}

std::string to_string(const Dims& dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(dims[i]);
  return text + "]";
}

int64_t Tensor::numel() const {
  int64_t n = 1;
  for (const int64_t dim : dims) n *= dim;
  return n;
}

bool Tensor::contiguous() const {
  if (numel() == 0) return true;
  int64_t expected = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    if (dims[i] != 1 && strides[i] != expected) return false;
    expected *= dims[i];
  }
  return true;
}

int64_t Tensor::span() const {
  if (numel() == 0) return 0;
  int64_t last = 0;
  for (size_t i = 0; i < dims.size(); ++i) last += (dims[i] - 1) * strides[i];
  return last + 1;
}

bool Tensor::may_overlap() const {
  if (numel() < 2) return false;
  // From the smallest stride on, a step must clear all that the steps before it reach.
  std::vector<std::pair<int64_t, int64_t>> steps;
  for (size_t i = 0; i < dims.size(); ++i)
    if (dims[i] > 1) steps.emplace_back(strides[i], dims[i]);
  std::sort(steps.begin(), steps.end());
  int64_t reached = 0;
  for (const auto& [stride, dim] : steps) {
    if (stride <= reached) return true;
    reached += (dim - 1) * stride;
  }
  return false;
}

std::string Tensor::str() const { return dtype_name(dtype) + to_string(dims); }

const char* OpDesc::name() const {
  const char* name = op_row(op).name;
  return name != nullptr ? name : "no op";
}

uint32_t scalar_count(const OpDesc& desc) {
  if (desc.tape) return desc.tape->n_scalars + desc.tape->n_tensor_scalars * desc.foreach_tensors;
  const uint32_t further = desc.epilogue ? desc.epilogue->n_scalars : 0;
  switch (desc.op) {
    case ONC_OP_MATMUL:
    case ONC_OP_BATCH_NORM:
      return 2 + further;
    case ONC_OP_PAD:
    case ONC_OP_LAYER_NORM:
    case ONC_OP_GROUP_NORM:
    case ONC_OP_VAR_MEAN:
      return 1;
    case ONC_OP_ATTENTION:
    case ONC_OP_ATTENTION_GRAD:
      return 4;
    default:
      return further;
  }
}

OpDesc parse(const onc_op_desc& given) {
  const onc_op_desc from = read_struct("plan_create", "desc", &given);
  const OpRow row = op_row(from.op);
  require(row.name != nullptr, "[plan_create] there is no op ", from.op);
  const int64_t n_in = from.n_in, n_out = from.n_out;
  require(n_in >= row.min_in, "[", row.name, "] ", n_in, " inputs are fewer than ", row.min_in);
  require(row.max_in < 0 || n_in <= row.max_in, "[", row.name, "] ", n_in, " inputs are more than ", row.max_in);
  require(row.n_out < 0 || n_out == row.n_out, "[", row.name, "] ", n_out, " outputs, but it has ", row.n_out);

  OpDesc desc;
  desc.op = from.op;
  desc.in = parse_tensors(row.name, "input", from.in, from.n_in);
  desc.out = parse_tensors(row.name, "output", from.out, from.n_out);
  desc.variant = parse_extensions(row.name, from.next);
  if (desc.op == ONC_OP_EXPR) {
    desc.tape = parse_tape(read_struct(row.name, "attrs", static_cast<const onc_expr_attrs*>(from.attrs)), desc);
  } else if (desc.op == ONC_OP_FOREACH) {
    const auto attrs = read_struct(row.name, "attrs", static_cast<const onc_foreach_attrs*>(from.attrs));
    desc.foreach_tensors = attrs.n_tensors;
    desc.tape = parse_tape(attrs, desc);
  } else {
    desc.attrs = parse_attrs(desc.op, row, from.attrs);
    if (desc.op == ONC_OP_MATMUL || desc.op == ONC_OP_CONV) parse_epilogue(desc);
  }
  check_op(desc);
  return desc;
}

}  // namespace oncilla::kit
