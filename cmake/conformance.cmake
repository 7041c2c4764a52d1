# The case tables of test/ops and their runner, as a library: the tests and the oncilla command run the same.
include_guard()
find_package(CLI11 2.1 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
file(GLOB sources CONFIGURE_DEPENDS test/ops/*.cpp)
list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
add_library(oncilla_conformance STATIC ${sources})
target_include_directories(oncilla_conformance PUBLIC test)
target_link_libraries(oncilla_conformance PUBLIC oncilla_core CLI11::CLI11 PRIVATE oncilla_flags nlohmann_json::nlohmann_json)
# Tables are long and run once: optimising them more costs the build a third and gains the run nothing.
target_compile_options(oncilla_conformance PRIVATE $<$<CONFIG:Release>:-O1>)
