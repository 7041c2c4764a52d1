// Op (op.hpp). What is added is written straight into the plan's key: 8-byte words in sections, each begun by a tag. On a hit
// nothing else happens; on a miss the key itself is read back into descriptors, which is why sizes, strides and instructions lie in
// it as the ABI has them.
#include "core/op.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "core/allocator.hpp"
#include "core/forced.hpp"
#include "core/fork_guard.hpp"
#include "core/ownership.hpp"
#include "core/trace.hpp"

namespace oncilla {
namespace {

// A tag: the section's kind in the low byte, a small number above it, a count in the high half.
enum Section : uint64_t {
  kIn = 1,
  kOut = 2,
  kNoIn = 3,
  kNoOut = 4,
  kAttrs = 5,
  kExpr = 6,
  kForeach = 7,
  kVariant = 8,
  kEpilogue = 9
};

constexpr uint64_t tag(Section kind, uint64_t small, uint64_t count) {
  return kind | std::min<uint64_t>(small, 0xFFFFFF) << 8 | count << 32;
}
constexpr Section kind_of(uint64_t tag) { return static_cast<Section>(tag & 0xFF); }
constexpr uint32_t small_of(uint64_t tag) { return static_cast<uint32_t>(tag >> 8 & 0xFFFFFF); }
constexpr uint32_t count_of(uint64_t tag) { return static_cast<uint32_t>(tag >> 32); }
constexpr uint64_t words_for(uint64_t bytes) { return (bytes + 7) / 8; }

static_assert(sizeof(onc_expr_inst) == 24, "instructions are copied into keys as three words");

constexpr size_t kHead = 2;  // op; numbers of inputs and outputs

uint64_t now_ns() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

// Words that grow without being initialised.
class Words {
 public:
  uint64_t* grow(size_t count) {
    if (size_ + count > capacity_) enlarge(size_ + count);
    uint64_t* at = data_.get() + size_;
    size_ += count;
    return at;
  }
  void clear() { size_ = 0; }
  uint64_t* data() { return data_.get(); }
  const uint64_t* data() const { return data_.get(); }
  size_t size() const { return size_; }
  std::string_view bytes() const { return {reinterpret_cast<const char*>(data_.get()), size_ * sizeof(uint64_t)}; }

 private:
  void enlarge(size_t needed) {
    const size_t capacity = std::max<size_t>(needed * 2, 256);
    auto data = std::make_unique_for_overwrite<uint64_t[]>(capacity);
    if (size_ != 0) std::memcpy(data.get(), data_.get(), size_ * sizeof(uint64_t));
    data_ = std::move(data);
    capacity_ = capacity;
  }
  std::unique_ptr<uint64_t[]> data_;
  size_t size_ = 0, capacity_ = 0;
};

void put_tape(Words& key, const Tape& tape) {
  const auto& insts = tape.insts();
  const auto& outs = tape.outs();
  uint64_t* at = key.grow(insts.size() * 3 + words_for(outs.size() * sizeof(uint16_t)));
  if (!insts.empty()) std::memcpy(at, insts.data(), insts.size() * sizeof(onc_expr_inst));
  at += insts.size() * 3;
  if (outs.empty()) return;
  at[words_for(outs.size() * sizeof(uint16_t)) - 1] = 0;
  std::memcpy(at, outs.data(), outs.size() * sizeof(uint16_t));
}

// The key's sections as the ABI's structs, which point into the key.
struct Decoded {
  std::vector<onc_tensor_desc> in_descs, out_descs;
  std::vector<const onc_tensor_desc*> in, out;
  onc_expr_attrs expr{};
  onc_foreach_attrs foreach{};
  onc_epilogue epilogue{};
  onc_matmul_attrs matmul{};
  onc_conv_attrs conv{};
  onc_ext_variant variant{};
  onc_op_desc desc{};

  explicit Decoded(const Words& key);
  Decoded(const Decoded&) = delete;

