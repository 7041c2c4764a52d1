// What the plans of attention and of its gradient share: sizes, the arguments that make a score, and the choice of the variant.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "kit/backend.hpp"
#include "runtime/device.hpp"
#include "runtime/tuning.hpp"

namespace oncilla::ocl {

using AttentionStrides = std::array<int64_t, 4>;  // batch, head, row, element; 0 where a tensor ends before or is absent

// Elements that one tensor of the kernels' local memory has for each row that a work-item owns, and beside these.
struct AttentionSpace {
  int64_t each_row = 0, beside = 0;
};

class AttentionShape {
 public:
  static constexpr int64_t kFew = 8;  // rows of q that are too few to pack keys for

  // q, k, v and mask are inputs first, first + 1, ... of the descriptor.
  AttentionShape(const Device& device, const kit::OpDesc& desc, size_t first);

  static AttentionStrides strides_of(const std::optional<kit::Tensor>& tensor);
  int64_t padded(int64_t size) const { return (size + columns - 1) / columns * columns; }
  int64_t ceil_rows(int64_t size, int64_t rows) const { return (size + rows - 1) / rows; }

  // How many register tiles of rows fit the device's local memory, at most the tuning row's; 0: not one.
  int64_t tiles_that_fit(const AttentionSpace& space) const;
  size_t space_bytes(const AttentionSpace& space, int64_t rows) const {
    return static_cast<size_t>((space.each_row * rows + space.beside) * sum_bytes);
  }
  Defines defines(const std::string& variant) const;
  const char* shape_class() const { return length <= kFew ? "few" : "many"; }

  // SCORE_PARAMS of lib/attention.h.
  void add_scores(Kernel::Arguments& arguments, const kit::OpDesc& desc, const kit::RunArgs& run) const;
  void add_sizes(Kernel::Arguments& arguments, int64_t tiles) const;

  int64_t batch, heads, length, size, groups, keys, value_size;
  bool wide;
  int64_t width, rows, columns;  // of a vector; of a register tile
  int64_t group;                 // work-items of a work-group
  int64_t sum_bytes;

 private:
  size_t mask_;
  uint32_t dtype_;
  bool causal_, dropout_;
  AttentionStrides mask_strides_;
  int mask_kind_;
  int64_t most_tiles_, local_bytes_;
};

}  // namespace oncilla::ocl
