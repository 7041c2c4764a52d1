// Evaluates rows of elementwise.def over files of operands, for scripts/ulp, which judges the results.
//
//   evaluate_rows --list                                       number, name, arity, kinds and domain of every row
//   evaluate_rows --plugin opencl --device 0 --dtype float32 --ops sin,cos --in A [B [C]] --out FILE
//
// Files hold raw elements. Each row named reads as many of the operand files as it has operands; results follow each other in the
// output file, a boolean one as bytes. Several rows share a tape, since a program costs more to build than to run.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/allocator.hpp"
#include "core/op.hpp"

using namespace oncilla;

namespace {

constexpr size_t kRowsPerTape = 10;

struct Row {
  uint32_t op;
  const char* name;
  uint32_t arity;
  const char *result, *floating, *integer, *domain;
};

const Row kRows[] = {
#define ONC_EW(number, NAME, name, arity, result, F, I, DA, DB, DC, domain) {number, #name, arity, #result, #F, #I, #domain},
#include "oncilla/elementwise.def"
#undef ONC_EW
};

struct Options {
  std::string plugin = "opencl", dtype = "float32", ops, out;
  std::vector<std::string> in;
  uint32_t device = 0;
  bool list = false;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] { return i + 1 < argc ? std::string(argv[++i]) : std::string(); };
    if (word == "--list") {
      options.list = true;
    } else if (word == "--plugin") {
      options.plugin = value();
    } else if (word == "--device") {
      options.device = static_cast<uint32_t>(std::atoi(value().c_str()));
    } else if (word == "--dtype") {
      options.dtype = value();
    } else if (word == "--ops") {
      options.ops = value();
    } else if (word == "--out") {
      options.out = value();
    } else if (word == "--in") {
      while (i + 1 < argc && argv[i + 1][0] != '-') options.in.push_back(value());
    } else {
      throw Error(ONC_INVALID_ARGUMENT, "[evaluate_rows] no such option: " + word);
    }
  }
  return options;
}

uint32_t dtype_of(const std::string& name) {
#define ONC_DTYPE(number, NAME, label, ...) \
  if (name == #label) return number;
#include "oncilla/dtypes.def"
#undef ONC_DTYPE
  throw Error(ONC_INVALID_ARGUMENT, "[evaluate_rows] no such dtype: " + name);
}

std::vector<char> read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(ONC_NOT_FOUND, "[evaluate_rows] cannot read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<Row> chosen(const std::string& names) {
  std::vector<Row> rows;
  std::istringstream words(names);
  for (std::string name; std::getline(words, name, ',');) {
    const auto* row = std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& r) { return name == r.name; });
    if (row == std::end(kRows)) throw Error(ONC_NOT_FOUND, "[evaluate_rows] no such row: " + name);
    rows.push_back(*row);
  }
  return rows;
}

// Device memory of one operand or result.
class Array {
 public:
  Array(Queue& queue, uint32_t dtype, int64_t n, uint64_t item)
      : queue_(queue), dtype_(dtype), dims_{n}, bytes_(static_cast<uint64_t>(n) * item) {
    block_ = queue.device().allocator().allocate(bytes_, queue);
  }
  Array(const Array&) = delete;
  ~Array() { queue_.device().allocator().free(block_.address); }
  TensorRef ref() const { return {block_.at, dtype_, dims_, kDense}; }
  void upload(const std::vector<char>& data) { queue_.copy_h2d(block_.at, data.data(), bytes_); }
  std::vector<char> download() const {
    std::vector<char> data(bytes_);
    queue_.copy_d2h(data.data(), block_.at, bytes_);
    return data;
  }

 private:
  static constexpr int64_t kDense[] = {1};
  Queue& queue_;
  uint32_t dtype_;
  std::vector<int64_t> dims_;
  uint64_t bytes_;
  Block block_;
};

void evaluate(const Options& options) {
  const uint32_t dtype = dtype_of(options.dtype);
  const uint64_t item = dtype == ONC_F64 || dtype == ONC_I64 ? 8 : dtype == ONC_F16 || dtype == ONC_BF16 ? 2 : 4;
  const auto device = Device::open(Backend::named(options.plugin), options.device);
  const auto queue = device->create_queue();
  std::vector<std::unique_ptr<Array>> in;
  int64_t n = -1;
  for (const std::string& path : options.in) {
    const std::vector<char> data = read(path);
    const auto count = static_cast<int64_t>(data.size() / item);
    if (n >= 0 && count != n)
      throw Error(ONC_INVALID_ARGUMENT, "[evaluate_rows] " + path + " has another length than the first file");
    n = count;
    in.push_back(std::make_unique<Array>(*queue, dtype, n, item));
    in.back()->upload(data);
  }
  std::ofstream out(options.out, std::ios::binary);
  const std::vector<Row> rows = chosen(options.ops);
  for (size_t first = 0; first < rows.size(); first += kRowsPerTape) {
    Tape tape;
    Value operands[3];
    for (size_t k = 0; k < in.size(); ++k) operands[k] = tape.input(dtype);
    std::vector<std::unique_ptr<Array>> results;
    for (size_t i = first; i < std::min(rows.size(), first + kRowsPerTape); ++i) {
      const Row& row = rows[i];
      if (row.arity > in.size())
        throw Error(ONC_INVALID_ARGUMENT, std::string("[evaluate_rows] ") + row.name + " has more operands than there are files");
      tape.output(tape.apply(row.op, operands[0], row.arity > 1 ? operands[1] : Value(), row.arity > 2 ? operands[2] : Value()));
      const bool boolean = std::string(row.result) == "boolean";
      results.push_back(std::make_unique<Array>(*queue, boolean ? uint32_t{ONC_BOOL} : dtype, n, boolean ? 1 : item));
    }
    const int64_t dims[] = {n};
    Op op(ONC_OP_EXPR);
    for (const auto& array : in) op.in(array->ref());
    for (const auto& array : results) op.out(array->ref());
    op.tape(tape, dims).run(*queue);
    for (const auto& array : results) {
      const std::vector<char> data = array->download();
      out.write(data.data(), static_cast<std::streamsize>(data.size()));
    }
  }
  std::printf("%s, %s, %s\n", device->info().name, device->info().platform, device->info().driver);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse(argc, argv);
    if (options.list) {
      for (const Row& row : kRows)
        std::printf("%u %s %u %s %d %d %s\n", row.op, row.name, row.arity, row.result, std::strcmp(row.floating, "NONE") != 0,
                    std::strcmp(row.integer, "NONE") != 0, row.domain);
      return 0;
    }
    evaluate(options);
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.code() == ONC_UNIMPLEMENTED ? 3 : 1;
  }
}