 private:
  void tensor(std::vector<onc_tensor_desc>& descs, std::vector<const onc_tensor_desc*>& list, uint64_t head, const uint64_t*& at);
  void tape(uint64_t head, const uint64_t*& at);
  void append_epilogue(uint64_t head, const uint64_t*& at);
};

void Decoded::tensor(std::vector<onc_tensor_desc>& descs, std::vector<const onc_tensor_desc*>& list, uint64_t head,
                     const uint64_t*& at) {
  const uint32_t rank = count_of(head);
  onc_tensor_desc desc{};
  desc.size = sizeof(desc);
  desc.dtype = small_of(head);
  desc.rank = rank;
  desc.dims = reinterpret_cast<const int64_t*>(at);
  desc.strides = desc.dims + rank;
  at += 2 * rank;
  descs.push_back(desc);
  list.push_back(&descs.back());
}

void Decoded::tape(uint64_t head, const uint64_t*& at) {
  const uint32_t n_insts = count_of(head);
  const uint64_t n_outs = at[0], n_scalars = at[1];
  if (kind_of(head) == kExpr) {
    expr.size = sizeof(expr);
    expr.rank = small_of(head);
    expr.reduce_rank = static_cast<uint32_t>(at[2]);
    expr.n_insts = n_insts;
    expr.n_outs = static_cast<uint32_t>(n_outs);
    expr.n_scalars = static_cast<uint32_t>(n_scalars);
    at += 3;
    expr.dims = reinterpret_cast<const int64_t*>(at);
    at += expr.rank;
    expr.insts = reinterpret_cast<const onc_expr_inst*>(at);
    at += n_insts * 3;
    expr.outs = reinterpret_cast<const uint16_t*>(at);
    desc.attrs = &expr;
  } else {
    foreach
      .size = sizeof(foreach);
    foreach
      .n_tensors = static_cast<uint32_t>(at[2]);
    foreach
      .n_in_lists = static_cast<uint32_t>(at[3]);
    foreach
      .n_out_lists = static_cast<uint32_t>(at[4]);
    foreach
      .n_insts = n_insts;
    foreach
      .n_scalars = static_cast<uint32_t>(n_scalars);
    foreach
      .n_tensor_scalars = small_of(head);
    at += 5;
    foreach
      .insts = reinterpret_cast<const onc_expr_inst*>(at);
    at += n_insts * 3;
    foreach
      .outs = reinterpret_cast<const uint16_t*>(at);
    desc.attrs = &foreach;
  }
  at += words_for(n_outs * sizeof(uint16_t));
}

// The attributes before it get the pointer, in a copy.
void Decoded::append_epilogue(uint64_t head, const uint64_t*& at) {
  epilogue.size = sizeof(epilogue);
  epilogue.n_insts = count_of(head);
  epilogue.n_inputs = static_cast<uint32_t>(at[0]);
  epilogue.n_scalars = static_cast<uint32_t>(at[1]);
  epilogue.insts = reinterpret_cast<const onc_expr_inst*>(at + 2);
  at += 2 + epilogue.n_insts * 3;
  uint16_t out = 0;
  std::memcpy(&out, at, sizeof(out));
  epilogue.out = out;
  at += small_of(head);
  const auto take = [&](auto& attrs) {
    uint32_t size = 0;
    if (desc.attrs != nullptr) std::memcpy(&size, desc.attrs, sizeof(size));
    if (size != 0) std::memcpy(&attrs, desc.attrs, std::min<size_t>(size, sizeof(attrs)));
    attrs.size = sizeof(attrs);
    attrs.flags |= ONC_ATTRS_EPILOGUE;
    attrs.epilogue = &epilogue;
    desc.attrs = &attrs;
  };
  desc.op == ONC_OP_CONV ? take(conv) : take(matmul);
}

Decoded::Decoded(const Words& key) {
  desc.size = sizeof(desc);
  desc.op = static_cast<uint32_t>(key.data()[0]);
  desc.n_in = static_cast<uint32_t>(key.data()[1]);
  desc.n_out = static_cast<uint32_t>(key.data()[1] >> 32);
  in_descs.reserve(desc.n_in);  // the lists below point into them
  out_descs.reserve(desc.n_out);
  const uint64_t* at = key.data() + kHead;
  const uint64_t* const end = key.data() + key.size();
  while (at < end) {
    const uint64_t head = *at++;
    switch (kind_of(head)) {
      case kIn:
        tensor(in_descs, in, head, at);
        break;
      case kOut:
        tensor(out_descs, out, head, at);
        break;
      case kNoIn:
        in.push_back(nullptr);
        break;
      case kNoOut:
        out.push_back(nullptr);
        break;
      case kAttrs:
        desc.attrs = at;
        at += words_for(count_of(head));
        break;
      case kExpr:
      case kForeach:
        tape(head, at);
        break;
      case kEpilogue:
        append_epilogue(head, at);
        break;
      case kVariant:
        variant.head.type = ONC_EXT_VARIANT;
        variant.head.size = sizeof(variant);
        variant.name = reinterpret_cast<const char*>(at);  // with its final zero
        desc.next = &variant.head;
        at += words_for(count_of(head));
        break;
    }
  }
  desc.in = in.data();
  desc.out = out.data();
}

}  // namespace

struct Op::Scratch {
  Words key;
  std::vector<onc_arg> args;  // inputs, then outputs
  std::vector<onc_scalar> scalars;
  uint32_t n_in = 0, n_out = 0;
  bool has_variant = false;
};

namespace {

// Scratches of this thread that no Op holds.
template <class T>
struct Spare {
  std::vector<std::unique_ptr<T>> list;
};

}  // namespace

struct Op::Maker {
  static Spare<Scratch>& spare() {
    static thread_local Spare<Scratch> spare;
    return spare;
  }
  static Scratch* take() {
    auto& list = spare().list;
    if (list.empty()) return new Scratch;
    Scratch* scratch = list.back().release();
    list.pop_back();
    return scratch;
  }
  static void give(Scratch* scratch) { spare().list.emplace_back(scratch); }
};

const char* op_name(uint32_t op) {
  switch (op) {
#define ONC_OP(number, NAME, name, ...) \
  case number:                          \
    return #name;
#include "oncilla/ops.def"
#undef ONC_OP
    default:
      return "unknown";
  }
}

const char* dtype_name(uint32_t dtype) {
  switch (dtype) {
#define ONC_DTYPE(number, NAME, name, ...) \
  case number:                             \
    return #name;
#include "oncilla/dtypes.def"
#undef ONC_DTYPE
    default:
      return "unknown";
  }
}

Op::Op(uint32_t op) : scratch_(Maker::take()) {
  scratch_->key.clear();
  scratch_->args.clear();
  scratch_->scalars.clear();
  scratch_->n_in = scratch_->n_out = 0;
  scratch_->has_variant = false;
  uint64_t* head = scratch_->key.grow(kHead);
  head[0] = op;
  head[1] = 0;
}

Op::~Op() { Maker::give(scratch_); }

Op& Op::tensor(const TensorRef& tensor, bool output) {
  const size_t rank = tensor.dims.size();
  if (tensor.strides.size() != rank) [[unlikely]] {
    throw Error(ONC_INVALID_ARGUMENT, std::string("[") + op_name(static_cast<uint32_t>(scratch_->key.data()[0])) +
                                          "] a tensor has " + std::to_string(rank) + " dims and " +
                                          std::to_string(tensor.strides.size()) + " strides");
  }
  uint64_t* at = scratch_->key.grow(1 + 2 * rank);
  *at++ = tag(output ? kOut : kIn, tensor.dtype, rank);
  for (size_t i = 0; i < rank; ++i) at[i] = static_cast<uint64_t>(tensor.dims[i]);
  for (size_t i = 0; i < rank; ++i) at[rank + i] = static_cast<uint64_t>(tensor.strides[i]);
  return *this;
}

Op& Op::in(const TensorRef& ref) {
  tensor(ref, false);
  scratch_->args.insert(scratch_->args.begin() + scratch_->n_in++, ref.at);
  return *this;
}

Op& Op::no_in() {
  *scratch_->key.grow(1) = tag(kNoIn, 0, 0);
  scratch_->args.insert(scratch_->args.begin() + scratch_->n_in++, onc_arg{});
  return *this;
}

Op& Op::out(const TensorRef& ref) {
  tensor(ref, true);
  scratch_->args.push_back(ref.at);
  ++scratch_->n_out;
  return *this;
}

Op& Op::no_out() {
  *scratch_->key.grow(1) = tag(kNoOut, 0, 0);
  scratch_->args.push_back({});
  ++scratch_->n_out;
  return *this;
}

Op& Op::scalar(double value) {
  onc_scalar scalar;
  scalar.f = value;
  scratch_->scalars.push_back(scalar);
  return *this;
}

Op& Op::scalar_int(int64_t value) {
  onc_scalar scalar;
  scalar.i = value;
  scratch_->scalars.push_back(scalar);
  return *this;
}

Op& Op::scalar(const onc_scalar& value) {
  scratch_->scalars.push_back(value);
  return *this;
}

Op& Op::attrs(const void* attrs, uint32_t size) {
  const uint64_t words = words_for(size);
  uint64_t* at = scratch_->key.grow(1 + words);
  *at++ = tag(kAttrs, 0, size);
  if (words == 0) return *this;
  at[words - 1] = 0;
  std::memcpy(at, attrs, size);
  if (size >= sizeof(uint32_t)) std::memcpy(at, &size, sizeof(size));  // ONC_HEAD's size, whatever the caller left there
  return *this;
}

Op& Op::tape(const Tape& tape, std::span<const int64_t> dims, uint32_t reduce_rank) {
  uint64_t* at = scratch_->key.grow(4 + dims.size());
  *at++ = tag(kExpr, dims.size(), tape.insts().size());
  *at++ = tape.outs().size();
  *at++ = tape.n_scalars();
  *at++ = reduce_rank;
  for (const int64_t dim : dims) *at++ = static_cast<uint64_t>(dim);
  put_tape(scratch_->key, tape);
  return *this;
}

Op& Op::foreach (const Tape& tape, uint32_t n_tensors, uint32_t n_in_lists, uint32_t n_out_lists) {
  uint64_t* at = scratch_->key.grow(6);
  *at++ = tag(kForeach, tape.n_tensor_scalars(), tape.insts().size());
  *at++ = tape.outs().size();
  *at++ = tape.n_scalars();
  *at++ = n_tensors;
  *at++ = n_in_lists;
  *at++ = n_out_lists;
  put_tape(scratch_->key, tape);
  return *this;
}

Op& Op::epilogue(const Tape& tape) {
  if (tape.outs().size() != 1 || tape.n_inputs() == 0) {
    throw Error(ONC_INVALID_ARGUMENT, std::string("[") + op_name(static_cast<uint32_t>(scratch_->key.data()[0])) +
                                          "] an epilogue of " + std::to_string(tape.n_inputs()) + " inputs and " +
                                          std::to_string(tape.outs().size()) +
                                          " outputs: it has the result among its inputs, and one output");
  }
  uint64_t* at = scratch_->key.grow(3);
  *at++ = tag(kEpilogue, words_for(sizeof(uint16_t)), tape.insts().size());
  *at++ = tape.n_inputs() - 1;
  *at++ = tape.n_scalars();
  put_tape(scratch_->key, tape);
  return *this;
}

Op& Op::variant(const std::string& name) {
  scratch_->has_variant = true;
  const uint64_t words = words_for(name.size() + 1);
  uint64_t* at = scratch_->key.grow(1 + words);
  *at++ = tag(kVariant, 0, name.size() + 1);
  at[words - 1] = 0;
  std::memcpy(at, name.c_str(), name.size() + 1);
  return *this;
}

std::shared_ptr<Plan> Op::find(Device& device) {
  fork_guard::check("op");
  if (forced::any() && !scratch_->has_variant) [[unlikely]] {
    const std::string name = forced::variant(static_cast<uint32_t>(scratch_->key.data()[0]));
    if (!name.empty()) variant(name);
  }
  scratch_->key.data()[1] = scratch_->n_in | static_cast<uint64_t>(scratch_->n_out) << 32;
  return device.plans().get(scratch_->key.bytes(), [this, &device] {
    const Decoded decoded(scratch_->key);
    onc_plan* handle = nullptr;
    device.api().check(device.api().plan_create(device.handle(), &decoded.desc, &handle));
    return std::make_shared<Plan>(device, handle);
  });
}

namespace {

// A block that lives for one run: work enqueued later on the same queue cannot overtake it, so it is free at once.
class Workspace {
 public:
  Workspace(Device& device, uint64_t bytes, Queue& queue) : device_(device) {
    if (bytes != 0) block_ = device.allocator().allocate(bytes, queue);
  }
  ~Workspace() {
    if (block_.address != nullptr) device_.allocator().free(block_.address);
  }
  Workspace(const Workspace&) = delete;
  onc_arg at() const { return block_.at; }

