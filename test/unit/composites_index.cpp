// Recipes of docs/composites.md around SORT, COMPACT and SCATTER, end to end on the plugins beside the executable, against plain
// C++.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "core/op.hpp"
#include "core/tape.hpp"
#include "plugins.hpp"

using namespace oncilla;

namespace {

using Ints = std::vector<int64_t>;

// One-dimensional and contiguous.
struct List {
  const Api& api;
  onc_buffer* buffer = nullptr;
  uint32_t dtype;
  Ints dims, strides{1};

  List(Device& device, uint32_t dtype, int64_t n) : api(device.api()), dtype(dtype), dims{n} {
    api.check(api.buffer_alloc(device.handle(), static_cast<uint64_t>(n) * 8, &buffer));
  }
  List(List&& other) noexcept
      : api(other.api), buffer(std::exchange(other.buffer, nullptr)), dtype(other.dtype), dims(std::move(other.dims)) {}
  ~List() {
    if (buffer) api.buffer_free(buffer);
  }
  TensorRef ref() const { return {{buffer, 0}, dtype, dims, strides}; }
};

class Lab {
 public:
  explicit Lab(Device& device) : device(device), queue(device.create_queue()) {}
  List list(const Ints& values) {
    List t(device, ONC_I64, static_cast<int64_t>(values.size()));
    queue->copy_h2d({t.buffer, 0}, values.data(), values.size() * 8);
    return t;
  }
  Ints read(const List& t, int64_t n) {
    Ints values(static_cast<size_t>(n));
    queue->copy_d2h(values.data(), {t.buffer, 0}, values.size() * 8);
    queue->finish();
    return values;
  }
  // y[i] = the tape's value, of which inputs are tables.
  template <class Make, class... In>
  void gather(const Make& make, const List& y, const In&... in) {
    Tape tape;
    const std::tuple tables{tape.table(in.dtype)...};  // braces: in order
    std::apply([&](auto... table) { make(tape, table...); }, tables);
    Op op(ONC_OP_EXPR);
    op.tape(tape, y.dims);
    (op.in(in.ref()), ...);
    op.out(y.ref()).run(*queue);
  }
  void scatter_sum(const List& index, const TensorRef& src, const List& y) {
    onc_scatter_attrs attrs{};
    attrs.size = sizeof attrs;
    attrs.reduce = ONC_SCATTER_SUM;
    attrs.include_self = 1;
    Op(ONC_OP_SCATTER).attrs(attrs).no_in().in(index.ref()).in(src).out(y.ref()).run(*queue);
  }

  Device& device;
  std::unique_ptr<Queue> queue;
};

// Where each run of equal values begins: sorted values, the beginnings (n behind the last), their number.
struct Runs {
  List sorted, begin, count;
};

Runs runs_of(Lab& lab, const List& x) {
  const int64_t n = x.dims[0];
  Runs runs{{lab.device, ONC_I64, n}, {lab.device, ONC_I64, n}, {lab.device, ONC_I64, 1}};
  onc_sort_attrs attrs{};
  attrs.size = sizeof attrs;
  Op(ONC_OP_SORT).attrs(attrs).in(x.ref()).out(runs.sorted.ref()).no_out().run(*lab.queue);
  const List first(lab.device, ONC_BOOL, n);
  lab.gather(
      [](Tape& t, Table sorted) {
        const Value i = t.coord(0);
        const Value zero = t.constant_int(ONC_I64, 0), one = t.constant_int(ONC_I64, 1);
        t.output(logical_or(eq(i, zero), ne(t.gather(sorted, i), t.gather(sorted, i - one))));
      },
      first, runs.sorted);
  TensorRef count = runs.count.ref();
  count.dims = count.strides = {};
  Op(ONC_OP_COMPACT).in(first.ref()).out(runs.begin.ref()).out(count).run(*lab.queue);
  return runs;
}

Ints sample(size_t n, int64_t limit) {
  Ints values;
  uint64_t state = 7;
  for (size_t i = 0; i < n; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    values.push_back(static_cast<int64_t>(state >> 33) % limit);
  }
  return values;
}

}  // namespace

