# Where things are installed: a Python wheel keeps all in the package's folder, a plain `cmake --install` follows the usual places. Every binary
# finds liboncilla.so relative to itself, so that an installation can be moved; the core finds plugins beside itself or in its oncilla/ folder.
include(GNUInstallDirs)
set(plugins oncilla_reference)
if(ONCILLA_OPENCL)
  list(APPEND plugins oncilla_opencl)
endif()

if(SKBUILD)
  set(lib_dir oncilla/lib)
  install(TARGETS oncilla_core ${plugins} LIBRARY DESTINATION ${lib_dir})
  set_target_properties(oncilla_core ${plugins} PROPERTIES INSTALL_RPATH "$ORIGIN")
  install(DIRECTORY include/oncilla DESTINATION oncilla/include)
  if(TARGET oncilla_torch)
    install(TARGETS oncilla_torch LIBRARY DESTINATION oncilla)
    set_target_properties(oncilla_torch PROPERTIES INSTALL_RPATH "$ORIGIN/lib:$ORIGIN/../torch/lib")
  endif()
  # The comparison harness itself is among wheel.packages.
  install(DIRECTORY bench/cases/ DESTINATION oncilla_bench/tables)
  foreach(name vision attention generative recurrent)
    install(FILES test/torch/networks/${name}.py DESTINATION oncilla_bench/networks_of_tests)
  endforeach()
  if(TARGET oncilla)
    # The command goes where Python keeps its scripts; how far that is from its packages, Python says. The second path serves pip --target.
    execute_process(
      COMMAND ${Python3_EXECUTABLE} -c
              "import os, sysconfig as s; print(os.path.relpath(s.get_path('platlib', 'venv'), s.get_path('scripts', 'venv')))"
      OUTPUT_VARIABLE to_packages OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    set_target_properties(oncilla PROPERTIES INSTALL_RPATH "$ORIGIN/${to_packages}/${lib_dir};$ORIGIN/../${lib_dir}")
    install(TARGETS oncilla RUNTIME DESTINATION ${SKBUILD_SCRIPTS_DIR})
  endif()
  return()
endif()

# liboncilla.so in lib/, plugins in lib/oncilla/; the headers of the C ABI, the core and the kit in include/oncilla/, with a package for
# find_package(oncilla): oncilla::core for hosts, oncilla::kit (static) for plugins.
include(CMakePackageConfigHelpers)
file(RELATIVE_PATH from_bin /prefix/${CMAKE_INSTALL_BINDIR} /prefix/${CMAKE_INSTALL_LIBDIR})
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/oncilla)
set_target_properties(oncilla_core PROPERTIES INSTALL_RPATH "$ORIGIN" EXPORT_NAME core)
set_target_properties(oncilla_abi PROPERTIES EXPORT_NAME abi)
set_target_properties(oncilla_kit PROPERTIES EXPORT_NAME kit)
set_target_properties(${plugins} PROPERTIES INSTALL_RPATH "$ORIGIN")
install(TARGETS oncilla_abi oncilla_core oncilla_kit EXPORT oncilla LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION
                                                                                                                 ${CMAKE_INSTALL_LIBDIR})
install(TARGETS ${plugins} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/oncilla)
install(DIRECTORY include/oncilla DESTINATION include)
install(DIRECTORY src/core src/backend/kit DESTINATION include/oncilla FILES_MATCHING PATTERN "*.hpp")
# Functions that kernels, plugins and the core's scalar arithmetic share (core/scalar_math.hpp).
install(DIRECTORY kernels/lib/special DESTINATION include/oncilla/lib)
install(EXPORT oncilla NAMESPACE oncilla:: FILE oncillaConfig.cmake DESTINATION ${package_dir})
write_basic_package_version_file(oncillaConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/oncillaConfigVersion.cmake DESTINATION ${package_dir})
if(TARGET oncilla)
  set_target_properties(oncilla PROPERTIES INSTALL_RPATH "$ORIGIN/${from_bin}")
  install(TARGETS oncilla RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
