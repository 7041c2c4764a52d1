// An onc_op_desc with the memory behind it, that a test can bend before it is passed on. The functions below give a valid one for
// each op.
#pragma once

#include <cstring>
#include <functional>
#include <optional>
#include <vector>

#include "border.hpp"

using Sizes = std::vector<int64_t>;

struct TensorSpec {
  uint32_t dtype = ONC_F32;
  Sizes dims, strides;
  onc_tensor_desc head{sizeof(onc_tensor_desc)};  // size, flags, next; the rest is filled in
  // Row-major strides.
  TensorSpec(uint32_t dtype, Sizes dims);
  TensorSpec(uint32_t dtype, Sizes dims, Sizes strides) : dtype(dtype), dims(std::move(dims)), strides(std::move(strides)) {}
};

struct Descriptor {
  explicit Descriptor(uint32_t op) : op(op) {}
  uint32_t op;
  std::vector<std::optional<TensorSpec>> in, out;
  // Attributes of an op without a tape.
  template <class A>
  A& attrs() {
    if (attr_words.size() < sizeof(A) / 8) {
      attr_words.resize(sizeof(A) / 8);
      const uint32_t size = sizeof(A);
      std::memcpy(attr_words.data(), &size, sizeof(size));
    }
    return *reinterpret_cast<A*>(attr_words.data());
  }
  // The tape of an EXPR or FOREACH.
  Sizes dims;
  std::vector<onc_expr_inst> insts;
  std::vector<uint16_t> outs;
  uint32_t reduce_rank = 0, n_scalars = 0, n_tensor_scalars = 0, n_tensors = 1;
  uint16_t push(uint32_t opcode, uint32_t dtype, uint16_t a = 0, uint16_t b = 0, uint16_t c = 0);
  // Last changes to what is passed on.
  std::function<void(onc_op_desc&)> bend;
  std::function<void(onc_expr_attrs&)> bend_expr;
  std::function<void(onc_foreach_attrs&)> bend_foreach;
  std::function<void(std::vector<onc_tensor_desc>&)> bend_tensors;  // inputs then outputs

  // plan_create with it on a device of the null plugin; *plan (if given) is the caller's to free.
  Outcome plan(const Fixture& f, onc_plan** plan = nullptr) const;

 private:
  std::vector<uint64_t> attr_words;
};

namespace valid {
Descriptor expr();            // out = a + scalar * b over [2, 3]
Descriptor expr_reduction();  // sum over the last dim of (a - m), then times m; m has stride 0 there
Descriptor foreach ();        // two tensors, p += lr * g
Descriptor matmul();
Descriptor conv();
Descriptor conv_grad_input();
Descriptor conv_grad_weight();
Descriptor max_pool();
Descriptor max_pool_grad();
Descriptor avg_pool();
Descriptor avg_pool_grad();
Descriptor batch_norm();
Descriptor batch_norm_grad();
Descriptor softmax();
Descriptor softmax_grad();
Descriptor nll_loss();
Descriptor nll_loss_grad();
Descriptor cross_entropy();
Descriptor cross_entropy_grad();
}  // namespace valid
