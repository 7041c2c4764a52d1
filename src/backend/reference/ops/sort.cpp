// SORT: std::stable_sort of each row's positions.
#include "ops/ops.hpp"
#include "order.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_sort(kit::OpDesc desc) { return make_ordered(std::move(desc)); }

}  // namespace oncilla::reference
