// The border without memory: wherever an allocation fails, a call gives ONC_OUT_OF_MEMORY, or succeeds, and leaks nothing.
#include <doctest/doctest.h>

#include <cstdlib>
#include <new>
#include <string>

#include "descriptor.hpp"

namespace {

// Allocations of this thread until one fails; negative: none does.
thread_local long allocations_left = -1;

}  // namespace

// The whole program's, plugins included.
void* operator new(size_t bytes) {
  if (allocations_left == 0) throw std::bad_alloc();
  if (allocations_left > 0) --allocations_left;
  if (void* p = std::malloc(bytes > 0 ? bytes : 1)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }

namespace {

// plan_create of a stored descriptor, with `n` allocations granted.
struct Attempt {
  onc_plan* plan = nullptr;
  onc_error* error = nullptr;
};

Attempt attempt(const Fixture& f, Descriptor d, long n) {
  Attempt a;
  d.bend = [&](onc_op_desc& desc) {
    allocations_left = n;
    a.error = f.api.plan_create(f.device, &desc, &a.plan);
    allocations_left = -1;
    desc.op = ONC_OP_NONE;  // the call that follows is refused
  };
  d.plan(f);
  return a;
}

}  // namespace

TEST_CASE("without memory, plan_create says so") {
  const Fixture f;
  Descriptor bad = valid::softmax();
  bad.attrs<onc_softmax_attrs>().axis = 9;
  const Descriptor descriptors[] = {valid::expr(), valid::foreach (), valid::conv(), valid::batch_norm(), bad};
  for (const Descriptor& d : descriptors) {
    CAPTURE(d.op);
    int failures = 0;
    for (long n = 0; n < 400; ++n) {
      const Attempt a = attempt(f, d, n);
      const std::string text = f.api.error_message(a.error);
      const uint32_t code = f.api.error_code(a.error);
      f.api.error_free(a.error);
      f.api.plan_free(a.plan);
      CHECK((a.error == nullptr) == (a.plan != nullptr));
      CHECK((code == ONC_OK || code == ONC_OUT_OF_MEMORY || code == ONC_INVALID_ARGUMENT));
      if (code == ONC_OUT_OF_MEMORY) CHECK(text.find("no host memory") != std::string::npos);
      failures += code == ONC_OUT_OF_MEMORY ? 1 : 0;
    }
    CHECK(failures > 5);    // the switch works,
    CHECK(failures < 390);  // and an end was reached
  }
}

TEST_CASE("the error without a heap can be freed again and again") {
  const Fixture f;
  allocations_left = 0;
  onc_error* first = f.api.queue_flush(nullptr);
  onc_error* second = f.api.queue_flush(nullptr);
  allocations_left = -1;
  CHECK(first != nullptr);
  CHECK(first == second);
  for (onc_error* error : {first, second, first}) {
    CHECK(f.api.error_code(error) == ONC_OUT_OF_MEMORY);
    CHECK(std::string(f.api.error_message(error)) == "no host memory, not even for this error's message");
    f.api.error_free(error);
  }
}
