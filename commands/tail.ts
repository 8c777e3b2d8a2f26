/** `mdg tail`: what consumers of a sink get, printed. Another sink's: one file beside these, one line here. */
import { defineGroup } from "../lib/cli/command.ts";
import { tailRabbitmq } from "./tail/rabbitmq.ts";
import { tailRedis } from "./tail/redis.ts";

export const tail = defineGroup("Print what consumers of a sink get, one JSON a line", {
  rabbitmq: tailRabbitmq,
  redis: tailRedis,
});
