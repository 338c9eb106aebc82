import { unknown } from "../../../util/json/schema.ts";
import { headerText } from "../../http/headers.ts";
import { subject } from "../../http/network-error.ts";
import type { V1Call } from "../v1-call.ts";
import type { V1Client } from "../v1-client.ts";
import { goneError } from "../v1-refusal.ts";
import { readDocument } from "./read-document.ts";

/** What a v1 registry says of itself. Texts are foreign. */
export interface V1Greeting {
  /** `X-Docker-Registry-Version`; docker-registry 0.9.1 does not say it. */
  readonly version?: string;
  /** `X-Docker-Registry-Config`: the name of the configuration that it runs with. */
  readonly config?: string;
  readonly server?: string;
  /** Whether it is its own index: absent headers mean yes. A mirror of the Hub is none. */
  readonly standalone: "yes" | "no" | "mirror";
}

const PING = { verb: "read", what: "API version", method: "GET", path: "_ping", accept: [200] } as const;

/** `GET /v1/_ping`. @throws RegistryError when this host does not serve the v1 API; AuthError when it wants a login. */
export async function pingV1(client: V1Client, signal?: AbortSignal): Promise<V1Greeting> {
  const action = `Cannot ${subject(PING.verb, PING.what, client.registry)}`;
  const call: V1Call = {
    ...PING,
    explain: ({ status }) => (status === 404 ? goneError(action, client.registry, status) : undefined),
    signal,
  };
  const answer = await client.call(call);
  // "true", an empty object, or what a debugging server knows of its machine.
  const document = readDocument(unknown(), answer, call, client.registry);
  const { headers } = answer;
  const version = headerText(headers, "x-docker-registry-version") ?? versionIn(document);
  const config = headerText(headers, "x-docker-registry-config");
  const server = headerText(headers, "server");
  return {
    ...(version === undefined ? {} : { version }),
    ...(config === undefined ? {} : { config }),
    ...(server === undefined ? {} : { server }),
    standalone: standaloneIn(headerText(headers, "x-docker-registry-standalone")),
  };
}

function versionIn(document: unknown): string | undefined {
  if (typeof document !== "object" || document === null || !Object.hasOwn(document, "version")) return undefined;
  const { version } = document as { readonly version: unknown };
  return typeof version === "string" ? version : undefined;
}

function standaloneIn(header: string | undefined): V1Greeting["standalone"] {
  const value = header?.trim().toLowerCase();
  if (value === "mirror") return "mirror";
  return value === undefined || value === "" || value === "1" || value === "true" ? "yes" : "no";
}
