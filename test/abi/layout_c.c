/* The frozen layout, as a C host or plugin sees it. */
#include "layout.h"
