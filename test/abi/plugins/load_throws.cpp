// A plugin that throws while it is being loaded.
#include <stdexcept>

#include "oncilla/oncilla.h"

namespace {
struct Thrower {
  Thrower() { throw std::runtime_error("thrown by a static constructor"); }
};
const Thrower thrower;
}  // namespace

extern "C" ONC_EXPORT const onc_api* onc_get_api_v1() { return nullptr; }
