import type { ImgpackError } from "../../errors.ts";
import type { Scope } from "../auth/authenticator.ts";
import type { Actions } from "../auth/scope.ts";
import type { HeaderMap } from "../http/headers.ts";
import type { ResponseContext } from "../http/response-error.ts";
import type { TransportRequest } from "../transport/transport.ts";

/** One request of the distribution API, with the words that an error message needs. */
export interface Call {
  /** As in messages: "push", "pull", "read". */
  readonly verb: string;
  /** Subject of messages, for example `blob sha256:…`. */
  readonly what: string;
  readonly repository: string;
  readonly actions: Actions;
  /** Repository of the same registry that a mount reads from. */
  readonly mountFrom?: string | undefined;
  readonly method: TransportRequest["method"];
  /** Path below the registry, or a whole URL that the registry gave. */
  readonly url: string | URL;
  /** True for a URL that an image names: no credentials are sent, and no challenge is answered. */
  readonly isForeign?: boolean | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called for every attempt. */
  readonly body?: (() => Uint8Array | AsyncIterable<Uint8Array>) | undefined;
  /** Statuses that are answers, not errors. */
  readonly accept: readonly number[];
  /** What a refusal means to this call; undefined leaves it to `responseError`. */
  readonly explain?: ((refusal: ResponseContext) => ImgpackError | undefined) | undefined;
  /** Called for each redirect of the registry itself: what it says there is lost otherwise. */
  readonly onRedirect?: ((headers: HeaderMap) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a token for this request must allow. */
export function scopeOf(call: Call): Scope {
  const { repository, actions, mountFrom } = call;
  return { repository, actions, ...(mountFrom === undefined ? {} : { mountFrom }) };
}
