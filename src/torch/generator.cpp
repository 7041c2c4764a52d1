// The random generator of a device.
#include "torch/generator.hpp"

#include <ATen/Utils.h>
#include <ATen/ops/empty.h>

#include <cstring>

#include "torch/device.hpp"

namespace oncilla::adapter {

GeneratorImpl::GeneratorImpl(c10::DeviceIndex index)
    : c10::GeneratorImpl(c10::Device(kOcl, index), c10::DispatchKeySet(c10::DispatchKey::PrivateUse1)) {
  state.seed = c10::default_rng_seed_val;
}

void GeneratorImpl::set_current_seed(uint64_t seed) { state = {seed, 0}; }
void GeneratorImpl::set_offset(uint64_t offset) { state.offset = offset; }
uint64_t GeneratorImpl::get_offset() const { return state.offset; }
uint64_t GeneratorImpl::current_seed() const { return state.seed; }
c10::DeviceType GeneratorImpl::device_type() { return kOcl; }

uint64_t GeneratorImpl::seed() {
  const uint64_t drawn = c10::detail::getNonDeterministicRandom();
  set_current_seed(drawn);
  return drawn;
}

void GeneratorImpl::set_state(const c10::TensorImpl& saved) {
  TORCH_CHECK(saved.device_type() == c10::kCPU && saved.dtype() == at::kByte && saved.is_contiguous() && saved.numel() == 16,
              "[ocl] an RNG state is a contiguous CPU tensor of 16 bytes, not ", saved.numel(), " elements of ",
              saved.dtype().name());
  std::memcpy(&state.seed, saved.data(), 8);
  std::memcpy(&state.offset, static_cast<const char*>(saved.data()) + 8, 8);
}

c10::intrusive_ptr<c10::TensorImpl> GeneratorImpl::get_state() const {
  at::Tensor saved = at::empty({16}, at::TensorOptions().dtype(at::kByte).device(at::kCPU));
  std::memcpy(saved.data_ptr(), &state.seed, 8);
  std::memcpy(static_cast<char*>(saved.data_ptr()) + 8, &state.offset, 8);
  return saved.getIntrusivePtr();
}

GeneratorImpl* GeneratorImpl::clone_impl() const {
  auto* copy = new GeneratorImpl(device().index());
  copy->state = state;
  return copy;
}

const at::Generator& default_generator(c10::DeviceIndex index) {
  static auto* all = [] {
    auto* made = new std::vector<at::Generator>;
    for (c10::DeviceIndex i = 0; i < device_count(); ++i) made->push_back(at::make_generator<GeneratorImpl>(i));
    return made;
  }();
  if (index < 0) index = current_device();
  TORCH_CHECK(static_cast<size_t>(index) < all->size(), "[ocl] invalid device index ", static_cast<int>(index), ": there are ",
              all->size(), " devices");
  return (*all)[index];
}

std::pair<uint64_t, uint64_t> next_draw(const std::optional<at::Generator>& generator, c10::DeviceIndex index) {
  auto* impl = at::get_generator_or_default<GeneratorImpl>(generator, default_generator(index));
  std::lock_guard lock(impl->mutex_);
  return {impl->state.seed, impl->state.next()};
}

}  // namespace oncilla::adapter
