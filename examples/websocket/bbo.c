/* Best bids and offers of a symbol over WebSocket, one JSON a line. Debian: libwebsockets-dev.
 *
 *   cc -O2 -o bbo bbo.c -lwebsockets && ./bbo 127.0.0.1 8080 BTCUSD [COUNT]
 */
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *symbol;
static long left;
static int ended = 0, wants_to_subscribe = 0;

static int take(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length) {
  static char line[65536];
  static size_t used;
  (void)user;
  switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
      wants_to_subscribe = 1;
      lws_callback_on_writable(wsi);
      break;
    case LWS_CALLBACK_CLIENT_WRITEABLE: {
      unsigned char request[LWS_PRE + 256];
      if (!wants_to_subscribe) break;
      wants_to_subscribe = 0;
      int size = snprintf((char *)request + LWS_PRE, 256,
                          "{\"type\":\"subscribe\",\"symbol\":\"%s\",\"channel\":\"bbo\"}", symbol);
      if (size >= 256 || lws_write(wsi, request + LWS_PRE, size, LWS_WRITE_TEXT) < size) return -1;
      break;
    }
    case LWS_CALLBACK_CLIENT_RECEIVE: /* a message may come in pieces */
      if (used + length >= sizeof line) return -1;
      memcpy(line + used, in, length);
      used += length;
      if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi)) break;
      line[used] = 0;
      used = 0;
      if (strstr(line, "\"type\":\"error\"")) fprintf(stderr, "%s\n", line), ended = 1;
      if (!strstr(line, "\"type\":\"bbo\"")) break;
      puts(line);
      fflush(stdout);
      if (--left == 0) ended = 1;
      break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_CLIENT_CLOSED: /* a real consumer connects again, later each time */
      fprintf(stderr, "closed: %s\n", in && reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR ? (char *)in : "");
      ended = 1;
      break;
    default:
      break;
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 4) return fprintf(stderr, "usage: bbo HOST PORT SYMBOL [COUNT]\n"), 2;
  symbol = argv[3];
  left = argc > 4 ? atol(argv[4]) : 0;
  int has_count = left > 0;
  lws_set_log_level(LLL_ERR, NULL);
  const struct lws_protocols protocols[] = {{.name = "mdg.v1.json", .callback = take, .rx_buffer_size = 65536},
                                            {.name = NULL}};
  struct lws_context_creation_info info = {
      .port = CONTEXT_PORT_NO_LISTEN, .protocols = protocols, .gid = -1, .uid = -1};
  struct lws_context *context = lws_create_context(&info);
  struct lws_client_connect_info server = {.context = context,
                                           .address = argv[1],
                                           .port = atoi(argv[2]),
                                           .path = "/",
                                           .host = argv[1],
                                           .protocol = "mdg.v1.json"};
  if (!context || !lws_client_connect_via_info(&server)) return 1;
  while (!ended) lws_service(context, 0);
  lws_context_destroy(context);
  return has_count && left > 0;
}
