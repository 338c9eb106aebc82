import type { Pace } from "../../util/pace/pace.ts";
import type { Authenticator } from "../auth/authenticator.ts";
import type { HeaderMap } from "../http/headers.ts";
import type { Crowd } from "./crowd.ts";
import type { Outages } from "./outages.ts";
import type { Waits } from "./waits.ts";

/** What authorizes requests to one origin. */
export type Authorizer = Pick<Authenticator, "authorization" | "answer" | "credentialsFor">;

/** Cookies of one origin. */
export interface Cookies {
  /** The `Cookie` header; undefined while there are none. */
  readonly header: string | undefined;
  /** Takes what an answer of the origin sets. */
  take(headers: HeaderMap): void;
}

/** Where requests go, and as whom. */
export interface Identity {
  /** As in references: `host[:port]`. */
  readonly registry: string;
  readonly base: URL;
  readonly authenticator: Authorizer;
  /** Of the origin of `base`; default: none are kept. */
  readonly cookies?: Cookies | undefined;
}

/** What the clients of one registry share, whatever credentials they use. */
export interface Shared {
  readonly waits: Waits;
  readonly outages: Outages;
  readonly crowd: Crowd;
  /** The limit of requests that wait for an answer, if there is one. */
  readonly requests: Pace | undefined;
}
