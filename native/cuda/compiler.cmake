# Finds nvcc for the folders that need it, or says what is missing; only with FAULTLINE_CUDA.
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  message(FATAL_ERROR "build:cuda: expected nvcc of the CUDA toolkit (12 or later) in PATH or named by CUDACXX, received none")
endif()
set(CMAKE_CUDA_ARCHITECTURES 80-real 90) # machine code for both, PTX of sm_90 for what comes after
set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
enable_language(CUDA)
if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12)
  message(FATAL_ERROR "build:cuda: expected nvcc 12 or later, received ${CMAKE_CUDA_COMPILER_VERSION}")
endif()
