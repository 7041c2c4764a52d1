// The words of index_check.hpp: a ring a stream, leaked as the streams are.
#include "torch/index_check.hpp"

#include <torch/csrc/autograd/node.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "torch/tensor.hpp"

namespace oncilla::adapter {

namespace {

constexpr uint64_t kWords = 1024;
constexpr uint64_t kHalf = kWords / 2;

struct Word {
  int64_t least, most;
};

struct Failure {
  uint64_t order = std::numeric_limits<uint64_t>::max();
  IndexRange range{};
  int64_t value = 0;
};

std::atomic<uint64_t> last_order{0};

[[noreturn]] void raise(const Failure& failure) {
  const IndexRange& r = failure.range;
  const std::string where = r.dim == kFlat ? "a tensor of " + std::to_string(r.size) + " elements"
                                           : "dimension " + std::to_string(r.dim) + " with size " + std::to_string(r.size);
  TORCH_CHECK_INDEX(false, "[", r.op, "] ", r.what, " ", failure.value, " is out of range for ", where,
                    " (found at a synchronisation: the op ran earlier)");
}

}  // namespace

// Words are numbered without end, from 0; number n lies at n modulo kWords. examined_ <= fetched_ <= head_ <= examined_ + kWords.
struct IndexWords {
 public:
  explicit IndexWords(const c10::Stream& stream) : stream_(stream.id()), queue_(*queue_of(stream)) {}

  uint64_t take(const IndexRange& range) {
    std::unique_lock lock(mutex_);
    while (head_ - examined_ == kWords) make_room(lock);
    if (buffer_ == nullptr) {
      Device& device = queue_.device();
      translated([&] { device.api().check(device.api().buffer_alloc(device.handle(), kWords * sizeof(Word), &buffer_)); });
    }
    // Half a ring later this event is where the host waits for room: for work that is long done.
    if (head_ % kHalf == 0 && head_ > examined_) {
      fetch();
      half_ = translated([&] { return queue_.record(); });
      half_fetched_ = fetched_;
    }
    entries_[head_ % kWords] = {range, ++last_order, State::taken};
    return head_++;
  }
  void settle(uint64_t number, bool enqueued) {
    std::lock_guard lock(mutex_);
    entries_[number % kWords].state = enqueued ? State::enqueued : State::nothing;
  }
  onc_arg place_of(uint64_t number) const { return {buffer_, number % kWords * sizeof(Word)}; }

  IndexMark mark() {
    std::lock_guard lock(mutex_);
    if (fetched_ != head_) fetch();
    done_.upto[stream_] = fetched_;
    return done_;
  }
  void join(const IndexMark& mark) {
    std::lock_guard lock(mutex_);
    for (size_t i = 0; i < done_.upto.size(); ++i) done_.upto[i] = std::max(done_.upto[i], mark.upto[i]);
  }
  // The first failure among words before `upto`, which are on the host.
  void examine(uint64_t upto, Failure& first) {
    if (examined_.load(std::memory_order_acquire) >= upto) return;
    std::lock_guard lock(mutex_);
    look(upto, first);
  }

 private:
  enum class State : uint8_t { taken, enqueued, nothing };
  struct Entry {
    IndexRange range;
    uint64_t order;
    State state;
  };

  // Copies the words whose ops were enqueued; those that another thread is about to enqueue follow the next time.
  void fetch() {
    uint64_t end = fetched_;
    while (end != head_ && entries_[end % kWords].state != State::taken) ++end;
    while (fetched_ != end) {
      const uint64_t at = fetched_ % kWords, count = std::min(end - fetched_, kWords - at);
      translated([&] { queue_.copy_d2h(&host_[at], place_of(fetched_), count * sizeof(Word), ONC_COPY_UNTIL_EVENT); });
      fetched_ += count;
    }
  }
  void look(uint64_t upto, Failure& first) {
    for (uint64_t n = examined_; n < upto; ++n) {
      const Entry& entry = entries_[n % kWords];
      const Word& word = host_[n % kWords];
      const IndexRange& r = entry.range;
      const bool low = word.least < (r.wrap ? -r.size : 0), bad = low || word.most >= r.size;
      if (entry.state != State::enqueued || !bad || entry.order > first.order) continue;
      first = {entry.order, r, low ? word.least : word.most};
    }
    examined_.store(std::max<uint64_t>(examined_, upto), std::memory_order_release);
  }
  void make_room(std::unique_lock<std::mutex>& lock) {
    uint64_t upto = half_fetched_;
    if (upto > examined_) {
      translated([&] { half_.sync(); });
    } else {
      fetch();
      upto = fetched_;
      if (upto == examined_) {  // the oldest word is another thread's, which will enqueue its op in a moment
        lock.unlock();
        std::this_thread::yield();
        lock.lock();
        return;
      }
      translated([&] { queue_.finish(); });
    }
    Failure first;
    look(upto, first);
    if (first.range.op != nullptr) raise(first);
  }

