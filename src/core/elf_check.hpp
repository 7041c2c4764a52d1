// Looks at a shared object before the dynamic loader does: dlopen() maps what the headers promise, and a file that was cut off
// kills the process with SIGBUS instead of failing.
#pragma once

#include <string>

namespace oncilla {

// Throws Error ONC_INVALID_ARGUMENT naming `path` if the file is not a shared object of this kind of machine or ends before its own
// headers say. Throws ONC_NOT_FOUND if it cannot be read.
void check_elf(const std::string& path);

}  // namespace oncilla
