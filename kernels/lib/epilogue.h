// How a kernel ends: finish_1(x, at, row, column) stores one result x (T) at `at` (a pointer to E); with vectors (lib/tile.h), finish_v stores VW of them,
// neighbours along the columns. With an epilogue (onc_epilogue) both are generated (src/backend/opencl/expr/epilogue.cpp) and read its further tensors at that
// row and column:
//   EPILOGUE_PARAMS   the kernel's last parameters
//   EPILOGUE_BIND(i)  once at its beginning: the tensors at matrix i of the batch
//   EPILOGUE_DECLARE, EPILOGUE_PASS   as parameters of the functions in between, and as arguments
#ifndef EPILOGUE
#define EPILOGUE_PARAMS
#define EPILOGUE_BIND(i)
#define EPILOGUE_DECLARE
#define EPILOGUE_PASS
#define finish_1(x, at, row, column) STORE_AT(at, 0, x)
#define finish_v(x, at, row, column) STORE_V(at, x)
#endif
