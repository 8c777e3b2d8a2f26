/** Preloaded before an example: the broker here may be older than 3.11, which RabbitMQ's client wants. */
import { adapt } from "../live/official_stream_client.ts";

adapt();
