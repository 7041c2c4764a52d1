// A case as the ABI sees it: its descriptor, and the plan that a device makes of it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "oncilla/oncilla.h"
#include "ops/arena.hpp"
#include "ops/cases.hpp"
#include "ops/harness.hpp"

namespace oncilla::test {

double now();  // seconds of a clock that does not jump

// Descriptors of a case's tensors; owns what the ABI's structs point to.
class Description {
 public:
  // dense: without the case's layouts. variant: the one to force; "": the plugin chooses.
  Description(const Case& c, bool dense, const std::string& variant);
  Description(const Description&) = delete;
  const onc_op_desc* get() const { return &desc_; }

 private:
  void add(const Tensor& t, bool dense, std::vector<const onc_tensor_desc*>& side);
  const void* attributes(const Case& c);
  template <class A>
  const void* with_epilogue(A& attrs, const Case& c);

  std::vector<Dims> dims_, strides_;
  std::vector<onc_tensor_desc> tensors_;
  std::vector<const onc_tensor_desc*> in_, out_;
  onc_expr_attrs expr_{};
  onc_foreach_attrs foreach_{};
  onc_epilogue epilogue_{};
  onc_matmul_attrs matmul_{};
  onc_conv_attrs conv_{};
  onc_ext_variant ext_{};
  onc_op_desc desc_{};
  std::string variant_;
};

class PlanHandle {
 public:
  // Throws oncilla::Error where the plugin declines.
  PlanHandle(Bench& bench, const Description& description);
  ~PlanHandle() { bench_.api().plan_free(plan_); }
  PlanHandle(const PlanHandle&) = delete;
  const onc_plan_info& info() const { return info_; }
  // The names of the variants that could be forced.
  std::vector<std::string> candidates() const;

  // Uploads the image, runs, and gives the image afterwards.
  std::vector<std::byte> run(const Case& c, const ArenaImage& image);
  // The same with a buffer for each tensor. Gaps of the image stay as they were.
  std::vector<std::byte> run_separate(const Case& c, const ArenaImage& image);
  // Uploads the image, runs once, then `count` times one behind the other; the seconds that those took, to the end of the last.
  double time(const Case& c, const ArenaImage& image, size_t count);
  // Runs once on memory of the caller's.
  void enqueue(const Case& c, const std::vector<onc_arg>& args, size_t n_args, onc_arg workspace);

 private:
  Bench& bench_;
  onc_plan* plan_ = nullptr;
  onc_plan_info info_{};
};

}  // namespace oncilla::test
