# SPDX-License-Identifier: MIT
# Manual pages and completions: made when Tau is built, of the tables of its programs and of its
# headers, and installed where their readers look.

set(TAU_DOCUMENTATION_DIR ${CMAKE_BINARY_DIR}/documentation)
file(GLOB TAU_DOCUMENTATION_GENERATOR CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/gen/taudoc/*.py)

# The day of the build, or of SOURCE_DATE_EPOCH: pages of one source are then the same everywhere.
string(TIMESTAMP TAU_DOCUMENTATION_DATE "%Y-%m-%d" UTC)

# A program that was built with sanitizers runs in the build too; those of gcc 12 do not cope with
# every layout of a process.
set(TAU_RUN)
if(TAU_SANITIZE)
  find_program(TAU_SETARCH setarch)
  if(TAU_SETARCH)
    execute_process(COMMAND ${TAU_SETARCH} --addr-no-randomize true
                    RESULT_VARIABLE refused OUTPUT_QUIET ERROR_QUIET)
    if(refused EQUAL 0)
      set(TAU_RUN ${TAU_SETARCH} --addr-no-randomize)
    endif()
  endif()
endif()

# tau_document(PART DEPENDS files... ARGUMENTS arguments...) runs the generator for one part.
function(tau_document part)
  cmake_parse_arguments(ARG "" "" "DEPENDS;ARGUMENTS" ${ARGN})
  set(stamp ${TAU_DOCUMENTATION_DIR}/${part}.stamp)
  add_custom_command(
    OUTPUT ${stamp}
    COMMAND ${CMAKE_COMMAND} -E env PYTHONPATH=${CMAKE_SOURCE_DIR}/gen PYTHONDONTWRITEBYTECODE=1
            ${Python3_EXECUTABLE} -m taudoc ${part} --out ${TAU_DOCUMENTATION_DIR}/${part}
            --date ${TAU_DOCUMENTATION_DATE} ${ARG_ARGUMENTS}
    COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
    DEPENDS ${TAU_DOCUMENTATION_GENERATOR} ${ARG_DEPENDS}
    COMMENT "Writing the documentation of the ${part}"
    VERBATIM)
  add_custom_target(tau_documentation_${part} ALL DEPENDS ${stamp})
endfunction()

# tau_document_program(PART PROGRAM) does so with the tables that a program of the build prints.
function(tau_document_program part program)
  set(tables ${TAU_DOCUMENTATION_DIR}/${part}.json)
  file(MAKE_DIRECTORY ${TAU_DOCUMENTATION_DIR})
  add_custom_command(
    OUTPUT ${tables}
    COMMAND ${TAU_RUN} $<TARGET_FILE:${program}> > ${tables}
    DEPENDS ${program}
    COMMENT "Reading the tables of the ${part}"
    VERBATIM)
  tau_document(${part} DEPENDS ${tables} ARGUMENTS --tables ${tables})
endfunction()
