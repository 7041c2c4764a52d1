// A plugin whose entry gives no table.
#include "oncilla/oncilla.h"

extern "C" ONC_EXPORT const onc_api* onc_get_api_v1() { return nullptr; }
