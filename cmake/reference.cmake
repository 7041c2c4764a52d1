# The reference plugin: slow, plain, double accumulation; the oracle of the tests.
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
file(GLOB reference CONFIGURE_DEPENDS src/backend/reference/*.cpp src/backend/reference/ops/*.cpp)
add_library(oncilla_reference SHARED ${reference})
target_include_directories(oncilla_reference PRIVATE src/backend/reference kernels)
target_link_libraries(oncilla_reference PRIVATE oncilla_kit oncilla_flags Eigen3::Eigen Threads::Threads)
# Integers wrap, and a float32 step rounds by itself: both are part of what the ops mean.
target_compile_options(oncilla_reference PRIVATE -fwrapv -ffp-contract=off)