TEST_CASE("composites: unique and mode") {
  test::on_each_plugin<Lab>([](Lab& lab) {
    const Ints values = sample(1013, 90);
    std::map<int64_t, int64_t> counts;
    for (int64_t v : values) ++counts[v];
    const List x = lab.list(values);
    const Runs runs = runs_of(lab, x);
    const int64_t n = x.dims[0], found = lab.read(runs.count, 1)[0];
    REQUIRE(found == static_cast<int64_t>(counts.size()));

    const List unique(lab.device, ONC_I64, found), length(lab.device, ONC_I64, n), mode(lab.device, ONC_I64, 1);
    lab.gather([](Tape& t, Table sorted, Table begin) { t.output(t.gather(sorted, t.gather(begin, t.coord(0)))); }, unique,
               runs.sorted, runs.begin);
    lab.gather(
        [n](Tape& t, Table begin) {
          const Value i = t.coord(0), next = i + t.constant_int(ONC_I64, 1), end = t.constant_int(ONC_I64, n);
          t.output(where(lt(next, end), t.gather(begin, next), end) - t.gather(begin, i));
        },
        length, runs.begin);
    Ints keys, sizes;
    for (const auto& [key, size] : counts) {
      keys.push_back(key);
      sizes.push_back(size);
    }
    CHECK(lab.read(unique, found) == keys);
    CHECK(lab.read(length, found) == sizes);

    // The longest run, the first of equals: the least of the most frequent values.
    Tape longest;
    longest.output(longest.reduce(ONC_EX_REDUCE_ARGMAX, longest.input(ONC_I64)));
    const List at(lab.device, ONC_I64, 1);
    TensorRef scalar = at.ref();
    scalar.dims = scalar.strides = {};
    Op(ONC_OP_EXPR).tape(longest, length.dims, 1).in(length.ref()).out(scalar).run(*lab.queue);
    lab.gather(
        [](Tape& t, Table sorted, Table begin, Table at) { t.output(t.gather(sorted, t.gather(begin, t.gather(at, t.coord(0))))); },
        mode, runs.sorted, runs.begin, at);
    const auto most =
        std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    CHECK(lab.read(mode, 1)[0] == most->first);
  });
}

TEST_CASE("composites: bincount") {
  test::on_each_plugin<Lab>([](Lab& lab) {
    const Ints values = sample(2003, 37);
    Ints expected(37, 0);
    for (int64_t v : values) ++expected[static_cast<size_t>(v)];
    const List x = lab.list(values), one = lab.list({1}), y(lab.device, ONC_I64, 37);
    const Ints still{0};
    lab.scatter_sum(x, {{one.buffer, 0}, ONC_I64, x.dims, still}, y);
    CHECK(lab.read(y, 37) == expected);
  });
}

TEST_CASE("composites: index_put that accumulates") {
  test::on_each_plugin<Lab>([](Lab& lab) {
    constexpr int64_t kRows = 5, kColumns = 7;
    const Ints row = sample(211, kRows), column = sample(211, kColumns), value = sample(211, 1000);
    Ints expected(kRows * kColumns, 0);
    for (size_t i = 0; i < row.size(); ++i) expected[static_cast<size_t>(row[i] * kColumns + column[i])] += value[i];
    const List r = lab.list(row), c = lab.list(column), v = lab.list(value), index(lab.device, ONC_I64, 211),
               y(lab.device, ONC_I64, kRows * kColumns);
    lab.gather(
        [](Tape& t, Table rows, Table columns) {
          const Value i = t.coord(0);
          t.output(t.gather(rows, i) * t.constant_int(ONC_I64, kColumns) + t.gather(columns, i));
        },
        index, r, c);
    lab.scatter_sum(index, v.ref(), y);
    CHECK(lab.read(y, kRows * kColumns) == expected);
  });
}
