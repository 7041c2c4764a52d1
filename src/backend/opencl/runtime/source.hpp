// The text of a program with its includes in place.
#pragma once

#include <string>

namespace oncilla::ocl {

// `prelude`, then the embedded file `path` ("softmax.cl"), or DIR/path where ONCILLA_KERNELS=DIR is set and has it. In both, every
// `#include "lib/x.h"` is replaced by that file's text, once each; #line keeps the compiler's messages about the files. Throws
// ONC_NOT_FOUND naming the file.
std::string assemble_source(const std::string& prelude, const std::string& path);

}  // namespace oncilla::ocl
