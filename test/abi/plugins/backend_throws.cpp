// A plugin whose backend cannot be made: every slot that needs it reports why, each time.
#include "kit/backend.hpp"

namespace {

struct FailingBackend : oncilla::kit::Backend {
  FailingBackend() { throw oncilla::kit::Error(ONC_NOT_FOUND, "[failing] no platform: install one"); }
  uint32_t device_count() override { return 1; }
  void device_info(uint32_t, onc_device_info&) override {}
  std::unique_ptr<onc_device> open(uint32_t, const onc_device_options&) override { return nullptr; }
};

}  // namespace

ONC_PLUGIN(FailingBackend, "failing", "1.0")
