import { ArchiveError, RegistryError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import type { HeaderMap } from "../http/headers.ts";
import { contentType, isWebPage } from "../http/web-page.ts";

/** One answer of a registry, as far as messages need it. */
export interface RegistryAnswer {
  readonly headers: HeaderMap;
  readonly bytes?: Uint8Array | undefined;
  /** Begins the message, such as "read tags from registry.lan/app". */
  readonly action: string;
  /** What was asked for, such as "a manifest". */
  readonly expected: string;
}

export const NO_REGISTRY_HINT = "Something answers under this name, but it is no registry: check host and port.";

/**
 * Runs a task that reads documents of a registry. Parsers report a bad archive, because most documents come from one;
 * here the registry's answer is bad.
 *
 * @param answer that the documents come from, if it is only one.
 * @throws RegistryError for each ArchiveError, which becomes its cause.
 */
export async function readingAnswer<T>(task: () => T | Promise<T>, answer?: RegistryAnswer): Promise<T> {
  try {
    return await task();
  } catch (error) {
    throw error instanceof ArchiveError ? badAnswer(error, answer) : error;
  }
}

/** As `readingAnswer`, for errors whose origin is the source alone: the target of the task is no registry. */
export async function readingSource<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    throw error instanceof ArchiveError && error.origin === "source" ? badAnswer(error, undefined) : error;
  }
}

/** Whether a document of a registry could not be understood. */
export function isBadAnswer(error: unknown): error is RegistryError {
  return error instanceof RegistryError && error.cause instanceof ArchiveError;
}

/** Whether a registry, or what answers in its place, sent a web page with status 200. */
export function isWebPageAnswer(error: unknown): boolean {
  return isBadAnswer(error) && error.hint === NO_REGISTRY_HINT;
}

function badAnswer(cause: ArchiveError, answer: RegistryAnswer | undefined): RegistryError {
  const { origin } = cause;
  const kept = origin === undefined ? {} : { origin };
  if (answer === undefined) {
    const hint = cause.hint ?? "The registry has it in this form: push the image again from its source.";
    return Object.assign(new RegistryError(cause.message, { status: 200, cause, hint }), kept);
  }
  const { headers, bytes, action, expected } = answer;
  const type = contentType(headers);
  if (isWebPage(headers, bytes)) {
    const found = `a web page (${type === "" ? "no content type" : quote(type)})`;
    return new RegistryError(`Cannot ${action}: found ${found}, expected ${expected}`, {
      status: 200,
      cause,
      hint: NO_REGISTRY_HINT,
    });
  }
  const hint = cause.hint ?? `The answer's content type is ${quote(type || "none")}; this host may not be a registry.`;
  return Object.assign(new RegistryError(cause.message, { status: 200, cause, hint }), kept);
}
