/* Updates that mdg writes to a RabbitMQ stream, one JSON a line, over AMQP 0-9-1. Debian: librabbitmq-dev.
 *
 *   cc -O2 -o updates updates.c -lrabbitmq && ./updates 127.0.0.1 5672 marketupdates first [COUNT]
 */
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <stdio.h>
#include <stdlib.h>

static void check(amqp_rpc_reply_t reply, const char *what) {
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return;
  fprintf(stderr, "%s: %s\n", what,
          reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION ? amqp_error_string2(reply.library_error)
                                                              : "refused by the broker");
  exit(1);
}

int main(int argc, char **argv) {
  if (argc < 5) return fprintf(stderr, "usage: updates HOST PORT STREAM OFFSET [COUNT]\n"), 2;
  long left = argc > 5 ? atol(argv[5]) : 0;
  amqp_connection_state_t broker = amqp_new_connection();
  if (amqp_socket_open(amqp_tcp_socket_new(broker), argv[1], atoi(argv[2])))
    return fprintf(stderr, "connect: nobody answers\n"), 1;
  check(amqp_login(broker, "/", 0, 131072, 30, AMQP_SASL_METHOD_PLAIN, "guest", "guest"), "login");
  amqp_channel_open(broker, 1);
  check(amqp_get_rpc_reply(broker), "channel");
  amqp_basic_qos(broker, 1, 0, 1000, 0); /* a stream wants a prefetch limit, acknowledgements and an offset */
  check(amqp_get_rpc_reply(broker), "prefetch");
  amqp_table_entry_t offset = {.key = amqp_cstring_bytes("x-stream-offset"),
                               .value = {.kind = AMQP_FIELD_KIND_UTF8,
                                         .value.bytes = amqp_cstring_bytes(argv[4])}};
  amqp_table_t arguments = {.num_entries = 1, .entries = &offset};
  amqp_basic_consume(broker, 1, amqp_cstring_bytes(argv[3]), amqp_empty_bytes, 0, 0, 0, arguments);
  check(amqp_get_rpc_reply(broker), "consume");
  for (;;) {
    amqp_envelope_t envelope;
    amqp_maybe_release_buffers(broker);
    check(amqp_consume_message(broker, &envelope, NULL, 0), "read");
    printf("%.*s\n", (int)envelope.message.body.len, (char *)envelope.message.body.bytes);
    fflush(stdout);
    amqp_basic_ack(broker, 1, envelope.delivery_tag, 0);
    amqp_destroy_envelope(&envelope);
    if (--left == 0) return 0;
  }
}
