// A shared object that is no plugin: it exports nothing that a host knows.
#include "oncilla/oncilla.h"

extern "C" ONC_EXPORT int something_else() { return 1; }
