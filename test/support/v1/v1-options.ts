import type { V1Answer, V1Role, V1Seen } from "./v1-answer.ts";
import type { V1Content } from "./v1-content.ts";
import type { V1Tokens } from "./v1-tokens.ts";

/** Of docker-registry: "0.6" is 0.6.0, "0.8" is 0.8.1, "0.9" is 0.9.1. */
export type V1Manner = "0.6" | "0.8" | "0.9";

export interface V1Options {
  /** Default "0.9". */
  readonly manner?: V1Manner;
  /** Users, tokens and endpoints at a server of their own; default: the registry does it all and checks no token. */
  readonly hasIndex?: boolean;
  /** The only user, by Basic. Default: anybody may do everything, and an index demands nothing but its tokens. */
  readonly user?: { readonly name: string; readonly password: string };
  /** Answers all but GET and HEAD with 500: what must never happen to an old registry. Default false. */
  readonly isReadOnly?: boolean;
  /** `…/tags` as an object, or as the Hub's array. Default "object". */
  readonly tags?: "object" | "array";
  /** `…/images`: the ids, or Quay's `[]`. Default "ids". */
  readonly lists?: "ids" | "empty";
  /** Default "all"; "paged" honours page and n; "absent" is 404, "nothing" an empty object, "bad" 400. */
  readonly search?: "all" | "paged" | "absent" | "nothing" | "bad";
  /** What is answered with 302 to the storage, another origin. Default "nothing"; "all": json and ancestry too, as crane. */
  readonly redirects?: "nothing" | "layers" | "all";
  /** `X-Docker-Endpoints` in place of the registry's own host; several make several headers. "" for no header. */
  readonly endpoints?: readonly string[];
  /** The API is not served any more: with this status, or with 200 and a page. */
  readonly gone?: 404 | 405 | 410 | "html";
  /** Before `/v1`. Default none. */
  readonly path?: string;
}

/** One request that is answered in another way; the first that fits is taken. */
export interface V1Fault {
  /** `METHOD path`, for example /^GET .*\/layer$/. */
  readonly on: RegExp;
  readonly server?: V1Role;
  /** How often. Default 1. */
  readonly times?: number;
  /** In place of the right answer; nothing is changed at the server. */
  readonly reply?: Partial<V1Answer>;
  /** Changes the right answer: `cutAfter` for half a layer, other bytes for a flipped one. */
  readonly change?: (answer: V1Answer, request: V1Seen) => Partial<V1Answer>;
  /** Resets the connection before anything is answered. */
  readonly isReset?: boolean;
  readonly onRequest?: () => void;
}

/** What the routes work on. */
export interface V1Context {
  readonly content: V1Content;
  readonly options: V1Options;
  readonly manner: V1Manner;
  readonly tokens: V1Tokens;
  /** `127.0.0.1:port` */
  readonly hostOf: (role: V1Role) => string;
}

/** Undefined if the request is not for this route. */
export type V1Route = (request: V1Seen, context: V1Context, path: string) => V1Answer | undefined;
