// The stable sort behind SORT and TOP_K: keys of the elements, sorted together with their positions, then the elements moved by
// position. kernels/sort.cl and kernels/radix.cl.
#pragma once

#include <memory>

#include "kit/backend.hpp"
#include "runtime/device.hpp"

namespace oncilla::ocl {

// Gives the first k of each sorted row, k being the outputs' size along the axis.
std::unique_ptr<onc_plan> make_sort_plan(Device& device, kit::OpDesc desc);

}  // namespace oncilla::ocl
