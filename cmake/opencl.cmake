# The opencl plugin. Kernels are plain files under kernels/, embedded here so that the plugin is one file.
find_package(OpenCL REQUIRED)
find_package(CLBlast REQUIRED)
file(GLOB_RECURSE kernels CONFIGURE_DEPENDS kernels/*.cl kernels/*.h)
set(kernels_cpp ${PROJECT_BINARY_DIR}/generated/kernels.cpp)
add_custom_command(
  OUTPUT ${kernels_cpp}
  COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/scripts/embed_kernels.py --root ${PROJECT_SOURCE_DIR}/kernels --out ${kernels_cpp}
  DEPENDS ${kernels} scripts/embed_kernels.py
  VERBATIM)
file(GLOB_RECURSE opencl CONFIGURE_DEPENDS src/backend/opencl/*.cpp)
add_library(oncilla_opencl SHARED ${opencl} ${kernels_cpp})
target_include_directories(oncilla_opencl PRIVATE src/backend/opencl)
target_link_libraries(oncilla_opencl PRIVATE oncilla_kit oncilla_flags OpenCL::OpenCL clblast Threads::Threads)
