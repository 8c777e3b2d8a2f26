/* The shared-memory segment of mdg, version 1, for C11 readers. The layout: lib/sinks/shared_memory/README.md. */
#ifndef MDG_SEGMENT_H
#define MDG_SEGMENT_H

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MDG_HEADER_BYTES = 512, MDG_EVENT_BYTES = 256, MDG_BOOK_HEAD_BYTES = 256 };
enum { MDG_LIVE = 1, MDG_CLOSED = 2, MDG_REPLACED = 3 };
enum { MDG_TRADE = 1, MDG_QUOTE, MDG_BOOK, MDG_LEVELS, MDG_BOOK_STATUS, MDG_TICKER, MDG_CANDLE, MDG_INSTRUMENT };

typedef struct {
  uint32_t lock, checksum;
  uint32_t reserved[2];
  double sequence;
  uint32_t instrument;
  uint8_t kind, flags;
  uint16_t length;
  double exchange_ms, received_us, published_us;
  double payload[25];
} mdg_event;
_Static_assert(sizeof(mdg_event) == MDG_EVENT_BYTES, "event slot");

typedef struct {
  uint32_t lock, checksum;
  uint32_t reserved[2];
  uint32_t state, flags, bid_count, ask_count, price_decimals, quantity_decimals;
  double event_sequence, book_sequence, last_update_id, exchange_ms, sent_ms, received_us, published_us;
  char venue[64], symbol[64], reason[32];
  double levels[]; /* bids: price, quantity, …; asks from 2 * book_depth */
} mdg_book;
_Static_assert(sizeof(mdg_book) == MDG_BOOK_HEAD_BYTES, "book slot");

typedef struct {
  const uint8_t *memory;
  size_t bytes;
  const uint8_t *books, *ring;
  uint32_t book_slot_bytes, book_slots, book_depth, ring_slots;
  uint64_t position;                  /* sequence of the event wanted next */
  uint64_t torn, lapped, lost;        /* copies not confirmed; times lapped; events lost by it */
} mdg_reader;

static inline double mdg_f64(const uint8_t *at) {
  double value;
  memcpy(&value, at, sizeof value);
  return value;
}
static inline uint32_t mdg_u32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return value;
}
static inline uint32_t mdg_load(const uint8_t *at) {
  return atomic_load_explicit((const _Atomic uint32_t *)at, memory_order_acquire);
}
static inline uint32_t mdg_state(const mdg_reader *reader) { return mdg_load(reader->memory + 16); }
static inline double mdg_epoch(const mdg_reader *reader) { return mdg_f64(reader->memory + 32); }
static inline uint64_t mdg_head(const mdg_reader *reader) {
  return (uint64_t) * (const volatile double *)(reader->memory + 192);
}

