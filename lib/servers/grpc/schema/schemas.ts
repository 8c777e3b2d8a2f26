/**
 * The protocol files themselves are the schema: read once, used to encode, to decode and to answer reflection. What was
 * not given stays unset; numbers of 64 bits are below 2^53.
 */
import protobuf from "protobufjs";
// Brings `toDescriptor`, and the types of descriptors.
import descriptor, { type IDescriptorProto } from "protobufjs/ext/descriptor.js";
import health_text from "./health.proto" with { type: "text" };
import market_text from "./market_data.proto" with { type: "text" };
import reflection_text from "./reflection.proto" with { type: "text" };

export interface ProtoFile {
  readonly name: string;
  readonly root: protobuf.Root;
  /** The full names of its services. */
  readonly services: readonly string[];
  /** Everything that it names, in full. */
  readonly symbols: ReadonlySet<string>;
  /** A FileDescriptorProto, serialized. */
  readonly descriptor: Uint8Array;
}

export interface MessageType<Fields extends object> {
  encode(fields: Fields): Uint8Array;
  /** What is not on the wire has the default of its type. @throws for bytes that are no such message */
  decode(bytes: Uint8Array): Required<Fields>;
}

export const MARKET_FILE = read("market_data.proto", market_text);
export const HEALTH_FILE = read("grpc/health/v1/health.proto", health_text);
export const REFLECTION_FILE = read("grpc/reflection/v1/reflection.proto", reflection_text);
/** Before it was stable the same under another name, which many tools still ask for. */
export const OLD_REFLECTION_FILE = read(
  "grpc/reflection/v1alpha/reflection.proto",
  reflection_text.replace("grpc.reflection.v1;", "grpc.reflection.v1alpha;"),
);

/** A message of the file by its full name. */
export function messageType<Fields extends object>({ root }: ProtoFile, name: string): MessageType<Fields> {
  const type = root.lookupType(name);
  return {
    encode: (fields) => type.encode(fields as Record<string, unknown>).finish(),
    decode: (bytes) => type.toObject(type.decode(bytes), DECODED) as Required<Fields>,
  };
}

const DECODED: protobuf.IConversionOptions = { longs: Number, enums: Number, defaults: true, oneofs: true };

function read(name: string, text: string): ProtoFile {
  const { root } = protobuf.parse(text, new protobuf.Root(), { keepCase: true });
  const services: string[] = [];
  const symbols = new Set<string>();
  const walk = (within: protobuf.NamespaceBase) => {
    for (const one of within.nestedArray) {
      const full_name = one.fullName.slice(1);
      if (one instanceof protobuf.Service) {
        services.push(full_name);
        for (const method of one.methodsArray) symbols.add(`${full_name}.${method.name}`);
      }
      if (one instanceof protobuf.Type || one instanceof protobuf.Enum || one instanceof protobuf.Service) {
        symbols.add(full_name);
      }
      if (one instanceof protobuf.Namespace) walk(one);
    }
  };
  root.resolveAll();
  walk(root);
  return { name, root, services, symbols, descriptor: describe(name, root) };
}

/** Names of types in full, as protoc writes them: descriptor pools of other languages want them so. */
function describe(name: string, root: protobuf.Root): Uint8Array {
  const file = root.toDescriptor("proto3").file![0];
  file.name = name;
  file.syntax = "proto3";
  const full = (type_name: string) => {
    if (type_name.startsWith(".")) return type_name;
    const found = root.lookup(`${file.package}.${type_name}`) ?? root.lookup(type_name);
    return found?.fullName ?? `.${file.package}.${type_name}`;
  };
  const complete = (message: IDescriptorProto) => {
    for (const field of message.field ?? []) if (field.typeName) field.typeName = full(field.typeName);
    for (const inner of message.nestedType ?? []) complete(inner);
  };
  for (const message of file.messageType ?? []) complete(message);
  for (const service of file.service ?? []) {
    for (const method of service.method ?? []) {
      method.inputType = full(method.inputType!);
      method.outputType = full(method.outputType!);
    }
  }
  return descriptor.FileDescriptorProto.encode(file).finish();
}
