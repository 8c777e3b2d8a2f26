/**
 * Everything from outside that tests may use. One line per service or program.
 */
export { age } from "./age.ts";
export { buildah } from "./buildah.ts";
export { c_compiler } from "./c_compiler.ts";
export { chromium } from "./chromium.ts";
export { docker_compose } from "./docker_compose.ts";
export { curl } from "./curl.ts";
export { espeak_ng } from "./espeak_ng.ts";
export { grpc_js } from "./grpc_js.ts";
export { hiredis } from "./hiredis.ts";
export { jq } from "./jq.ts";
export { librabbitmq } from "./librabbitmq.ts";
export { libwebsockets } from "./libwebsockets.ts";
export { node } from "./node.ts";
export { openssl } from "./openssl.ts";
export { patch } from "./patch.ts";
export { postgres } from "./postgres.ts";
export { prometheus } from "./prometheus.ts";
export { promtool } from "./promtool.ts";
export { protoc } from "./protoc.ts";
export { python } from "./python.ts";
export { python_grpc } from "./python_grpc.ts";
export { python_pika } from "./python_pika.ts";
export { python_redis } from "./python_redis.ts";
export { python_websockets } from "./python_websockets.ts";
export { python_yaml } from "./python_yaml.ts";
export { rabbitmq } from "./rabbitmq.ts";
export { redis } from "./redis.ts";
export { redis_cli } from "./redis_cli.ts";
export { sox } from "./sox.ts";
export { spd_say } from "./spd_say.ts";
export { strace } from "./strace.ts";
export { tmux } from "./tmux.ts";
export { unzip } from "./unzip.ts";
