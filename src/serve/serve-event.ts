import type { FoundDamage } from "./content/served-registry.ts";

/** What a served registry reports. */
export type ServeEvent =
  /** A request was answered. */
  | {
      readonly kind: "request";
      readonly method: string;
      /** Without query and upload session: both can be capabilities (security case A-17). Foreign text. */
      readonly path: string;
      readonly status: number;
      /** Body bytes that were given to the connection: fewer than the answer says if it was cut. */
      readonly sentBytes: number;
      /** Whether the answer ended before its end: the client went away, or the bytes were damaged. */
      readonly isCut: boolean;
      readonly durationMs: number;
      /** Address of the client. */
      readonly remoteAddress: string;
      /** Who logged in, if accounts are asked for. */
      readonly user: string | undefined;
    }
  /** The server or its store failed; the client got status 500, 503 or 507, or an answer that was cut. */
  | { readonly kind: "fault"; readonly method: string; readonly path: string; readonly error: unknown }
  /**
   * A connection that brought no request, or one that is refused with 403; the same of one address at most once a minute.
   * `found` says why, such as "spoke plain HTTP to a port of TLS".
   */
  | { readonly kind: "connection"; readonly remoteAddress: string; readonly found: string }
  /**
   * A file is not what was written, and `found` says what it is. What it belongs to is answered with status 404; a push
   * brings it to a store again. An archive that has changed since the start is answered with 503 until the next one.
   */
  | ({ readonly kind: "damage" } & FoundDamage)
  /** What is good to know at the start, as a sentence: why it takes long, what the sweep passed over. Also what a server waits for when it stops. */
  | { readonly kind: "note"; readonly message: string };
