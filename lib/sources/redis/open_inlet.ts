/** Opens the way in that the config asks for. Apart, because it brings the client library along. */
import type { RedisAddress } from "../../wire/redis/redis_link.ts";
import type { RedisSourceConfig } from "../redis.ts";
import type { ChannelPlan } from "./channel_plan.ts";
import type { Inlet, InletOwner } from "./inlet.ts";
import { StreamInlet } from "./stream_inlet.ts";
import { SubscriptionInlet } from "./subscription_inlet.ts";

export function openInlet(
  config: RedisSourceConfig,
  plan: ChannelPlan,
  address: RedisAddress,
  owner: InletOwner,
): Inlet {
  return config.read === "streams"
    ? new StreamInlet(config, plan, address, owner)
    : new SubscriptionInlet(config, plan, address, owner);
}
