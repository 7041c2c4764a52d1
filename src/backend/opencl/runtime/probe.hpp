// What a device can do beyond OpenCL C 1.2, found by compiling and running small kernels.
#pragma once

#include "runtime/device.hpp"
#include "runtime/programs.hpp"

namespace oncilla::ocl {

// Remembered on disk, so that only the first opening pays for the compilations.
Features probe_features(const cl::Context& context, const cl::Device& id, ProgramCache& programs);
// The probes run anew, whatever is remembered. false_claims: grows by the extensions that the driver names, but whose probe fails.
Features probe_anew(const cl::Context& context, const cl::Device& id, const ProgramCache& programs,
                    std::vector<std::string>& false_claims);

}  // namespace oncilla::ocl
