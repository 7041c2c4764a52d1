// Runs cases in processes of their own: compilers of OpenCL implementations use one core each, and a driver that crashes or hangs
// must cost one case, not the run. The processes are this program again, with --worker; they get case numbers and give results as
// lines of JSON over a socket in place of their standard input.
#pragma once

#include "ops/conformance.hpp"
#include "ops/report.hpp"

namespace oncilla::test {

// Runs all cases in options.jobs processes and reports each. A case whose process ends or takes longer than options.limit has
// failed; the others go on in a new process. Throws where no process can begin.
void run_in_workers(const Cases& cases, const Options& options, Report& report);

// The other side: serves the process that started this one until it closes the socket.
int serve(const Cases& cases, const Options& options);

}  // namespace oncilla::test
