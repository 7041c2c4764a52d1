# The PyTorch adapter: a Python extension, built against the torch that the found Python imports.
execute_process(
  COMMAND ${Python3_EXECUTABLE} -c "import torch; print(torch.utils.cmake_prefix_path, torch.__version__, sep=';')"
  OUTPUT_VARIABLE torch_found OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
list(GET torch_found 0 torch_prefix)
list(GET torch_found 1 torch_version)
list(APPEND CMAKE_PREFIX_PATH ${torch_prefix})
find_package(Torch REQUIRED)
find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter Development.Module)
file(GLOB torch_sources CONFIGURE_DEPENDS src/torch/*.cpp src/torch/ops/*.cpp)
Python3_add_library(oncilla_torch MODULE WITH_SOABI ${torch_sources})
# In the build folder, torch_python/ is laid out as an installation is: with it in PYTHONPATH, `import torch` finds the device.
set(torch_python_dir ${PROJECT_BINARY_DIR}/torch_python)
set_target_properties(oncilla_torch PROPERTIES OUTPUT_NAME _C LIBRARY_OUTPUT_DIRECTORY ${torch_python_dir}/oncilla)
target_link_libraries(oncilla_torch PRIVATE oncilla_core oncilla_flags ${TORCH_LIBRARIES})
# As oncilla_flags maps the checkout: PyTorch's headers assert, and name themselves.
target_compile_options(oncilla_torch PRIVATE -fmacro-prefix-map=${TORCH_INSTALL_PREFIX}/=torch/)
# PyTorch's headers of all ops at once are 3,000 files; with this each unit includes those of its own.
target_compile_definitions(oncilla_torch PRIVATE AT_PER_OPERATOR_HEADERS)
# What nearly every unit includes is half its compile time. Each unit names what it uses all the same, and compiles with ONCILLA_PCH=OFF.
if(ONCILLA_PCH)
  target_precompile_headers(oncilla_torch PRIVATE
    <ATen/core/Tensor.h> <ATen/native/CPUFallback.h> <ATen/native/Resize.h> <ATen/ops/empty.h> <c10/util/OptionalArrayRef.h> <torch/library.h>)
endif()
# Some hundred templates that run once an op, and compile for a minute. (Headers precompiled at another level do not serve.)
set_source_files_properties(src/torch/autocast.cpp PROPERTIES COMPILE_OPTIONS -O1 SKIP_PRECOMPILE_HEADERS ON)
# Kineto's headers are in the wheel, but not in what find_package(Torch) offers.
set_source_files_properties(src/torch/profiler.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON
  COMPILE_DEFINITIONS "USE_KINETO;FMT_HEADER_ONLY=1" INCLUDE_DIRECTORIES ${TORCH_INSTALL_PREFIX}/include/kineto)
find_library(torch_python torch_python PATHS ${TORCH_INSTALL_PREFIX}/lib REQUIRED NO_DEFAULT_PATH)
target_link_libraries(oncilla_torch PRIVATE ${torch_python})

file(CONFIGURE OUTPUT ${torch_python_dir}/oncilla/_build.py CONTENT [[
"""What this build was made for."""

TORCH_VERSION = "@torch_version@"
]] @ONLY)
if(SKBUILD)
  install(FILES ${torch_python_dir}/oncilla/_build.py DESTINATION oncilla)
endif()
file(GLOB package CONFIGURE_DEPENDS src/torch/oncilla/*.py)
foreach(source ${package})
  get_filename_component(name ${source} NAME)
  file(CREATE_LINK ${source} ${torch_python_dir}/oncilla/${name} SYMBOLIC)
endforeach()
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/bench/oncilla_bench ${torch_python_dir}/oncilla_bench SYMBOLIC)
file(WRITE ${torch_python_dir}/oncilla-${PROJECT_VERSION}.dist-info/METADATA "Metadata-Version: 2.1\nName: oncilla\nVersion: ${PROJECT_VERSION}\n")
file(WRITE ${torch_python_dir}/oncilla-${PROJECT_VERSION}.dist-info/entry_points.txt "[torch.backends]\nocl = oncilla:_autoload\n")
