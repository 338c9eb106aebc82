import { NotFoundError } from "../../errors.ts";
import { deadlineSignal } from "../../util/time/deadline.ts";
import type { RegistryClient } from "../client/registry-client.ts";
import { readBody } from "../http/read-body.ts";
import { hasErrorCode } from "../http/response-error.ts";

/** The answer is known; this only explains it. */
const PING_MS = 5000;
const MAX_PING_BYTES = 64 * 1024;

const hints = new WeakMap<RegistryClient, Promise<boolean>>();

/**
 * A hint for a host that may be older than the v2 API. Takes one request of a run, without credentials, which fails in
 * silence.
 *
 * @param error of a v2 request; the code of a v2 registry in it ends the question.
 * @param advice what to do instead, such as `write v1://HOST/app`.
 */
export async function v1Hint(
  client: RegistryClient,
  error: NotFoundError,
  advice: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (hasErrorCode(error)) return undefined;
  const speaks = hints.get(client) ?? speaksV1(client, signal);
  hints.set(client, speaks);
  return (await speaks) ? `${client.registry} speaks v1: ${advice}.` : undefined;
}

/** Runs `task`, the first request to a host. @throws NotFoundError as `task`, with the hint of a v1 registry. */
export async function hintingAtV1<T>(
  client: RegistryClient,
  task: () => Promise<T>,
  signal: AbortSignal | undefined,
  advice: string = `write v1://${client.registry}`,
): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    const hint = await v1Hint(client, error, advice, signal);
    signal?.throwIfAborted();
    throw hint === undefined ? error : new NotFoundError(error.message, { hint, cause: error });
  }
}

async function speaksV1(client: RegistryClient, signal: AbortSignal | undefined): Promise<boolean> {
  using limit = deadlineSignal(PING_MS, signal);
  try {
    const url = new URL("/v1/_ping", client.base);
    const { status, body } = await client.transport.send({ method: "GET", url, headers: {}, signal: limit.signal });
    const { bytes } = await readBody(body, MAX_PING_BYTES, PING_MS);
    // "true", an empty object, or what a debugging server knows of its machine; never a page.
    return status === 200 && /^\s*(?:true\b|\{)/.test(Buffer.from(bytes).toString("latin1"));
  } catch {
    return false;
  }
}
