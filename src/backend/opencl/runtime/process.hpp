// Whether this process may still use OpenCL: a driver's threads and locks do not survive fork(), so the child of a process that had
// opened a device gets an error instead of a hang.
#pragma once

namespace oncilla::ocl {

// From now on a fork() marks the child. Called before the first OpenCL call.
void watch_fork();
// In such a child.
bool forked();
// Throws ONC_UNAVAILABLE there.
void require_same_process(const char* op);

}  // namespace oncilla::ocl
