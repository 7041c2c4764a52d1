// The vocabulary of check.cpp: validation of an op reads as a list of one-line sentences over named tensors.
#pragma once

#include "kit/desc.hpp"

namespace oncilla::kit {

// A tensor of the descriptor under the name that ops.def gives it. Sentences about an absent optional one hold.
struct Named {
  const char* name;
  const Tensor* tensor;
  explicit operator bool() const { return tensor != nullptr; }
  const Tensor* operator->() const { return tensor; }
};
inline std::ostream& operator<<(std::ostream& out, const Named& t) { return out << t.name << " " << *t.tensor; }

class Rules {
 public:
  explicit Rules(const OpDesc& desc) : desc(desc) {}

  // The tensor at a place of the descriptor; in() and out() refuse an absent one.
  Named in(size_t i, const char* name) const { return present({name, desc.has_in(i) ? &desc.input(i) : nullptr}); }
  Named out(size_t i, const char* name) const { return present({name, desc.has_out(i) ? &desc.output(i) : nullptr}); }
  Named maybe_in(size_t i, const char* name) const { return {name, desc.has_in(i) ? &desc.input(i) : nullptr}; }
  Named maybe_out(size_t i, const char* name) const { return {name, desc.has_out(i) ? &desc.output(i) : nullptr}; }

  // Anything: holds(axis < 4, "axis ", axis, " is not below 4").
  template <class... Args>
  void holds(bool condition, const Args&... message) const {
    require(condition, "[", desc.name(), "] ", message...);
  }
  void rank(const Named& t, uint32_t rank) const {
    holds(!t || t->rank() == rank, t.name, " has rank ", t ? t->rank() : 0, ", not ", rank);
  }
  void min_rank(const Named& t, uint32_t rank) const {
    holds(!t || t->rank() >= rank, t.name, " has rank ", t ? t->rank() : 0, ", below ", rank);
  }
  void dims(const Named& t, const Dims& dims) const {
    holds(!t || t->dims == dims, t.name, " has sizes ", to_string(t ? t->dims : Dims{}), ", not ", to_string(dims));
  }
  void dtype(const Named& t, uint32_t dtype) const {
    holds(!t || t->dtype == dtype, t.name, " is ", dtype_name(t ? t->dtype : 0), ", not ", dtype_name(dtype));
  }
  void like(const Named& t, uint32_t dtype, const Dims& dims) const {
    this->dtype(t, dtype);
    this->dims(t, dims);
  }
  void floating(const Named& t) const {
    holds(!t || dtype_kind(t->dtype) == 'f', t.name, " is ", dtype_name(t ? t->dtype : 0), ", not floating");
  }
  void flag(const char* name, uint32_t value) const { holds(value <= 1, name, " is ", value, ", neither 0 nor 1"); }
  void reserved(uint32_t value) const { holds(value == 0, "attrs.reserved is ", value, ", not 0"); }
  void outputs_do_not_overlap() const;

  const OpDesc& desc;

 private:
  Named present(Named t) const {
    holds(t.tensor != nullptr, t.name, " is absent");
    return t;
  }
};

inline bool is_half(uint32_t dtype) { return dtype == ONC_F16 || dtype == ONC_BF16; }
// What a kernel computes with and what an op saves for its backward: float32 for halves.
inline uint32_t arithmetic_dtype(uint32_t dtype) { return is_half(dtype) ? uint32_t{ONC_F32} : dtype; }

// One function an op of ops.def, in check.cpp or a check_<family>.cpp; an op without one does not link.
namespace rules {
#define ONC_OP(number, NAME, name, ...) void name(const Rules& r);
#include "oncilla/ops.def"
#undef ONC_OP
}  // namespace rules

}  // namespace oncilla::kit
