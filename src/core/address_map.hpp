// Gives device memory addresses that a host framework can hold in a void*: disjoint parts of one reserved range that is never
// accessible, so that a stray host access faults at once. Addresses support pointer arithmetic inside an allocation and resolve
// back to buffer + offset.
#pragma once

#include <cstdint>
#include <optional>

#include "oncilla/oncilla.h"

namespace oncilla {

class Device;

class AddressMap {
 public:
  struct Place {
    Device* device;
    onc_arg at;          // the buffer, and the byte offset of the address in it
    uint64_t remaining;  // bytes from the address to the buffer's end
  };
  static AddressMap& get();
  // Reserves addresses for a buffer; alignment of the result is at least 4096.
  void* insert(Device* device, onc_buffer* buffer, uint64_t bytes);
  void erase(void* base);
  // The place of any address inside a live buffer (one past its end too, with remaining 0, unless another begins there: ranges
  // have a gap, so none does); nothing for a foreign address.
  std::optional<Place> find(const void* address) const;
  Place at(const void* address) const;       // throws Error ONC_INVALID_ARGUMENT naming the address
  bool contains(const void* address) const;  // within the reserved range, live or not
};

}  // namespace oncilla
