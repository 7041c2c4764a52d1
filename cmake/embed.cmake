# Writes files of a folder into generated/<name>.cpp as the function <namespace>::<name>, a part of a target.
#   embed_files(TARGET namespace name header folder .suffix ...)
include_guard()
function(embed_files target namespace name header folder)
  set(options)
  set(files)
  foreach(suffix ${ARGN})
    file(GLOB_RECURSE found CONFIGURE_DEPENDS ${folder}/*${suffix})
    list(APPEND files ${found})
    list(APPEND options --suffix ${suffix})
  endforeach()
  set(out ${PROJECT_BINARY_DIR}/generated/${name}.cpp)
  add_custom_command(
    OUTPUT ${out}
    COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/scripts/embed_files.py --root ${PROJECT_SOURCE_DIR}/${folder} ${options}
            --function ${namespace}::${name} --header ${header} --out ${out}
    DEPENDS ${files} scripts/embed_files.py
    VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()