/* 0, or -1 when there is no whole segment of this version. `path`: /dev/shm/NAME. */
static inline int mdg_open(mdg_reader *reader, const char *path) {
  memset(reader, 0, sizeof *reader);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  struct stat stat;
  if (fstat(fd, &stat) != 0 || stat.st_size < MDG_HEADER_BYTES) {
    close(fd);
    return -1;
  }
  reader->bytes = (size_t)stat.st_size;
  void *memory = mmap(NULL, reader->bytes, PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  if (memory == MAP_FAILED) return -1;
  const uint8_t *header = reader->memory = memory;
  reader->book_slot_bytes = mdg_u32(header + 48);
  reader->book_slots = mdg_u32(header + 52);
  reader->book_depth = mdg_u32(header + 56);
  reader->ring_slots = mdg_u32(header + 76);
  reader->books = header + (size_t)mdg_f64(header + 40);
  reader->ring = header + (size_t)mdg_f64(header + 64);
  if (memcmp(header, "MDGSHMEM", 8) != 0 || mdg_u32(header + 8) != 1 || mdg_f64(header + 24) > (double)reader->bytes ||
      mdg_u32(header + 72) != MDG_EVENT_BYTES) {
    munmap(memory, reader->bytes);
    return -1;
  }
  reader->position = mdg_head(reader) + 1;
  return 0;
}
static inline void mdg_close(mdg_reader *reader) { munmap((void *)reader->memory, reader->bytes); }

static inline uint32_t mdg_fold(uint32_t sum, uint32_t lane) {
  uint32_t mixed = (sum ^ lane) * 0x85ebca6bu;
  return mixed ^ mixed >> 15;
}
/* `bytes` is a multiple of 16. */
static inline uint32_t mdg_checksum(const void *from, size_t bytes, uint32_t seed) {
  uint32_t lane[4] = {0x243f6a88u ^ seed, 0x85a308d3u ^ seed, 0x13198a2eu ^ seed, 0x03707344u ^ seed};
  const uint8_t *at = from;
  for (size_t i = 0; i < bytes; i += 16) {
    for (int k = 0; k < 4; k++) {
      lane[k] = (lane[k] ^ mdg_u32(at + i + 4 * k)) * 0x85ebca6bu;
      lane[k] ^= lane[k] >> 15;
    }
  }
  return mdg_fold(mdg_fold(mdg_fold(lane[0], lane[1]), lane[2]), lane[3]);
}

/* The slot behind `lock` into `copy`; whether the lock stayed the same. */
static inline int mdg_copy(const uint8_t *slot, uint32_t lock, void *copy, size_t bytes) {
  memcpy(copy, slot, bytes);
  atomic_thread_fence(memory_order_acquire);
  return mdg_load(slot) == lock;
}

/* 1: `event` is the next one. 0: not there yet. -1: lapped, `position` moved on: read the books anew. */
static inline int mdg_next(mdg_reader *reader, mdg_event *event) {
  const uint8_t *slot = reader->ring + (reader->position & (reader->ring_slots - 1)) * MDG_EVENT_BYTES;
  for (;;) {
    uint32_t lock = mdg_load(slot);
    int32_t ahead = (int32_t)(lock - (uint32_t)(2 * reader->position));
    if (ahead < 0 || ahead == 1) return 0;
    if (ahead > 1) {
      uint64_t first = reader->position, head = mdg_head(reader);
      uint64_t next = head > reader->ring_slots / 2 ? head - reader->ring_slots / 2 : 0;
      reader->position = next > first ? next : first + 1;
      reader->lapped++;
      reader->lost += reader->position - first;
      return -1;
    }
    if (mdg_copy(slot, lock, event, MDG_EVENT_BYTES) && event->length >= 56 && event->length <= MDG_EVENT_BYTES &&
        event->length % 16 == 0 && mdg_checksum((uint8_t *)event + 16, event->length - 16u, 0) == event->checksum &&
        event->sequence == (double)reader->position) {
      reader->position++;
      return 1;
    }
    reader->torn++;
  }
}

/* 1: `book`, of `book_slot_bytes`, is a whole copy. 0: never written. -1: being written, try again. */
static inline int mdg_read_book(mdg_reader *reader, uint32_t index, mdg_book *book) {
  const uint8_t *slot = reader->books + (size_t)index * reader->book_slot_bytes;
  uint32_t lock = mdg_load(slot);
  if (lock == 0) return 0;
  if (lock & 1) return -1;
  if (mdg_copy(slot, lock, book, reader->book_slot_bytes) && book->bid_count <= reader->book_depth &&
      book->ask_count <= reader->book_depth) {
    uint32_t sum = mdg_checksum((uint8_t *)book + 16, MDG_BOOK_HEAD_BYTES - 16 + 16 * book->bid_count, 0);
    sum = mdg_checksum(book->levels + 2 * reader->book_depth, 16 * book->ask_count, sum);
    if (sum == book->checksum) return 1;
  }
  reader->torn++;
  return -1;
}

#endif
