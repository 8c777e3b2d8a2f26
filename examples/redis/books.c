/* Payloads of a book that mdg publishes to Redis, one JSON a line. Debian: libhiredis-dev.
 *
 *   cc -O2 -o books books.c -lhiredis && ./books 127.0.0.1 6379 BTCUSDT [COUNT]
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(const redisContext *redis, const char *what) {
  fprintf(stderr, "%s: %s\n", what, redis ? redis->errstr : "no memory");
  return 1;
}

int main(int argc, char **argv) {
  if (argc < 4) return fprintf(stderr, "usage: books HOST PORT SYMBOL [COUNT]\n"), 2;
  long left = argc > 4 ? atol(argv[4]) : 0;
  redisContext *redis = redisConnect(argv[1], atoi(argv[2]));
  if (!redis || redis->err) return fail(redis, "connect");
  redisReply *reply = redisCommand(redis, "SUBSCRIBE orderbook:%s", argv[3]);
  if (!reply) return fail(redis, "subscribe");
  freeReplyObject(reply);
  while (redisGetReply(redis, (void **)&reply) == REDIS_OK) {
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 && reply->element[2]->type == REDIS_REPLY_STRING) {
      printf("%s\n", reply->element[2]->str);
      fflush(stdout);
      if (--left == 0) return 0;
    }
    freeReplyObject(reply);
  }
  return fail(redis, "read"); /* a real consumer connects again here, and reads the latest key first */
}
