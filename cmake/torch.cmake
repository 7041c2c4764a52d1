# The PyTorch adapter: a Python extension, built against the torch that the found Python imports.
execute_process(
  COMMAND ${Python3_EXECUTABLE} -c "import torch; print(torch.utils.cmake_prefix_path)"
  OUTPUT_VARIABLE torch_prefix OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
list(APPEND CMAKE_PREFIX_PATH ${torch_prefix})
find_package(Torch REQUIRED)
find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter Development.Module)
file(GLOB torch_sources CONFIGURE_DEPENDS src/torch/*.cpp src/torch/ops/*.cpp)
Python3_add_library(oncilla_torch MODULE WITH_SOABI ${torch_sources})
set_target_properties(oncilla_torch PROPERTIES OUTPUT_NAME _C)
target_link_libraries(oncilla_torch PRIVATE oncilla_core oncilla_flags ${TORCH_LIBRARIES})
find_library(torch_python torch_python PATHS ${TORCH_INSTALL_PREFIX}/lib REQUIRED NO_DEFAULT_PATH)
target_link_libraries(oncilla_torch PRIVATE ${torch_python})
