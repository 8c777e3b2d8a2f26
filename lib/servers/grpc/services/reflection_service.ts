/** grpc.reflection: tells tools (grpcurl, Postman) what there is, from the protocol files that are served. */
import { decode, type Methods, type OpenMethod } from "../method.ts";
import { prefixed } from "../protocol/messages.ts";
import { GrpcError, NOT_FOUND, RESOURCE_EXHAUSTED, UNIMPLEMENTED } from "../protocol/status.ts";
import {
  HEALTH_FILE,
  MARKET_FILE,
  messageType,
  OLD_REFLECTION_FILE,
  type ProtoFile,
  REFLECTION_FILE,
} from "../schema/schemas.ts";

const FILES: readonly ProtoFile[] = [MARKET_FILE, HEALTH_FILE, REFLECTION_FILE, OLD_REFLECTION_FILE];

interface Question {
  host?: string;
  file_by_filename?: string;
  file_containing_symbol?: string;
  list_services?: string;
  all_extension_numbers_of_type?: string;
}
type Reply =
  & { valid_host: string; original_request: Question }
  & (
    | { file_descriptor_response: { file_descriptor_proto: Uint8Array[] } }
    | { list_services_response: { service: { name: string }[] } }
    | { error_response: { error_code: number; error_message: string } }
  );

export function reflectionService(): Methods {
  return {
    ...serviceOf(REFLECTION_FILE, "grpc.reflection.v1"),
    ...serviceOf(OLD_REFLECTION_FILE, "grpc.reflection.v1alpha"),
  };
}

function serviceOf(file: ProtoFile, package_name: string): Methods {
  const question_type = messageType<Question & { message_request?: string }>(
    file,
    `${package_name}.ServerReflectionRequest`,
  );
  const reply_type = messageType<Reply>(file, `${package_name}.ServerReflectionResponse`);
  const method: OpenMethod = {
    kind: "open",
    name: "ServerReflectionInfo",
    is_conversation: true,
    answer(bytes, call) {
      // Answers wait for who does not read them; more questions are not worth it.
      if (!call.ready) throw new GrpcError(RESOURCE_EXHAUSTED, "reflect: too many answers wait");
      const { message_request, ...question } = decode(question_type, bytes);
      call.send(prefixed(reply_type.encode(replyTo(question, message_request))));
    },
  };
  return { [`/${package_name}.ServerReflection/ServerReflectionInfo`]: method };
}

/** `what`: which of the questions it is. */
function replyTo(question: Question, what: string | undefined): Reply {
  const head = { valid_host: question.host ?? "", original_request: question };
  const describe = (found: ProtoFile | undefined) =>
    found
      ? { ...head, file_descriptor_response: { file_descriptor_proto: [found.descriptor] } }
      : { ...head, error_response: { error_code: NOT_FOUND, error_message: "reflect: no such name" } };
  switch (what) {
    case "file_by_filename":
      return describe(FILES.find(({ name }) => name === question.file_by_filename));
    case "file_containing_symbol":
      return describe(FILES.find(({ symbols }) => symbols.has(question.file_containing_symbol ?? "")));
    case "list_services": {
      const service = FILES.flatMap(({ services }) => services).map((name) => ({ name }));
      return { ...head, list_services_response: { service } };
    }
    default: {
      const error_message = "reflect: no extensions here, want a file, a symbol or the services";
      return { ...head, error_response: { error_code: UNIMPLEMENTED, error_message } };
    }
  }
}
