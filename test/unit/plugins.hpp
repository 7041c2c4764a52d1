// The plugins beside the executable, one after the other, for tests that want an op's result.
#pragma once

#include <doctest/doctest.h>

#include <memory>

#include "core/backend.hpp"
#include "core/device.hpp"
#include "core/error.hpp"

namespace oncilla::test {

// A device of a plugin; null for one that the build or the machine lacks.
inline std::shared_ptr<Device> open_plugin(const char* name) {
  try {
    return Device::open(Backend::named(name), 0);
  } catch (const Error&) {
    return nullptr;
  }
}

// Calls test with a Lab, which is made from a device, of each plugin.
template <class Lab, class Test>
void on_each_plugin(const Test& test) {
  for (const char* name : {"reference", "opencl"}) {
    const std::shared_ptr<Device> device = open_plugin(name);
    if (!device) continue;
    CAPTURE(name);
    Lab lab(*device);
    test(lab);
  }
}

}  // namespace oncilla::test
