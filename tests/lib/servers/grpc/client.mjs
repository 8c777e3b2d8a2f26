/**
 * grpc-js under remote control: one JSON command a line on stdin, one JSON reply a line on stdout. Started by Node with
 * the folder of the packages, the protocol file, the address, and (TLS) the file of the certificate to trust.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [folder, proto, address, root_file] = process.argv.slice(2);
const require = createRequire(`${folder}/package.json`);
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const definition = loader.loadSync(proto, { keepCase: true, longs: Number, defaults: false });
const { MarketDataService } = grpc.loadPackageDefinition(definition).market_data;
const credentials = root_file
  ? grpc.credentials.createSsl(readFileSync(root_file))
  : grpc.credentials.createInsecure();
const client = new MarketDataService(address, credentials);
const streams = new Map();

const metadataOf = (values = {}) => {
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(values)) metadata.set(name, value);
  return metadata;
};
const optionsOf = ({ deadline_ms }) => deadline_ms ? { deadline: Date.now() + deadline_ms } : {};

function open(wish) {
  const { name, method, request, metadata } = wish;
  const call = client[method](request, metadataOf(metadata), optionsOf(wish));
  const stream = { call, count: 0, last: undefined, status: undefined, told: () => {} };
  streams.set(name, stream);
  call.on("data", (message) => {
    stream.count++;
    stream.last = message;
    stream.told();
  });
  call.on("error", () => {});
  call.on("status", ({ code, details }) => {
    stream.status = { code, details };
    stream.told();
  });
}

const valueAt = (message, path) => path.split(".").reduce((value, key) => value?.[key], message);

/** Each stream has so many messages, or this value in its last one; or it has ended. */
async function until({ names, count, path, equals, end }) {
  for (const name of names) {
    const stream = streams.get(name);
    const done = () =>
      stream.status !== undefined ||
      (!end && (path === undefined ? stream.count >= count : valueAt(stream.last, path) === equals));
    while (!done()) await new Promise((resolve) => stream.told = resolve);
  }
  return names.map((name) => {
    const { count, last, status } = streams.get(name);
    return { count, last, status };
  });
}

const commands = {
  unary: (wish) =>
    new Promise((resolve) => {
      client[wish.method](wish.request, metadataOf(wish.metadata), optionsOf(wish), (error, value) => {
        resolve(error ? { code: error.code, details: error.details } : { value });
      });
    }),
  open: ({ streams }) => streams.forEach(open),
  until,
  pause: ({ names }) => names.forEach((name) => streams.get(name).call.pause()),
  resume: ({ names }) => names.forEach((name) => streams.get(name).call.resume()),
  cancel: ({ names }) => names.forEach((name) => streams.get(name).call.cancel()),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...wish } = JSON.parse(line);
  const reply = await commands[command](wish);
  process.stdout.write(`${JSON.stringify(reply ?? null)}\n`);
}
client.close();
