// A plugin whose entry throws, which the ABI forbids.
#include <stdexcept>

#include "oncilla/oncilla.h"

extern "C" ONC_EXPORT const onc_api* onc_get_api_v1() { throw std::runtime_error("thrown by the entry"); }
