// A tensor past 2^31 elements, for real: bytes, since 32-bit indices overflow there at 2 GiB. Needs about 5 GiB of memory, so that
// it is an executable of its own. Results are known: an oracle in double vectors would need sixteen times the memory.
//
// Runs on the first device of the opencl plugin (or of the plugin that ONC_TEST_PLUGIN names).
#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "core/backend.hpp"
#include "core/device.hpp"
#include "core/op.hpp"

using namespace oncilla;

namespace {

constexpr int64_t kN = (int64_t{1} << 31) + 4099;
// Where the elements lie that are not 0: at the start, just behind 2^31, near the end.
constexpr int64_t kFirst = 3, kMiddle = (int64_t{1} << 31) + 7, kLast = kN - 5;

class Large {
 public:
  Large() : device_(open()), queue_(device_->create_queue()) {}
  ~Large() {
    for (onc_buffer* buffer : buffers_) device_->api().buffer_free(buffer);
  }
  Large(const Large&) = delete;

  onc_arg bytes(int64_t n) {
    onc_buffer* buffer = nullptr;
    device_->api().check(device_->api().buffer_alloc(device_->handle(), static_cast<uint64_t>(n), &buffer));
    buffers_.push_back(buffer);
    return {buffer, 0};
  }
  template <class T>
  std::vector<T> read(onc_arg at, size_t count) {
    std::vector<T> values(count);
    queue_->finish();
    queue_->copy_d2h(values.data(), at, count * sizeof(T));
    queue_->finish();
    return values;
  }
  void put(onc_arg at, int64_t position, uint8_t value) {
    at.offset += static_cast<uint64_t>(position);
    queue_->copy_h2d(at, &value, 1);
  }
  // The sparse tensor that every test reads.
  onc_arg sparse() {
    const onc_arg x = bytes(kN);
    const uint8_t zero = 0;
    queue_->fill(x, static_cast<uint64_t>(kN), &zero, 1);
    put(x, kFirst, 1);
    put(x, kMiddle, 100);
    put(x, kLast, 200);
    return x;
  }
  Queue& queue() { return *queue_; }

 private:
  static std::shared_ptr<Device> open() {
    const char* name = std::getenv("ONC_TEST_PLUGIN");
    return Device::open(Backend::named(name != nullptr ? name : "opencl"), 0);
  }
  std::shared_ptr<Device> device_;
  std::unique_ptr<Queue> queue_;
  std::vector<onc_buffer*> buffers_;
};

const int64_t kOne[] = {1};

}  // namespace

TEST_CASE("large: reductions find what lies past 2^31") {
  Large large;
  const onc_arg x = large.sparse(), to = large.bytes(256);
  Tape tape;
  const Value v = tape.input(ONC_U8);
  tape.output(tape.reduce(ONC_EX_REDUCE_SUM, v));
  tape.output(tape.reduce(ONC_EX_REDUCE_ARGMAX, v));
  tape.output(tape.reduce(ONC_EX_REDUCE_MAX, v));
  tape.output(tape.reduce(ONC_EX_REDUCE_ANY, gt(v, tape.constant_int(ONC_I32, 150))));
  const int64_t dims[] = {kN};
  Op op(ONC_OP_EXPR);
  op.tape(tape, dims, 1).in({x, ONC_U8, dims, kOne});
  op.out({to, ONC_I64, {}, {}});
  op.out({{to.buffer, 64}, ONC_I64, {}, {}});
  op.out({{to.buffer, 128}, ONC_U8, {}, {}});
  op.out({{to.buffer, 192}, ONC_BOOL, {}, {}});
  op.run(large.queue());
  CHECK(large.read<int64_t>(to, 1)[0] == 301);
  CHECK(large.read<int64_t>({to.buffer, 64}, 1)[0] == kLast);
  CHECK(large.read<uint8_t>({to.buffer, 128}, 1)[0] == 200);
  CHECK(large.read<uint8_t>({to.buffer, 192}, 1)[0] == 1);
}

TEST_CASE("large: a comparison writes every element, and coordinates pass 2^31") {
  Large large;
  const onc_arg x = large.sparse(), y = large.bytes(kN), to = large.bytes(256);
  const int64_t dims[] = {kN};
  Tape compare;
  const Value v = compare.input(ONC_U8);
  compare.output(eq(v, compare.constant_int(ONC_I32, 0)));
  Op(ONC_OP_EXPR).tape(compare, dims).in({x, ONC_U8, dims, kOne}).out({y, ONC_BOOL, dims, kOne}).run(large.queue());

  Tape count;
  const Value zero = count.input(ONC_BOOL);
  count.output(count.reduce(ONC_EX_REDUCE_SUM, count.cast(zero, ONC_I64)));
  const Value where_not = where(zero, count.constant_int(ONC_I64, -1), count.coord(0));
  count.output(count.reduce(ONC_EX_REDUCE_MAX, where_not));
  Op op(ONC_OP_EXPR);
  op.tape(count, dims, 1).in({y, ONC_BOOL, dims, kOne});
  op.out({to, ONC_I64, {}, {}});
  op.out({{to.buffer, 64}, ONC_I64, {}, {}});
  op.run(large.queue());
  CHECK(large.read<int64_t>(to, 1)[0] == kN - 3);
  CHECK(large.read<int64_t>({to.buffer, 64}, 1)[0] == kLast);
  CHECK(large.read<uint8_t>({y.buffer, static_cast<uint64_t>(kMiddle) - 1}, 3) == std::vector<uint8_t>{1, 0, 1});
  CHECK(large.read<uint8_t>({y.buffer, static_cast<uint64_t>(kLast)}, 5) == std::vector<uint8_t>{0, 1, 1, 1, 1});
}

TEST_CASE("large: a table past 2^31 elements") {
  Large large;
  const onc_arg x = large.sparse(), at = large.bytes(64), to = large.bytes(64);
  const std::vector<int64_t> positions = {kFirst, kMiddle, kLast, kN - 1, kN, -1, kMiddle - (int64_t{1} << 32)};
  large.queue().copy_h2d(at, positions.data(), positions.size() * 8);
  Tape tape;
  const Table table = tape.table(ONC_U8);
  tape.output(tape.gather(table, tape.input(ONC_I64)));
  const int64_t all[] = {kN}, dims[] = {static_cast<int64_t>(positions.size())};
  Op op(ONC_OP_EXPR);
  op.tape(tape, dims).in({x, ONC_U8, all, kOne}).in({at, ONC_I64, dims, kOne}).out({to, ONC_U8, dims, kOne}).run(large.queue());
  CHECK(large.read<uint8_t>(to, positions.size()) == std::vector<uint8_t>{1, 100, 200, 0, 0, 0, 0});
}
