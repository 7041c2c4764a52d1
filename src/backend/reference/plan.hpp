// How an op of the reference plugin is written: a function that reads its inputs as dense row-major vectors of double, computes,
// and writes dense vectors back. All inputs are read before an output is written, so an output may be an input's memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "kit/backend.hpp"
#include "storage.hpp"

namespace oncilla::reference {

class Buffer final : public onc_buffer {
 public:
  explicit Buffer(uint64_t bytes, std::function<void()> on_free);
  ~Buffer() override;
  uint64_t bytes() const override { return bytes_; }
  std::byte* data() const { return data_; }

 private:
  uint64_t bytes_;
  std::byte* data_;
  std::function<void()> on_free_;
};

std::byte* address(const onc_arg& at);

// What a plan needs to know of the queue that it runs on.
class LaunchQueue : public onc_queue {
 public:
  virtual void count_launch() = 0;
};

// One run of a plan.
class Call {
 public:
  Call(const kit::OpDesc& desc, const kit::RunArgs& run) : desc_(desc), run_(run) {}
  const kit::OpDesc& desc() const { return desc_; }
  // Row-major, whatever the strides; empty for an absent input.
  std::vector<double> read(size_t input) const;
  std::vector<int64_t> read_int(size_t input) const;
  // Rounds to the output's dtype; does nothing for an absent output.
  void write(size_t output, const std::vector<double>& values) const;
  void write_int(size_t output, const std::vector<int64_t>& values) const;
  // For ops that work on single elements.
  std::vector<Number> read_numbers(size_t input) const;
  void write_numbers(size_t output, const std::vector<Number>& values) const;
  double scalar(size_t i) const { return run_.scalars[i].f; }
  std::span<const onc_scalar> scalars() const { return run_.scalars; }
  const onc_arg& arg(size_t i) const { return run_.args[i]; }  // inputs, then outputs

 private:
  const kit::OpDesc& desc_;
  const kit::RunArgs& run_;
};

// A plan with the one variant "reference"; a desc that forces another is ONC_NOT_FOUND. flops: the arithmetic of one run.
std::unique_ptr<onc_plan> make_plan(kit::OpDesc desc, uint64_t flops, std::function<void(const Call&)> run);

// Offsets in elements of every index of a tensor in row-major order.
std::vector<int64_t> offsets(const kit::Tensor& tensor);

// dims' product.
int64_t product(const kit::Dims& dims, size_t begin, size_t end);

}  // namespace oncilla::reference
