// A plugin that needs a function nobody has.
#include "oncilla/oncilla.h"

extern "C" const onc_api* a_function_that_does_not_exist();

extern "C" ONC_EXPORT const onc_api* onc_get_api_v1() { return a_function_that_does_not_exist(); }
