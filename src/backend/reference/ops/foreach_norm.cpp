// FOREACH_NORM: each tensor by itself, in double.
#include <cmath>

#include "ops/ops.hpp"

namespace oncilla::reference {
namespace {

double norm(const std::vector<double>& x, uint32_t kind) {
  double result = 0;
  for (const double value : x) {
    const double magnitude = std::fabs(value);
    if (kind == ONC_NORM_MAX) {
      if (magnitude > result || std::isnan(magnitude)) result = magnitude;
    } else {
      result += kind == ONC_NORM_1 ? magnitude : magnitude * magnitude;
    }
  }
  return kind == ONC_NORM_2 ? std::sqrt(result) : result;
}

}  // namespace

std::unique_ptr<onc_plan> make_foreach_norm(kit::OpDesc desc) {
  uint64_t elements = 0;
  for (size_t t = 0; t < desc.in.size(); ++t) elements += static_cast<uint64_t>(desc.input(t).numel());
  return make_plan(std::move(desc), 2 * elements, [](const Call& call) {
    const uint32_t kind = call.desc().attributes<onc_foreach_norm_attrs>().kind;
    std::vector<double> norms;
    for (size_t t = 0; t < call.desc().in.size(); ++t) norms.push_back(norm(call.read(t), kind));
    call.write(0, norms);
  });
}

}  // namespace oncilla::reference
