#include "core/indexing.hpp"

#include <limits>

namespace oncilla {
namespace {

int64_t product(std::span<const int64_t> sizes, size_t begin, size_t end) {
  int64_t n = 1;
  for (size_t d = begin; d < end; ++d) n *= sizes[d];
  return n;
}

// A tape over a table, with the arithmetic of positions.
class Builder {
 public:
  Builder(uint32_t dtype, int64_t numel)
      : width_(numel > std::numeric_limits<int32_t>::max() ? ONC_I64 : ONC_I32), table_(made_.tape.table(dtype)) {}

  // A size as a run-time scalar, in the positions' dtype.
  Value size(int64_t value) {
    onc_scalar number{};
    number.i = value;
    made_.scalars.push_back(number);
    return tape().scalar(width_);
  }
  Value coordinate(size_t dim) { return tape().coord(static_cast<uint32_t>(dim), width_); }
  Value number(int64_t value) { return tape().constant_int(width_, value); }

  // The next input as an index into an axis of `length`; remembers whether it lies inside.
  Value index(int64_t length, bool wrap) {
    Value given = tape().input(ONC_I64);
    made_.indices.push_back(given.number);
    const Value end = tape().cast(size(length), ONC_I64), zero = tape().constant_int(ONC_I64, 0);
    if (wrap) given = oncilla::where(lt(given, zero), given + end, given);
    const Value inside = logical_and(ge(given, zero), lt(given, end));
    inside_ = inside_.tape == nullptr ? inside : logical_and(inside_, inside);
    return tape().cast(given, width_);
  }

  // Ends the tape: the element there.
  IndexTape read(Value position, std::vector<int64_t> dims) {
    if (inside_.tape != nullptr) position = oncilla::where(inside_, position, number(-1));
    tape().output(tape().gather(table_, position));
    made_.dims = std::move(dims);
    return std::move(made_);
  }

 private:
  // Values point to the tape, so that it must not move before it is done.
  Tape& tape() { return made_.tape; }
  IndexTape made_;
  uint32_t width_;
  Table table_;
  Value inside_;
};

// The position of coordinates: ((c0 * n1) + c1) * n2 + …
Value row_major(Builder& b, std::span<const int64_t> sizes, std::span<const Value> at) {
  Value position = at[0];
  for (size_t d = 1; d < sizes.size(); ++d) position = position * b.size(sizes[d]) + at[d];
  return position;
}

}  // namespace

IndexTape index_select(uint32_t dtype, std::span<const int64_t> sizes, uint32_t axis, int64_t m, bool wrap) {
  const int64_t flat[] = {product(sizes, 0, axis), sizes[axis], product(sizes, axis + 1, sizes.size())};
  Builder b(dtype, product(flat, 0, 3));
  const Value at[] = {b.coordinate(0), b.index(sizes[axis], wrap), b.coordinate(2)};
  return b.read(row_major(b, flat, at), {flat[0], m, flat[2]});
}

IndexTape gather(uint32_t dtype, std::span<const int64_t> sizes, uint32_t axis, std::span<const int64_t> index_sizes, bool wrap) {
  Builder b(dtype, product(sizes, 0, sizes.size()));
  std::vector<Value> at;
  for (size_t d = 0; d < sizes.size(); ++d) at.push_back(d == axis ? b.index(sizes[d], wrap) : b.coordinate(d));
  return b.read(row_major(b, sizes, at), {index_sizes.begin(), index_sizes.end()});
}

IndexTape index_tensors(uint32_t dtype, std::span<const int64_t> sizes, uint32_t n_indices, std::span<const int64_t> broadcast,
                        bool wrap) {
  Builder b(dtype, product(sizes, 0, sizes.size()));
  std::vector<Value> at;
  std::vector<int64_t> dims(broadcast.begin(), broadcast.end());
  for (size_t d = 0; d < sizes.size(); ++d) {
    at.push_back(d < n_indices ? b.index(sizes[d], wrap) : b.coordinate(dims.size()));
    if (d >= n_indices) dims.push_back(sizes[d]);
  }
  return b.read(row_major(b, sizes, at), std::move(dims));
}

IndexTape flip(uint32_t dtype, std::span<const int64_t> sizes, uint32_t axes) {
  Builder b(dtype, product(sizes, 0, sizes.size()));
  std::vector<Value> at;
  for (size_t d = 0; d < sizes.size(); ++d) {
    const Value c = b.coordinate(d);
    at.push_back((axes >> d & 1) != 0 ? b.size(sizes[d] - 1) - c : c);
  }
  return b.read(row_major(b, sizes, at), {sizes.begin(), sizes.end()});
}

IndexTape roll(uint32_t dtype, std::span<const int64_t> sizes, std::span<const int64_t> shifts) {
  Builder b(dtype, product(sizes, 0, sizes.size()));
  std::vector<Value> at;
  for (size_t d = 0; d < sizes.size(); ++d) {
    // By a shift of 0 … size-1 forward, one subtraction replaces the remainder.
    const int64_t size = sizes[d], back = size == 0 ? 0 : ((shifts[d] % size) + size) % size;
    const Value from = b.coordinate(d) - b.size(back);
    at.push_back(where(lt(from, b.number(0)), from + b.size(size), from));
  }
  return b.read(row_major(b, sizes, at), {sizes.begin(), sizes.end()});
}

IndexTape triangle(uint32_t dtype, std::span<const int64_t> sizes, int64_t k, bool upper) {
  IndexTape made;
  Tape& t = made.tape;
  const auto rank = static_cast<uint32_t>(sizes.size());
  if (rank < 2) throw Error(ONC_INVALID_ARGUMENT, "[triangle] a tensor of rank " + std::to_string(rank) + " has no triangle");
  const Value x = t.input(dtype), below = t.coord(rank - 1) - t.coord(rank - 2), diagonal = t.scalar(ONC_I64);
  t.output(where(upper ? ge(below, diagonal) : le(below, diagonal), x, t.constant_int(x.dtype, 0)));
  onc_scalar number{};
  number.i = k;
  made.scalars.push_back(number);
  made.dims.assign(sizes.begin(), sizes.end());
  return made;
}

Tape one_hot(uint32_t rank) {
  Tape t;
  t.output(eq(t.input(ONC_I64), t.coord(rank - 1)));
  return t;
}

Tape masked_scatter(uint32_t dtype) {
  Tape t;
  const Value self = t.input(dtype), mask = t.input(ONC_BOOL), rank = t.input(ONC_I64);
  t.output(where(mask, t.gather(t.table(dtype), rank), self));
  return t;
}

}  // namespace oncilla
