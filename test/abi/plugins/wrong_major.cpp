// A plugin of a later major version behind the symbol of this one.
#include "oncilla/oncilla.h"

extern "C" ONC_EXPORT const onc_api* onc_get_api_v1() {
  static const onc_api api = {sizeof(onc_api), ONC_ABI_MAJOR + 1, 0, 31, 0, "later", "2.0"};
  return &api;
}
