#include "core/chunks.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace oncilla {

namespace {

void delete_segment(Segment* segment) {
  for (Chunk* chunk = segment->first; chunk != nullptr;) delete std::exchange(chunk, chunk->after);
  delete segment;
}

bool is_split(const Chunk* chunk) { return chunk->before != nullptr || chunk->after != nullptr; }

// Right, in no list, becomes part of left, in no list.
void absorb(Chunk* left, Chunk* right) {
  left->bytes += right->bytes;
  left->freed = std::max(left->freed, right->freed);
  left->after = right->after;
  if (left->after != nullptr) left->after->before = left;
  delete right;
}

}  // namespace

Chunks::~Chunks() {
  for (Segment* segment : segments_) delete_segment(segment);
}

Chunk* Chunks::add_segment(const Segment& description) {
  auto segment = std::make_unique<Segment>(description);
  auto chunk = std::make_unique<Chunk>();
  segments_.insert(segment.get());
  chunk->bytes = segment->bytes;
  segment->first = chunk.get();
  chunk->segment = segment.release();
  return chunk.release();
}

std::vector<Segment> Chunks::take_free_segments() {
  std::vector<Segment> taken;
  for (auto it = segments_.begin(); it != segments_.end();) {
    Segment* segment = *it;
    bool whole = true;
    for (const Chunk* chunk = segment->first; chunk != nullptr; chunk = chunk->after) whole = whole && chunk->available;
    if (!whole) {
      ++it;
      continue;
    }
    taken.push_back(*segment);
    for (Chunk* chunk = segment->first; chunk != nullptr; chunk = chunk->after) unlist(chunk);
    it = segments_.erase(it);
    delete_segment(segment);
  }
  return taken;
}

std::vector<Segment> Chunks::segments() const {
  std::vector<Segment> all;
  for (const Segment* segment : segments_) all.push_back(*segment);
  return all;
}

Chunk* Chunks::take(uint64_t bytes, bool small, uint64_t queue) {
  for (const uint64_t id : {queue, kAnyQueue}) {
    const auto pool = pools_.find(id);
    if (pool == pools_.end()) continue;
    if (Chunk* chunk = take_from(pool->second, bytes, small)) return chunk;
  }
  return nullptr;
}

Chunk* Chunks::take_from(Pool& pool, uint64_t bytes, bool small) {
  auto& free = pool.free[small ? 0 : 1];
  Segment lowest;  // address NULL: comes before any real chunk of this size
  Chunk probe;
  probe.segment = &lowest;
  probe.bytes = bytes;
  const auto hit = free.lower_bound(&probe);
  if (hit == free.end()) return nullptr;
  Chunk* chunk = *hit;
  unlist(chunk);
  return chunk;
}

void Chunks::cut(Chunk* chunk, uint64_t bytes) {
  auto* tail = new Chunk;
  tail->segment = chunk->segment;
  tail->offset = chunk->offset + bytes;
  tail->bytes = chunk->bytes - bytes;
  tail->freed = chunk->freed;
  tail->before = chunk;
  tail->after = chunk->after;
  if (tail->after != nullptr) tail->after->before = tail;
  chunk->after = tail;
  chunk->bytes = bytes;
  tail->queue = chunk->queue;
  list(tail);
}

void Chunks::list(Chunk* chunk) {
  chunk->available = true;
  pools_[chunk->queue].free[chunk->segment->small ? 0 : 1].insert(chunk);
  if (!is_split(chunk)) return;
  split_.add(chunk->segment->small, 1);
  split_bytes_.add(chunk->segment->small, chunk->bytes);
}

void Chunks::unlist(Chunk* chunk) {
  pools_[chunk->queue].free[chunk->segment->small ? 0 : 1].erase(chunk);
  chunk->available = false;
  if (!is_split(chunk)) return;
  split_.remove(chunk->segment->small, 1);
  split_bytes_.remove(chunk->segment->small, chunk->bytes);
}

void Chunks::give(Chunk* chunk, uint64_t queue) { move(chunk, knows(queue) ? queue : kAnyQueue); }

void Chunks::move(Chunk* chunk, uint64_t queue) {
  chunk->queue = queue;
  const auto joins = [&](const Chunk* other) { return other != nullptr && other->available && other->queue == queue; };
  if (Chunk* right = chunk->after; joins(right)) {
    unlist(right);
    absorb(chunk, right);
  }
  if (Chunk* left = chunk->before; joins(left)) {
    unlist(left);
    absorb(left, chunk);
    chunk = left;
  }
  list(chunk);
}

void Chunks::share(uint64_t before, const uint64_t* only) {
  std::vector<Chunk*> moving;
  for (auto& [id, pool] : pools_) {
    if (id == kAnyQueue || (only != nullptr && *only != id)) continue;
    for (auto& free : pool.free) {
      for (Chunk* chunk : free) {
        if (chunk->freed < before) moving.push_back(chunk);
      }
    }
  }
  for (Chunk* chunk : moving) unlist(chunk);
  // Listed one after another, each merges with the neighbours listed before it; none of the others is touched.
  for (Chunk* chunk : moving) move(chunk, kAnyQueue);
}

void Chunks::remove_queue(uint64_t queue) {
  share(UINT64_MAX, &queue);
  pools_.erase(queue);
}

}  // namespace oncilla