 private:
  Device& device_;
  Block block_;
};

// A buffer of its own, given back at once, which is legal with work in flight.
class RawWorkspace {
 public:
  RawWorkspace(Device& device, uint64_t bytes) : api_(device.api()) {
    if (bytes != 0) api_.check(api_.buffer_alloc(device.handle(), bytes, &buffer_));
  }
  ~RawWorkspace() {
    if (buffer_ != nullptr) api_.buffer_free(buffer_);
  }
  RawWorkspace(const RawWorkspace&) = delete;
  onc_arg at() const { return {buffer_, 0}; }

 private:
  const Api& api_;
  onc_buffer* buffer_ = nullptr;
};

}  // namespace

void Op::run(Queue& queue) {
  queue.settle();
  const std::shared_ptr<Plan> plan = find(queue.device());
  const Workspace workspace(queue.device(), plan->workspace_bytes(), queue);
  enqueue(queue, *plan, workspace.at());
}

void Op::run_at_once(Queue& queue) {
  const std::shared_ptr<Plan> plan = find(queue.device());
  const RawWorkspace workspace(queue.device(), plan->workspace_bytes());
  enqueue(queue, *plan, workspace.at());
}

void Op::enqueue(Queue& queue, const Plan& plan, onc_arg workspace) {
  Device& device = queue.device();
  onc_run run{};
  run.size = sizeof(run);
  ownership::check(op_name(static_cast<uint32_t>(scratch_->key.data()[0])), scratch_->args, device);
  run.args = scratch_->args.data();
  run.n_args = static_cast<uint32_t>(scratch_->args.size());
  run.scalars = scratch_->scalars.data();
  run.n_scalars = static_cast<uint32_t>(scratch_->scalars.size());
  run.workspace = workspace;
  const auto call = [&] {
    const auto held = queue.lock();
    device.api().check(device.api().plan_run(plan.handle(), queue.handle(), &run));
  };
  Trace& trace = Trace::get();
  if (!trace.on()) [[likely]] {
    call();
    return;
  }
  Event begin = queue.profiling() ? queue.mark() : Event();
  queue.watch();
  const uint64_t host_begin = now_ns();
  call();
  const uint64_t host_end = now_ns();
  Event end = queue.profiling() ? queue.mark() : Event();
  trace.record(op_name(static_cast<uint32_t>(scratch_->key.data()[0])), plan.variant(), shapes(), host_begin, host_end, queue,
               std::move(begin), std::move(end));
}

Op::Info Op::plan(Device& device) {
  const std::shared_ptr<Plan> plan = find(device);
  return {plan->variant(), plan->candidates(), plan->workspace_bytes(), plan->flops(), plan->bytes()};
}

std::string Op::shapes() const {
  const Decoded decoded(scratch_->key);
  std::string text;
  const auto append = [&](const std::vector<const onc_tensor_desc*>& list) {
    const char* separator = "";
    for (const onc_tensor_desc* desc : list) {
      text += separator;
      separator = ", ";
      if (desc == nullptr) {
        text += "-";
        continue;
      }
      text += std::string(dtype_name(desc->dtype)) + "[";
      for (uint32_t i = 0; i < desc->rank; ++i) text += (i == 0 ? "" : ", ") + std::to_string(desc->dims[i]);
      text += "]";
    }
  };
  append(decoded.in);
  text += " -> ";
  append(decoded.out);
  return text;
}

}  // namespace oncilla
