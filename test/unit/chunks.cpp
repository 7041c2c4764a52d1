// Who may take which chunk, and how they are cut and joined, without a device.
#include "core/chunks.hpp"

#include <doctest/doctest.h>

using namespace oncilla;

namespace {

// Segments of 100 bytes at made-up addresses, for blocks that are not small.
struct Fixture {
  Chunks chunks;
  char memory[4][100];
  int segments = 0;

  Chunk* segment(uint64_t queue) {
    Chunk* chunk = chunks.add_segment({nullptr, memory[segments++], 100, false});
    chunks.add_queue(queue);
    chunk->queue = queue;
    return chunk;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "chunks: the smallest that fits, the queue's own first") {
  Chunk* own = segment(1);
  chunks.cut(own, 60);  // 40 bytes are free to queue 1
  chunks.give(segment(2), 2);
  CHECK(chunks.take(50, false, 1) == nullptr);
  CHECK(chunks.take(40, true, 1) == nullptr);  // nothing for small blocks
  Chunk* shared = segment(1);
  chunks.give(shared, kAnyQueue);
  Chunk* rest = chunks.take(30, false, 1);
  REQUIRE(rest != nullptr);
  CHECK(rest->address() == own->address() + 60);
  CHECK(rest->bytes == 40);
  CHECK(chunks.take(30, false, 1) == shared);
  CHECK(chunks.take(1, false, 1) == nullptr);
}

TEST_CASE_FIXTURE(Fixture, "chunks: free neighbours of one queue join, those of two do not") {
  Chunk* first = segment(1);
  chunks.cut(first, 30);
  Chunk* second = chunks.take(70, false, 1);
  chunks.cut(second, 30);
  chunks.add_queue(2);
  chunks.give(first, 2);
  chunks.give(second, 1);
  CHECK(chunks.take(100, false, 1) == nullptr);
  CHECK(chunks.take(31, false, 2) == nullptr);
  first->freed = 5, second->freed = 7;
  chunks.share(6, nullptr);  // the first alone was freed before the clock showed 6
  CHECK(chunks.take(31, false, 2) == nullptr);
  chunks.share(8, nullptr);
  Chunk* whole = chunks.take(100, false, 2);
  REQUIRE(whole != nullptr);
  CHECK(whole->offset == 0);
  CHECK(whole->freed == 7);
  CHECK(chunks.take(1, false, 1) == nullptr);
}

TEST_CASE_FIXTURE(Fixture, "chunks: a segment goes when all of it is free") {
  Chunk* first = segment(1);
  Chunk* other = segment(1);
  chunks.cut(first, 10);
  CHECK(chunks.take_free_segments().empty());
  chunks.give(first, 1);
  const std::vector<Segment> gone = chunks.take_free_segments();
  REQUIRE(gone.size() == 1);
  CHECK(gone[0].address == memory[0]);
  CHECK(chunks.take(1, false, 1) == nullptr);
  CHECK(chunks.segments().size() == 1);
  chunks.give(other, 1);
}

TEST_CASE_FIXTURE(Fixture, "chunks: what a queue leaves behind is everybody's") {
  Chunk* chunk = segment(1);
  chunks.give(chunk, 1);
  CHECK(chunks.take(100, false, 2) == nullptr);
  chunks.remove_queue(1);
  CHECK_FALSE(chunks.knows(1));
  CHECK(chunks.take(100, false, 2) == chunk);
  chunks.give(chunk, 1);  // a queue that is gone
  CHECK(chunks.take(100, false, 2) == chunk);
}
