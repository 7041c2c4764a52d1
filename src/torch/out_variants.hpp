// out= overloads of the ops that are served by their functional overload only.
#pragma once

namespace oncilla::adapter {

// Called once, after all kernels are registered: an out= overload that only the CPU has, and whose functional overload runs here,
// becomes that overload and a copy into the outputs.
void register_out_variants();

}  // namespace oncilla::adapter
