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
  if (cause instanceof SilentEngine) {
    return new NetworkError(
      `Cannot ${cause.deed}: the engine sent nothing for ${cause.waitMs / 1000} seconds, expected an answer`,
      { cause, hint: "Look at the log of the engine, or restart it. --timeout SECONDS waits longer.", transient: true },
    );
  }
  const code = errorCode(cause);
  if (code?.startsWith("HPE_")) {
    return new EngineError(`Cannot use ${what}: its answer is no HTTP, expected the API of an engine`, { cause });
  }
  const expected = "expected a running engine";
  if (code === "EACCES" || code === "EPERM") {
    return new StorageError(`Cannot reach ${what}: permission denied, expected a socket that this user may open`, {
      cause,
      hint: hints.permit,
    });
  }
  const found =
    (isRefusedByPath(code, cause) ? "nothing listens there, or it is no socket" : STATES.get(code ?? "")) ??
    storageState(cause);
  return new NetworkError(`Cannot reach ${what}: ${found}, ${expected}`, { cause, hint: hints.start, transient: true });
}

/** Linux refuses a connection to a file as to a socket where nothing listens. */
function isRefusedByPath(code: string | undefined, cause: unknown): boolean {
  const path = cause instanceof Error && "address" in cause ? cause.address : undefined;
  return code === "ECONNREFUSED" && typeof path === "string" && path.startsWith("/");
}

/** An engine that takes a request, and does not answer. */
export class SilentEngine extends Error {
  readonly deed: string;
  readonly waitMs: number;

  /** @param deed for messages. */
  constructor(deed: string, waitMs: number) {
    super(`no answer within ${waitMs} ms`);
    this.deed = deed;
    this.waitMs = waitMs;
  }
}

/** @param found such as "more than 32 MiB". */
export function invalidAnswer(deed: string, found: string): EngineError {
  return new EngineError(`Cannot ${deed}: the answer of the engine is ${found}, expected what its API says`);
}

const STATES: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "no such socket"],
  ["ENOTDIR", "no such socket"],
  ["ENOTSOCK", "it is no socket"],
  ["EPROTO", "it does not speak TLS"],
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
