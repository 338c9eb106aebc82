import type { ImgpackError } from "../../errors.ts";
import { VERSION } from "../../util/version.ts";
import type { Call } from "../client/call.ts";
import type { RegistryClient } from "../client/registry-client.ts";
import type { HeaderMap } from "../http/headers.ts";
import { subject } from "../http/network-error.ts";
import { readBody } from "../http/read-body.ts";
import { isWebPage } from "../http/web-page.ts";
import type { TransportResponse } from "../transport/transport.ts";
import { answerTooLong, explainV1, goneError } from "./v1-refusal.ts";

/** docker-registry 0.6.8 to 0.9.0 answer 500 to an upload unless `docker/x.y.z` and a blank are in it. */
export const V1_USER_AGENT: string = `docker/1.9.1 imgpack/${VERSION}`;

/** Of a document. The JSON of a layer is a few KiB; the list of a big repository some hundred. */
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

/** The lists of a big repository name each layer that it ever had, and each tag: a build may have given it 100,000. */
export const MAX_LIST_BYTES: number = 16 * 1024 * 1024;

/** One request of the v1 protocol. */
export interface V1Call
  extends Pick<Call, "verb" | "what" | "method" | "headers" | "body" | "accept" | "explain" | "onRedirect" | "signal"> {
  /** Below `/v1/`, with its query: `repositories/library/app/tags`. */
  readonly path: string;
  /** Bytes of the answer's body; default 4 MiB. */
  readonly maxBytes?: number | undefined;
  /** Asks the index for a token: only for calls to an index. */
  readonly wantsToken?: boolean | undefined;
  /** Without credentials, as accounts are created. Only for `V1Client.call`. */
  readonly isAnonymous?: boolean | undefined;
  /** For a body that cannot be sent twice. Default false. */
  readonly isTriedOnce?: boolean | undefined;
  /** What no message may contain, in addition to token and cookies. */
  readonly secrets?: readonly string[] | undefined;
  /** Errors of one endpoint after which the next is not asked. Default: none. */
  readonly isFinal?: ((error: unknown) => boolean) | undefined;
}

export interface V1Answer {
  readonly status: number;
  readonly headers: HeaderMap;
  readonly bytes: Uint8Array;
}

/** Where calls go. */
export interface V1Origin {
  readonly client: RegistryClient;
  /** Path before `/v1`, empty or with a slash first and none last. */
  readonly prefix: string;
  /** `namespace/name`, for messages and credentials; empty for what belongs to no repository. */
  readonly repository: string;
  /** The index that gave the token, if this is not the index itself. */
  readonly tokenFrom?: string | undefined;
  /** What no message may contain. */
  readonly secrets: () => readonly string[];
}

/** Sends a call once. The body of the answer must be read or dumped. @throws ImgpackError for other statuses than `accept`. */
export async function openV1(origin: V1Origin, call: V1Call): Promise<TransportResponse> {
  const { client, prefix, repository, secrets, tokenFrom } = origin;
  const {
    path,
    headers = {},
    wantsToken = false,
    verb,
    what,
    method,
    body,
    accept,
    signal,
    explain,
    onRedirect,
  } = call;
  return await client.open({
    verb,
    what,
    method,
    body,
    accept,
    onRedirect,
    signal,
    repository,
    actions: "pull",
    url: `${prefix}/v1/${path}`,
    headers: { ...headers, ...(wantsToken ? { "x-docker-token": "true" } : {}) },
    explain: refusal =>
      explain?.(refusal) ??
      explainV1({ registry: client.registry, secrets: [...secrets(), ...(call.secrets ?? [])], tokenFrom }, refusal),
  });
}

/**
 * Sends a call once, and reads the answer.
 *
 * @throws as `openV1`; RegistryError for a web page, which is what many hosts answer to everything since they have no API.
 */
export async function readV1(origin: V1Origin, call: V1Call): Promise<V1Answer> {
  const response = await openV1(origin, call);
  const { status, headers } = response;
  const { maxBytes = MAX_DOCUMENT_BYTES, verb, what, signal } = call;
  const { bytes, isWhole, failure } = await readBody(response.body, maxBytes);
  if (isWhole && status < 300 && isWebPage({}, bytes)) {
    throw goneError(`Cannot ${subject(verb, what, whereOf(origin))}`, origin.client.registry, 200);
  }
  if (isWhole) return { status, headers, bytes };
  if (failure !== undefined) throw failed(origin, call, failure.cause);
  signal?.throwIfAborted();
  throw answerTooLong(verb, what, whereOf(origin), maxBytes);
}

/** A failure of a body as a typed error. */
export function failed({ client, repository }: V1Origin, { verb, what, signal }: V1Call, cause: unknown): ImgpackError {
  signal?.throwIfAborted();
  return client.failure(cause, verb, what, repository);
}

/** As messages name it: `host/namespace/name`. */
export function whereOf({ client, repository }: V1Origin): string {
  return repository === "" ? client.registry : `${client.registry}/${repository}`;
}
