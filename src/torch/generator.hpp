// The random generator of a device: a Philox key and an offset that grows by one for each tensor drawn.
#pragma once

#include <ATen/core/Generator.h>

#include <utility>

#include "core/philox.hpp"

namespace oncilla::adapter {

struct GeneratorImpl final : c10::GeneratorImpl {
  explicit GeneratorImpl(c10::DeviceIndex index);
  void set_current_seed(uint64_t seed) override;
  void set_offset(uint64_t offset) override;
  uint64_t get_offset() const override;
  uint64_t current_seed() const override;
  uint64_t seed() override;
  void set_state(const c10::TensorImpl& state) override;
  c10::intrusive_ptr<c10::TensorImpl> get_state() const override;
  static c10::DeviceType device_type();

  Philox state;

 private:
  GeneratorImpl* clone_impl() const override;
};

const at::Generator& default_generator(c10::DeviceIndex index);
// The key and offset of the next draw from `generator`, or from the device's default one.
std::pair<uint64_t, uint64_t> next_draw(const std::optional<at::Generator>& generator, c10::DeviceIndex index);

}  // namespace oncilla::adapter
