// The table of pointwise ops: one row an op. A row names the functional overload; its in-place and out= overloads are found in
// PyTorch's own schemas and registered with it.
#pragma once

#include <torch/library.h>

#include <span>
#include <string_view>

#include "torch/pointwise.hpp"

namespace oncilla::adapter {

struct Row {
  const char* op;  // "add.Tensor"
  Rule rule;
  // Operands of the tape are all tensors among the arguments, and the numbers among the first this many; the other arguments are
  // what Ctx::s(k) and Ctx::arg(k) give.
  size_t number_operands;
  Value (*fn)(Ctx& ctx);
};

void register_rows(torch::Library& library, std::span<const Row> rows);

// A row that was registered, by its `op`; NULL if there is none.
const Row* row_named(std::string_view op);

}  // namespace oncilla::adapter
