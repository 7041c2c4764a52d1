// A plugin whose table claims to have no bytes.
#include "oncilla/oncilla.h"

extern "C" ONC_EXPORT const onc_api* onc_get_api_v1() {
  static const onc_api api = {0, ONC_ABI_MAJOR, ONC_ABI_MINOR};
  return &api;
}
