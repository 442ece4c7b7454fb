# millrace_room(NAME [ROOMS lower rooms...] [LIBS libraries...])
#
# Makes one static library of a room's sources, and beside it the room's tests (ROOM_test), its
# micro-benchmarks (ROOM_bench) and its fuzzers. What a file is for is told by its name:
# x.cc, x_test.cc, x_bench.cc, x_fuzz.cc. A room links only rooms on lower floors of src/floors.txt;
# anything else stops the configuration.

file(STRINGS ${CMAKE_SOURCE_DIR}/src/floors.txt floor_lines REGEX "^[0-9]")
foreach(line IN LISTS floor_lines)
  string(REGEX MATCHALL "[^ ]+" words "${line}")
  list(POP_FRONT words floor)
  foreach(room IN LISTS words)
    set(floor_of_${room} ${floor})
  endforeach()
endforeach()

function(millrace_room name)
  cmake_parse_arguments(ARG "" "" "ROOMS;LIBS" ${ARGN})
  if(NOT DEFINED floor_of_${name})
    message(FATAL_ERROR "room '${name}' is not in src/floors.txt")
  endif()
  string(REPLACE "/" "_" target ${name})
  set(dir ${CMAKE_SOURCE_DIR}/src/${name})
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.cc)
  file(GLOB tests CONFIGURE_DEPENDS ${dir}/*_test.cc)
  file(GLOB benches CONFIGURE_DEPENDS ${dir}/*_bench.cc)
  file(GLOB fuzzers CONFIGURE_DEPENDS ${dir}/*_fuzz.cc)
  list(FILTER sources EXCLUDE REGEX "_(test|bench|fuzz)\\.cc$")
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")

  add_library(${target} STATIC ${sources})
  target_link_libraries(${target} PUBLIC millrace_flags ${ARG_LIBS})
  foreach(room IN LISTS ARG_ROOMS)
    if(NOT DEFINED floor_of_${room} OR NOT floor_of_${room} LESS floor_of_${name})
      message(FATAL_ERROR "room '${name}' (floor ${floor_of_${name}}) may not use '${room}' "
                          "(floor ${floor_of_${room}}): see src/floors.txt")
    endif()
    string(REPLACE "/" "_" lower ${room})
    target_link_libraries(${target} PUBLIC ${lower})
  endforeach()

  if(tests AND MILLRACE_TESTS)
    add_executable(${target}_test ${tests})
    target_link_libraries(${target}_test PRIVATE ${target} GTest::gmock GTest::gtest_main)
    target_compile_definitions(${target}_test PRIVATE
      MILLRACE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${target} COMMAND ${target}_test)
    set_tests_properties(${target} PROPERTIES TIMEOUT 300 LABELS unit)
  endif()
  if(benches AND MILLRACE_BENCHES)
    add_executable(${target}_bench ${benches})
    target_link_libraries(${target}_bench PRIVATE ${target} benchmark::benchmark_main)
    if(NOT TARGET benches)
      add_custom_target(benches)
    endif()
    add_dependencies(benches ${target}_bench)
  endif()
endfunction()
