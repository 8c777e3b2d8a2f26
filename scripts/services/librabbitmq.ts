/** The C client of AMQP 0-9-1. */
import { cLibrary } from "./c_library.ts";

export const librabbitmq = cLibrary("librabbitmq", "librabbitmq-dev", "amqp_tcp_socket.h", "-lrabbitmq");
