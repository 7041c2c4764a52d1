// Instructions of a tape as OpenCL C statements, and the functions that they call.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "kit/desc.hpp"

namespace oncilla::ocl {

// The functions of one program, each written once, before its first use.
class Functions {
 public:
  void add(const std::string& text);
  // Computes opcode `op`; gives its name.
  std::string row(uint32_t op, uint32_t dtype, int width);
  // Loads and stores of vectors of a storage dtype (lib/memory.h).
  void load(uint32_t storage, int width);
  void store(uint32_t storage, int width);
  // Loads a square transposed.
  void turn(uint32_t storage, int width);
  void philox(int width);
  // Reads lanes of a table by position.
  void gather(uint32_t storage, uint32_t position_dtype, int width);
  const std::string& text() const { return text_; }

 private:
  std::set<std::string> written_;
  std::string text_;
};

// Writes values in the order in which they are asked for, each once. `leaf` gives the expression of an instruction without operands
// other than CONST (INPUT, SCALAR, COORD, ...), and may add lines of its own.
class TapeWriter {
 public:
  using Leaf = std::function<std::string(TapeWriter& writer, const onc_expr_inst& inst)>;
  TapeWriter(const kit::Tape& tape, Functions& functions, int width, std::string prefix, Leaf leaf);

  // The variable that holds value v; its statements are in lines() from now on.
  std::string value(uint16_t v);
  // Value v is computed elsewhere: this is its name.
  void define(uint16_t v, const std::string& name) { names_[v] = name; }
  void line(const std::string& text) { lines_.push_back(text); }
  const std::vector<std::string>& lines() const { return lines_; }
  int width() const { return width_; }
  // True once per key: for statements that several leaves share.
  bool first(const std::string& key) { return shared_.insert(key).second; }
  const std::string& prefix() const { return prefix_; }

 private:
  std::string expression(const onc_expr_inst& inst);
  const kit::Tape& tape_;
  Functions& functions_;
  int width_;
  std::string prefix_;
  Leaf leaf_;
  std::vector<std::string> names_, lines_;
  std::set<std::string> shared_;
};

// A place in a tensor: `base` points to the storage dtype, `at` is an offset in elements. step: 'c' the vector's elements are
// neighbours, 'b' there is one for all, 's' they lie `stride` apart. live: how many lanes exist.
struct Place {
  std::string base, at;
  char step = 'c';
  std::string stride, live;
};

// The element or vector there, as a value of `dtype`.
std::string load_text(Functions& functions, const Place& place, uint32_t storage, uint32_t dtype, int width);
// A value of the tape that says which element of a table to read.
struct Position {
  std::string name;
  uint32_t dtype;  // I32 or I64
  bool wide;       // the table's size may pass 32 bits
  // Of variables, where positions may be neighbours all along the loop: whether they are; by how much they are ahead of the
  // loop's counter.
  std::string together, ahead;
};

// The elements of table `base` (space.<base>_n of them) at these positions, as a value of `dtype`; outside it NaN, or 0 where the
// dtype is not floating.
std::string gather_text(Functions& functions, const std::string& base, const Position& position, uint32_t storage, uint32_t dtype,
                        int width);
// A statement that stores value x of `dtype` there.
std::string store_text(Functions& functions, const Place& place, const std::string& x, uint32_t dtype, uint32_t storage, int width);

// A #define of several lines.
std::string macro(const std::string& head, const std::vector<std::string>& lines);

}  // namespace oncilla::ocl
