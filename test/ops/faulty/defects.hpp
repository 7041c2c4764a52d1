// Defects that misread what is asked for: an attribute ignored, a scalar forgotten, strides taken for others. Each changes the call
// before the reference plugin sees it, so that the result is a right answer to another question.
#pragma once

#include <string>
#include <vector>

#include "oncilla/attrs.h"
#include "oncilla/oncilla.h"

namespace faulty {

// A copy of a tensor's description that may be changed.
struct Tensor {
  uint32_t dtype = 0;
  std::vector<int64_t> dims, strides;

  size_t item() const;
  int64_t numel() const;
  int64_t span() const;  // elements from the first to one past the last
  bool empty() const { return dtype == 0 || numel() == 0; }
};

// A copy of a descriptor, changed as the defect says; owns what the descriptor points to.
class Misread {
 public:
  Misread(const onc_op_desc& desc, const std::string& defect);
  Misread(const Misread&) = delete;
  const onc_op_desc* get() const { return &desc_; }

 private:
  void edit_attributes(const std::string& defect);
  void edit_strides(const std::string& defect);
  void edit_tape(const std::string& defect);

  onc_op_desc desc_;
  std::vector<Tensor> tensors_;
  std::vector<onc_tensor_desc> descs_;
  std::vector<const onc_tensor_desc*> in_, out_;
  std::vector<unsigned char> attrs_;
  std::vector<onc_expr_inst> insts_;
};

// The scalars of a run, changed.
std::vector<onc_scalar> misread_scalars(uint32_t op, const onc_run& run, const std::string& defect);

// The arguments of a run, changed.
std::vector<onc_arg> misread_args(const std::vector<Tensor>& inputs, const onc_run& run, const std::string& defect);

std::vector<Tensor> tensors_of(const onc_tensor_desc* const* descs, uint32_t n);

}  // namespace faulty
