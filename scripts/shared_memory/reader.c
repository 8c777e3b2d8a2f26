/*
 * Reads a segment of mdg with segment.h: an example for C programs, and the witness of the tests.
 *   cc -std=gnu11 -O2 -o reader reader.c -lm
 *   reader PATH books                 latest books, one line each
 *   reader PATH events N              N events, one line each
 *   reader PATH witness N [flags]     takes events up to sequence N, proves each, prints counts as JSON
 *   reader PATH book-witness N        reads the first book until its update N, proves each copy
 * Flags of witness, all for tests:
 *   trusting   believes every slot it finds, as a reader without locks and checksums would
 *   slow=K     pauses K iterations after each event, so that it is lapped
 *   from=S     latencies count from sequence S on, when the writer's code is warm
 * The witness knows the events of tests/lib/sinks/shared_memory/pattern.ts: every double of a trade follows from its
 * sequence, so an event that was accepted and is not whole is counted as "corrupt".
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "segment.h"

/* Latencies in steps of 0.1 µs up to 100 ms; beyond that they count as the last. */
enum { LATENCY_STEPS = 1000000 };
static uint32_t latencies[LATENCY_STEPS];
/* Polls without a new event before the writer's state is looked at. */
enum { POLLS_PER_LOOK = 1 << 16 };
static const double GIVE_UP_US = 20e6;

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static int fits_pattern(const mdg_event *event) {
  double n = event->sequence;
  const double *field = event->payload;
  return field[0] == n * 0.5 + 1 && field[1] == fmod(n, 1000) + 0.25 && field[2] == n && field[3] == n * 3 &&
         field[4] == n * 3 + 7 && event->received_us == n + 0.125 && event->exchange_ms == n;
}

static void print_latencies(uint64_t count) {
  const double quantiles[] = {0.5, 0.9, 0.99, 0.999, 1};
  const char *names[] = {"p50_us", "p90_us", "p99_us", "p999_us", "max_us"};
  uint64_t seen = 0;
  int next = 0;
  for (int i = 0; i < LATENCY_STEPS && next < 5; i++) {
    seen += latencies[i];
    while (next < 5 && seen > 0 && (double)seen >= quantiles[next] * (double)count)
      printf(", \"%s\": %.1f", names[next++], i / 10.0);
  }
}

/* What a reader without lock and checksum takes: whatever lies in the slot once the head has passed it. */
static int next_trusting(mdg_reader *reader, mdg_event *event) {
  const uint8_t *slot = reader->ring + (reader->position & (reader->ring_slots - 1)) * MDG_EVENT_BYTES;
  int32_t ahead = (int32_t)(mdg_load(slot) - (uint32_t)(2 * reader->position));
  if (ahead < 0) return 0;
  memcpy(event, slot, MDG_EVENT_BYTES);
  event->sequence = (double)reader->position++;
  return 1;
}

static int witness(mdg_reader *reader, uint64_t last, int trusting, long slow, double from) {
  uint64_t accepted = 0, corrupt = 0, others = 0, timed = 0;
  double began_us = 0, looked_us = now_us();
  mdg_event event;
  reader->position = 1;
  for (uint64_t polls = 0; reader->position <= last;) {
    int found = trusting ? next_trusting(reader, &event) : mdg_next(reader, &event);
    if (found < 0) continue;
    if (found == 0) {
      if (++polls % POLLS_PER_LOOK == 0 && (mdg_state(reader) != MDG_LIVE || now_us() - looked_us > GIVE_UP_US)) {
        if (mdg_head(reader) < reader->position || now_us() - looked_us > GIVE_UP_US) break;
      }
      continue;
    }
    if (event.kind != MDG_TRADE) {
      others++;
      continue;
    }
    double seen_us = now_us();
    looked_us = seen_us;
    if (began_us == 0) began_us = seen_us;
    accepted++;
    if (!fits_pattern(&event)) corrupt++;
    double step = (seen_us - event.published_us) * 10;
    if (step >= 0 && event.sequence >= from) {
      latencies[step < LATENCY_STEPS - 1 ? (size_t)step : LATENCY_STEPS - 1]++;
      timed++;
    }
    for (volatile long i = 0; i < slow; i++) continue;
  }
  double elapsed_s = (now_us() - began_us) / 1e6;
  printf("{\"accepted\": %" PRIu64 ", \"corrupt\": %" PRIu64 ", \"torn\": %" PRIu64 ", \"lapped\": %" PRIu64
         ", \"lost\": %" PRIu64 ", \"others\": %" PRIu64 ", \"events_per_s\": %.0f",
         accepted, corrupt, reader->torn, reader->lapped, reader->lost, others, accepted / elapsed_s);
  if (timed > 0) print_latencies(timed);
  printf("}\n");
  return 0;
}

