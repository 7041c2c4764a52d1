// Descriptors as C++ values: what a plugin sees of an onc_op_desc after the border has copied it. Nothing here points into the
// caller's memory, so that a plan may keep it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "kit/error.hpp"
#include "oncilla/attrs.h"
#include "oncilla/oncilla.h"

namespace oncilla::kit {

inline constexpr uint32_t kMaxRank = 16;

using Dims = std::vector<int64_t>;

size_t dtype_bytes(uint32_t dtype);
const char* dtype_name(uint32_t dtype);   // "float32"; "dtype 77" cannot occur after parsing
char dtype_kind(uint32_t dtype);          // f, i, u or b
std::string to_string(const Dims& dims);  // "[2, 3]"

struct Tensor {
  uint32_t dtype = 0;
  Dims dims, strides;  // elements

  int64_t numel() const;
  uint32_t rank() const { return static_cast<uint32_t>(dims.size()); }
  // Row-major without gaps; a dim of size 1 may have any stride, and an empty tensor is contiguous.
  bool contiguous() const;
  // Elements from the first to one past the last that any index reaches; 0 if empty.
  int64_t span() const;
  // Two indices may reach one element (stride 0 or interleaving): such a tensor is no output.
  bool may_overlap() const;
  std::string str() const;  // "float32[2, 3]"
};
inline std::ostream& operator<<(std::ostream& out, const Tensor& tensor) { return out << tensor.str(); }

// The parsed tape of an EXPR or FOREACH, its indices in range and its dtypes consistent (tape.cpp).
struct Tape {
  uint32_t rank = 0, reduce_rank = 0, n_scalars = 0, n_tensor_scalars = 0;
  Dims dims;
  std::vector<onc_expr_inst> insts;
  std::vector<uint16_t> outs;
  std::vector<bool> reduced;  // of each value: comes after a reduction, lives on the leading dims
  // Of each value: a constant, a scalar, an input with stride 0 in the reduced dims, or made of such: full and reduced values may
  // use it. An output of such a value is full if its tensor has `rank` dims, else reduced.
  std::vector<bool> both;
  // Of each input of EXPR: GATHER reads it by position, so that it has a size of its own instead of the iteration space's.
  std::vector<bool> table;

  bool is_table(size_t input) const { return input < table.size() && table[input]; }
};

struct OpDesc {
  uint32_t op = 0;
  std::vector<std::optional<Tensor>> in, out;
  std::string variant;               // forced; "" = free choice
  std::optional<Tape> tape;          // EXPR and FOREACH
  std::vector<unsigned char> attrs;  // every other op: the struct's bytes, zero-extended
  uint32_t foreach_tensors = 0;      // FOREACH: n_tensors
  std::optional<Tape> epilogue;      // MATMUL and CONV, over the output's dims; its input i > 0 is in[kEpilogueInput + i - 1]

  const char* name() const;  // "softmax"
  const Tensor& input(size_t i) const { return *in.at(i); }
  const Tensor& output(size_t i) const { return *out.at(i); }
  bool has_in(size_t i) const { return i < in.size() && in[i].has_value(); }
  bool has_out(size_t i) const { return i < out.size() && out[i].has_value(); }
  template <class A>
  A attributes() const {
    A a{};
    std::memcpy(&a, attrs.data(), std::min(sizeof(A), attrs.size()));
    return a;
  }
};

// Copies and validates: ranks, dtypes, sizes >= 0, strides >= 0, numel and span within int64, counts as ops.def says, tapes, and
// the shapes, dtypes and attributes of each op (check.cpp, one list of sentences an op). Throws Error naming op and value.
OpDesc parse(const onc_op_desc& desc);

// The number of the descriptor's first input that belongs to an epilogue.
inline constexpr size_t kEpilogueInput = 3;
// The dtype in which a sum of products of a dtype is computed, and in which an epilogue finds it: float32 for halves, int32 for
// integers of up to 32 bits.
uint32_t accumulator_dtype(uint32_t dtype);
// The epilogue as an EXPR of its own, from a contiguous result and the descriptor's further inputs to the output: for kernels that
// cannot apply it themselves.
OpDesc epilogue_expr(const OpDesc& desc);  // epilogue.cpp

// The parts of parse, in their own files.
void parse_epilogue(OpDesc& desc);                                    // epilogue.cpp: fills desc.epilogue
void check_op(const OpDesc& desc);                                    // check.cpp
Tape parse_tape(const onc_expr_attrs& attrs, const OpDesc& desc);     // tape.cpp
Tape parse_tape(const onc_foreach_attrs& attrs, const OpDesc& desc);  // tape.cpp
const char* inst_name(uint32_t op);                                   // "add", "reduce_sum"
uint32_t inst_arity(uint32_t op);                                     // value operands: CAST 1, WHERE 3, INPUT 0

// The values that an instruction uses: the first inst_arity() of a, b and c, but b alone for GATHER.
struct Operands {
  uint16_t values[3];
  uint32_t count;
  const uint16_t* begin() const { return values; }
  const uint16_t* end() const { return values + count; }
};
Operands inst_operands(const onc_expr_inst& inst);  // tape.cpp

}  // namespace oncilla::kit
