// TOP_K: the first of the sorted order.
#include "ops/ops.hpp"
#include "order.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_top_k(kit::OpDesc desc) { return make_ordered(std::move(desc)); }

}  // namespace oncilla::reference
