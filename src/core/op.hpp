// One op, ready to run: collects tensors, attributes and scalars, finds the plan (made once for each description) and enqueues it.
//
//   Op(ONC_OP_MATMUL).in(a).in(b).no_in().out(d).scalar(1.0).scalar(0.0).run(queue);
//
// The hot path of every host: no heap allocation of its own beyond the key's buffer, which each thread reuses. Ops nest: the
// arguments of one may run another. An Op belongs to one thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/device.hpp"
#include "core/plan_cache.hpp"
#include "core/tape.hpp"

namespace oncilla {

// A strided tensor in device memory. The spans must live until run() returns.
struct TensorRef {
  onc_arg at{};
  uint32_t dtype = 0;
  std::span<const int64_t> dims, strides;  // elements
};

class Op {
 public:
  explicit Op(uint32_t op);
  ~Op();
  Op(const Op&) = delete;
  Op& operator=(const Op&) = delete;
  Op& in(const TensorRef& tensor);
  Op& no_in();  // an optional input that is absent
  Op& out(const TensorRef& tensor);
  Op& no_out();
  Op& scalar(double value);
  Op& scalar_int(int64_t value);
  Op& scalar(const onc_scalar& value);
  Op& attrs(const void* attrs, uint32_t size);  // a plain struct of attrs.h, its pointers NULL (bytes are the key)
  template <class A>
  Op& attrs(const A& a) {
    return attrs(&a, sizeof(A));
  }
  // EXPR: the iteration space and the tape. FOREACH: the number of tensors in each list.
  Op& tape(const Tape& tape, std::span<const int64_t> dims, uint32_t reduce_rank = 0);
  Op& foreach (const Tape& tape, uint32_t n_tensors, uint32_t n_in_lists, uint32_t n_out_lists);
  // MATMUL and CONV, after their attributes: what happens to the result before it is stored. Input 0 of the tape is the result, the
  // others are added as inputs of the op from number 3 on; its scalars follow the op's own.
  Op& epilogue(const Tape& tape);
  Op& variant(const std::string& name);  // forces one (ONC_EXT_VARIANT)
  // Plans (or finds the plan), takes workspace from the device's allocator on this queue, enqueues, traces.
  void run(Queue& queue);
  // The same in front of the calls that wait at the queue, with workspace beside the allocator's: what runs those calls.
  void run_at_once(Queue& queue);
  // The plan's facts, without running.
  struct Info {
    std::string variant, candidates;
    uint64_t workspace_bytes, flops, bytes;
  };
  Info plan(Device& device);

 private:
  struct Scratch;  // the key as it grows, arguments and scalars; each thread keeps a few for reuse
  struct Maker;
  Op& tensor(const TensorRef& tensor, bool output);
  void enqueue(Queue& queue, const Plan& plan, onc_arg workspace);
  std::shared_ptr<Plan> find(Device& device);
  std::string shapes() const;  // for the trace: "float32[2, 3], float32[3] -> float32[2, 3]"
  Scratch* scratch_;
};

const char* op_name(uint32_t op);        // "matmul"; "op 77" does not exist: "unknown"
const char* dtype_name(uint32_t dtype);  // "float32"; "unknown"

}  // namespace oncilla
