// What a case table is made of. A case is one run of one op: tensors, attributes, scalars. It names no plugin and holds no expected
// result; those come from the reference plugin (harness.hpp). Every row of ops.def has its table: cases_<name>() in
// test/ops/<name>.cpp, or the runner does not link.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/tape.hpp"
#include "oncilla/attrs.h"
#include "ops/values.hpp"

namespace oncilla::test {

// How a tensor lies in memory.
enum class Layout {
  contiguous,
  padded,        // a gap after each row
  strided,       // a gap after each element and each row
  reversed,      // the first dim is the fastest
  swapped,       // the last two dims in memory order, one changed for the other
  channels_last  // dim 1 is the fastest
};
const char* layout_name(Layout layout);
Dims layout_strides(const Dims& dims, Layout layout, uint32_t broadcast);

struct Tensor {
  uint32_t dtype = 0;  // 0: absent
  Dims dims;
  Fill fill;
  Layout layout = Layout::contiguous;
  uint32_t broadcast = 0;  // bit d: dim d has stride 0

  int64_t numel() const;
  Dims strides() const { return layout_strides(dims, layout, broadcast); }
};

// Where an input of a backward takes its values: from the forward that the case names, run on the reference.
struct Feed {
  size_t in;
  bool from_output;
  size_t index;
};

enum class Tolerance {
  standard,  // torch.testing.assert_close's default for the output's dtype; integers equal
  exact      // equal bits, or both NaN
};

enum class Level {
  ci,   // runs always
  full  // runs at level full only, as do the cases that widen() derives
};

struct Case {
  std::string name;
  Level level = Level::ci;
  uint32_t op = 0;
  std::vector<Tensor> in, out;
  std::vector<unsigned char> attrs;  // of kernel ops
  std::vector<onc_scalar> scalars;
  // EXPR and FOREACH; the epilogue of MATMUL and CONV (outs[0] is its result).
  std::vector<onc_expr_inst> insts;
  std::vector<uint16_t> outs;
  Dims dims;
  uint32_t reduce_rank = 0, n_shared_scalars = 0, n_tensor_scalars = 0, n_tensors = 0;
  std::vector<std::string> labels;  // of outputs, for messages
  // Outputs that are their input's memory: (out, in).
  std::vector<std::pair<size_t, size_t>> aliases;
  Tolerance tolerance = Tolerance::standard;
  // Backward ops: the forward, what it feeds, and which forward input's gradient each output is: (forward input, output). The
  // cotangent of the forward's output 0 is input 0.
  std::shared_ptr<const Case> forward;
  std::vector<Feed> feeds;
  std::vector<std::pair<size_t, size_t>> gradients;
  // The case is about a derivative's text, which the host compiles: only finite differences judge it.
  bool gradient_only = false;
  // How many elements behind an aligned place each tensor begins; -1: none or three, by the name.
  int64_t offset = -1;
  bool other_poison = false;  // what lies under outputs before the runs: other bytes than usual
  // What the first elements of outputs must be, whatever the reference says: (out, values).
  std::vector<std::pair<size_t, std::vector<double>>> known;

  bool needs_fp64() const;
  template <class A>
  void set_attrs(A a) {
    a.size = sizeof a;
    attrs.assign(sizeof a, 0);
    std::memcpy(attrs.data(), &a, sizeof a);
  }
  // Takes the instructions of a tape and the number of its scalars.
  void set_tape(const Tape& tape);
};

using Cases = std::vector<Case>;

#define ONC_OP(number, NAME, name, ...) void cases_##name(Cases& cases);
#include "oncilla/ops.def"
#undef ONC_OP

// Every case of every table, in the order of ops.def. Names are unique.
Cases all_cases();

std::string dims_name(const Dims& dims);  // "5x7"; "scalar"
const char* op_name(uint32_t op);

inline Tensor tensor(uint32_t dtype, Dims dims, Fill fill = {}, Layout layout = Layout::contiguous, uint32_t broadcast = 0) {
  return {dtype, std::move(dims), std::move(fill), layout, broadcast};
}
inline Tensor absent() { return {}; }
inline onc_scalar scalar(double value) {
  onc_scalar s{};
  s.f = value;
  return s;
}
inline onc_scalar scalar_int(int64_t value) {
  onc_scalar s{};
  s.i = value;
  return s;
}

}  // namespace oncilla::test
