// A tape as OpenCL C. The loops are the files kernels/expr_*.cl; this writes the text that they include in front: functions, the
// parameter list, and the macros that load, compute, accumulate and store.
//
// Sizes and strides are numbers in the struct `space`, a kernel argument, never text: tapes that differ only in them share one
// program. What the text does depend on: the tape, storage dtypes, the form, how many dims are left after collapsing, and each
// operand's step along the vector axis.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "expr/layout.hpp"
#include "kit/backend.hpp"

namespace oncilla::ocl {

// Which kernel file runs the tape.
enum class Form {
  pointwise,  // expr.cl: vectors along the last dim
  square,     // expr_square.cl: squares of the last dim and of Expression::square_dim(), along which some inputs are read
  item,       // expr_item.cl: a work-item reduces whole rows, with vectors along the last reduced dim
  group,      // expr_group.cl: a work-group does
  tile,       // expr_tile.cl: a work-item reduces short rows, as many together as a vector has lanes
  column,     // expr_column.cl: a work-item reduces neighbouring columns, with vectors along the last kept dim
  finish      // expr_finish.cl: merges the partial states that item, group and column left
};

// What a work-item is told besides the tape.
struct Shape {
  Form form = Form::pointwise;
  int width = 1;            // elements of a vector
  int64_t chunk = 1;        // elements of the vector axis (rows: of the last reduced dim) that one step of the loop covers
  bool wide_index = false;  // 64-bit offsets
  bool partial = false;     // leave states in the workspace instead of results
  int group = 1;            // work-items of a group
  int across = 1;           // column: vectors side by side
  int chains = 1;  // item, and column with across = 1: states that take turns, so that the latency of one hides behind the others
};

struct ScalarArgument {
  uint32_t number, dtype;  // of the run-time scalar; F32, F64 or I64
};

// The kernel's parameters are, in this order: a Mem for each of `inputs` and `outputs`, the workspace if `partial` or finish, the
// scalars, `space`.
struct Program {
  std::string file, entry, prelude;
  std::vector<uint32_t> inputs, outputs;  // numbers of the tensors that it touches
  std::vector<ScalarArgument> scalars;
  std::vector<std::pair<std::string, int64_t>> space;
  bool workspace = false;

  // The bytes of the struct, for setArg.
  std::vector<unsigned char> space_bytes(bool wide_index) const;
};

// What an EXPR plan knows before any choice: its operands over the collapsed space. Operands are the inputs, the outputs, then the
// coordinates that the tape asks for.
class Expression {
 public:
  explicit Expression(const kit::OpDesc& desc);

  const kit::OpDesc& desc() const { return desc_; }
  const kit::Tape& tape() const { return *desc_.tape; }
  const Layout& layout() const { return layout_; }
  bool reduces() const { return tape().reduce_rank > 0; }
  bool full_output(size_t j) const { return full_output_[j]; }
  bool wide_index() const;
  bool simple() const;       // of a few instructions, which compile fast even where they are written out several times
  bool wide_values() const;  // vectors of a 64-bit value dtype occur
  // How a value changes from lane to lane of a pointwise vector. next: by 1, or, for all lanes of a vector, not at all.
  enum class Along { same, next, other };
  Along along(uint16_t v) const { return reduces() ? Along::other : along_[v]; }
  // Bytes of the states of one kept element.
  uint64_t state_bytes() const;
  // The dim along which inputs have their neighbours that jump along the last dim, and most of them; -1 if there is none.
  int square_dim() const;
  bool turned(size_t operand, size_t dim) const;  // it is such an input
  // Along the innermost kept dim, fewer operands jump than along the innermost reduced one.
  bool column_contiguous() const;

  // items: of the launch. Numbers that only the host needs to launch come from here too.
  Program program(const Shape& shape) const;

  enum class Role { input, table, output, coord, philox, position };  // table: an input that GATHER reads
  struct Operand {
    Role role;
    uint32_t number, dtype;  // of the tensor, with its storage dtype; or of the coordinate's dim
    std::string name;
  };
  const std::vector<Operand>& operands() const { return operands_; }
  size_t operand(Role role, uint32_t number) const;

 private:
  void add(Role role, uint32_t number, uint32_t dtype, const char* prefix, Strides strides);
  Along find_along(const onc_expr_inst& inst) const;
  const kit::OpDesc& desc_;
  std::vector<Operand> operands_;
  std::vector<Strides> strides_;
  std::vector<bool> full_output_;
  std::vector<Along> along_;  // of each instruction, where nothing is reduced
  Layout layout_;
};

}  // namespace oncilla::ocl