/* Of the pattern, every level of a book follows from its update id. */
static int book_fits_pattern(const mdg_reader *reader, const mdg_book *book) {
  double n = book->last_update_id;
  const double *asks = book->levels + 2 * reader->book_depth;
  if (book->bid_count != reader->book_depth || book->ask_count != reader->book_depth) return 0;
  for (uint32_t i = 0; i < book->bid_count; i++) {
    if (book->levels[2 * i] != 1e5 + n - i || book->levels[2 * i + 1] != n + i / 4.0) return 0;
    if (asks[2 * i] != 1e5 + 1 + n + i || asks[2 * i + 1] != n + i / 4.0) return 0;
  }
  return 1;
}

static int witness_books(mdg_reader *reader, uint64_t last) {
  uint64_t accepted = 0, corrupt = 0, busy = 0, distinct = 0;
  double seen = 0;
  mdg_book *book = malloc(reader->book_slot_bytes);
  double news_us = now_us();
  /* a writer that is gone leaves what it wrote last; one that was killed does not even say so */
  for (int live = 1; seen < (double)last && live && now_us() - news_us < GIVE_UP_US;) {
    live = mdg_state(reader) == MDG_LIVE;
    int found = mdg_read_book(reader, 0, book);
    if (found < 0) busy++;
    if (found <= 0 || book->state != 1) continue;
    accepted++;
    if (!book_fits_pattern(reader, book) || book->last_update_id < seen) corrupt++;
    if (book->last_update_id <= seen) continue;
    seen = book->last_update_id;
    news_us = now_us();
    distinct++;
  }
  printf("{\"accepted\": %" PRIu64 ", \"distinct\": %" PRIu64 ", \"corrupt\": %" PRIu64 ", \"busy\": %" PRIu64
         ", \"torn\": %" PRIu64 "}\n",
         accepted, distinct, corrupt, busy, reader->torn);
  free(book);
  return 0;
}

static int print_books(mdg_reader *reader) {
  mdg_book *book = malloc(reader->book_slot_bytes);
  uint32_t used = mdg_u32(reader->memory + 256);
  for (uint32_t i = 0; i < used && i < reader->book_slots; i++) {
    int found;
    while ((found = mdg_read_book(reader, i, book)) < 0) continue;
    if (found == 0) continue;
    printf("%s %s state=%u update=%.0f bids=%u asks=%u", book->venue, book->symbol, book->state,
           book->last_update_id, book->bid_count, book->ask_count);
    const double *asks = book->levels + 2 * reader->book_depth;
    if (book->bid_count > 0) printf(" bid=%.15g@%.15g", book->levels[1], book->levels[0]);
    if (book->ask_count > 0) printf(" ask=%.15g@%.15g", asks[1], asks[0]);
    printf("\n");
  }
  free(book);
  return 0;
}

static int print_events(mdg_reader *reader, uint64_t count) {
  mdg_event event;
  while (count > 0) {
    int found = mdg_next(reader, &event);
    if (found < 0) fprintf(stderr, "lapped: %" PRIu64 " events lost so far\n", reader->lost);
    if (found == 0 && mdg_state(reader) != MDG_LIVE) break;
    if (found <= 0) continue;
    printf("%.0f kind=%u instrument=%u", event.sequence, event.kind, event.instrument);
    for (int i = 0; i < (event.length - 56) / 8; i++) printf(" %.15g", event.payload[i]);
    printf("\n");
    count--;
  }
  return 0;
}

int main(int argc, char **argv) {
  mdg_reader reader;
  if (argc < 3) return fprintf(stderr, "use: reader PATH books | events N | book-witness N | witness N [trusting] [slow=K] [from=S]\n"), 2;
  if (mdg_open(&reader, argv[1]) != 0) return fprintf(stderr, "open %s: no segment of mdg\n", argv[1]), 1;
  if (strcmp(argv[2], "books") == 0) return print_books(&reader);
  if (argc < 4) return fprintf(stderr, "%s: want a number\n", argv[2]), 2;
  uint64_t count = strtoull(argv[3], NULL, 10);
  if (strcmp(argv[2], "events") == 0) return print_events(&reader, count);
  if (strcmp(argv[2], "book-witness") == 0) return witness_books(&reader, count);
  int trusting = 0;
  long slow = 0, from = 0;
  for (int i = 4; i < argc; i++) {
    if (strcmp(argv[i], "trusting") == 0) trusting = 1;
    if (strncmp(argv[i], "slow=", 5) == 0) slow = strtol(argv[i] + 5, NULL, 10);
    if (strncmp(argv[i], "from=", 5) == 0) from = strtol(argv[i] + 5, NULL, 10);
  }
  return witness(&reader, count, trusting, slow, (double)from);
}
