import { EngineError, type ImgpackError, NetworkError, StorageError } from "../errors.ts";
import { errorCode } from "../util/error-code.ts";
import { escapeForeign } from "../util/format.ts";
import { storageState } from "../util/system-fault.ts";

/** What a person can do about an engine that cannot be reached. */
export interface ReachHints {
  /** If nothing answers. */
  readonly start: string;
  /** If the socket is not for this user. */
  readonly permit: string;
}

/** Where an engine is, for messages. */
export interface Reached {
  /** Such as `docker at unix:///var/run/docker.sock`. */
  readonly what: string;
  readonly hints: ReachHints;
}

/** No answer of an engine. */
export function unreachable({ what, hints }: Reached, cause: unknown): ImgpackError {
  const code = errorCode(cause);
  const expected = "expected a running engine";
  if (code === "EACCES" || code === "EPERM") {
    return new StorageError(`Cannot reach ${what}: permission denied, expected a socket that this user may open`, {
      cause,
      hint: hints.permit,
    });
  }
  const found = STATES.get(code ?? "") ?? storageState(cause);
  return new NetworkError(`Cannot reach ${what}: ${found}, ${expected}`, { cause, hint: hints.start, transient: true });
}

const STATES: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "no such socket"],
  ["ENOTDIR", "no such socket"],
  ["ENOTSOCK", "it is no socket"],
  ["ECONNREFUSED", "nothing listens there"],
  ["ECONNRESET", "the connection was closed"],
  ["EPIPE", "the connection was closed"],
  ["ETIMEDOUT", "no answer"],
  ["ENOTFOUND", "the host is not known"],
  ["EAI_AGAIN", "the host is not known"],
]);

/** The connection ends in the middle. @param deed such as `read "app:1" from docker at …`. */
export function cutOff(deed: string, cause: unknown): NetworkError {
  return new NetworkError(`Cannot ${deed}: the engine closed the connection, expected it to finish`, {
    cause,
    hint: "The engine may have stopped or run out of space: look at its log, then run the same command again.",
    transient: true,
  });
}

/** @param said what the engine says; foreign text. */
export function engineRefusal(deed: string, said: string, hint?: string): EngineError {
  return new EngineError(`Cannot ${deed}: the engine says ${quoted(said)}, expected success`, { hint });
}

/** Engines write whole sentences with names in them, which `quote` would cut. */
function quoted(said: string): string {
  const text = escapeForeign(said.trim().replace(/\s+/g, " "), MAX_SAID);
  return text === "" ? "nothing" : `"${text.replaceAll('"', '\\"')}"`;
}

const MAX_SAID = 600;
