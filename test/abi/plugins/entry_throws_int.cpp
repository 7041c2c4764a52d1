// A plugin whose entry throws what is no std::exception.
#include "oncilla/oncilla.h"

extern "C" ONC_EXPORT const onc_api* onc_get_api_v1() { throw 42; }