  const size_t stream_;
  Queue& queue_;
  std::mutex mutex_;  // never held while an op is enqueued: its memory may need Python's lock
  onc_buffer* buffer_ = nullptr;
  std::array<Word, kWords> host_{};
  std::array<Entry, kWords> entries_{};
  uint64_t head_ = 0, fetched_ = 0;
  std::atomic<uint64_t> examined_{0};
  Event half_;
  uint64_t half_fetched_ = 0;
  IndexMark done_;  // what is on the host when the stream's work is done
};

namespace {

std::array<std::array<std::atomic<IndexWords*>, kStreams>, 64> rings{};
std::atomic<bool> any_ring{false};

std::atomic<IndexWords*>& slot_of(c10::DeviceIndex device, c10::StreamId id) {
  return rings[static_cast<size_t>(device)][static_cast<size_t>(id)];
}

IndexWords& words_of(const c10::Stream& stream) {
  std::atomic<IndexWords*>& slot = slot_of(stream.device_index(), stream.id());
  if (IndexWords* known = slot.load(std::memory_order_acquire)) return *known;
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  if (slot.load() == nullptr) slot.store(new IndexWords(stream), std::memory_order_release);
  any_ring = true;
  return *slot.load();
}

// The nodes of PyTorch's own derivatives have a number behind their name, those of custom functions do not.
bool in_derivative() {
  const auto node = torch::autograd::get_current_node();
  if (node == nullptr) return false;
  const std::string name = node->name();
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.back())) != 0;
}

}  // namespace

bool checks_indices() {
  static const bool on = [] {
    const char* text = std::getenv("ONCILLA_CHECK_INDEX");
    return text == nullptr || std::string_view(text) != "0";
  }();
  return on && !in_derivative();
}

IndexWatch::IndexWatch(c10::DeviceIndex device, const IndexRange& range)
    : words_(&words_of(current_stream(device))), number_(words_->take(range)) {}

IndexWatch::~IndexWatch() {
  if (!enqueued_) words_->settle(number_, false);
}

void IndexWatch::enqueued() {
  words_->settle(number_, true);
  enqueued_ = true;
}

void IndexWatch::add(Op& op, Tape& tape, Value index) {
  const onc_arg at = words_->place_of(number_);
  tape.output(tape.reduce(ONC_EX_REDUCE_MIN, index));
  tape.output(tape.reduce(ONC_EX_REDUCE_MAX, index));
  op.out({at, ONC_I64, {}, {}}).out({{at.buffer, at.offset + offsetof(Word, most)}, ONC_I64, {}, {}});
}

void check_index(const IndexRange& range, const at::Tensor& index, std::optional<int64_t> ignored) {
  if (index.numel() == 0 || !checks_indices()) return;
  // Dims that only repeat an element are left out, and neighbours joined, so that few shapes are planned.
  c10::SmallVector<int64_t, 8> sizes, strides;
  for (int64_t d = 0; d < index.dim(); ++d) {
    const int64_t size = index.size(d), stride = index.stride(d);
    if (size == 1 || stride == 0) continue;
    if (!sizes.empty() && strides.back() == size * stride) {
      sizes.back() *= size;
      strides.back() = stride;
    } else {
      sizes.push_back(size);
      strides.push_back(stride);
    }
  }
  if (sizes.empty()) {
    sizes.push_back(1);
    strides.push_back(1);
  }
  const std::span<const int64_t> dims(sizes.data(), sizes.size());
  IndexWatch watch(index.device().index(), range);
  Tape tape;
  Op op(ONC_OP_EXPR);
  const TensorRef whole = in_ref(index);
  op.in({whole.at, whole.dtype, dims, {strides.data(), strides.size()}});
  Value value = tape.input(whole.dtype);
  if (ignored) value = where(eq(value, tape.scalar(value.dtype)), tape.constant_int(value.dtype, 0), value);
  watch.add(op, tape, value);
  op.tape(tape, dims, static_cast<uint32_t>(dims.size()));
  if (ignored) op.scalar_int(*ignored);
  run(op, index.device().index());
  watch.enqueued();
}

IndexMark mark_indices(const c10::Stream& stream) {
  if (!any_ring.load(std::memory_order_relaxed)) return {};
  IndexWords* words = slot_of(stream.device_index(), stream.id()).load(std::memory_order_acquire);
  return words == nullptr ? IndexMark{} : words->mark();
}

void raise_indices(c10::DeviceIndex device, const IndexMark& mark) {
  Failure first;
  for (size_t i = 0; i < mark.upto.size(); ++i) {
    if (mark.upto[i] > 0)
      slot_of(device, static_cast<c10::StreamId>(i)).load(std::memory_order_acquire)->examine(mark.upto[i], first);
  }
  if (first.range.op != nullptr) raise(first);
}

void join_indices(const c10::Stream& stream, const IndexMark& mark) {
  if (std::all_of(mark.upto.begin(), mark.upto.end(), [](uint64_t n) { return n == 0; })) return;
  words_of(stream).join(mark);
}

}  // namespace oncilla::adapter
