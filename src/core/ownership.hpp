// Which device a plugin's buffer belongs to. A plugin that is handed another's buffer may do anything, so that ops check it where
// more than one device has memory.
#pragma once

#include <span>

#include "oncilla/oncilla.h"

namespace oncilla {

class Device;

namespace ownership {

void add(const onc_buffer* buffer, const Device& device);
void remove(const onc_buffer* buffer);
// Throws Error ONC_INVALID_ARGUMENT, naming op, argument and devices, where a buffer belongs to another device.
void check(const char* op, std::span<const onc_arg> args, const Device& device);

}  // namespace ownership
}  // namespace oncilla
