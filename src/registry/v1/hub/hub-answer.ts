import { NotFoundError, RegistryError } from "../../../errors.ts";
import { subject } from "../../http/network-error.ts";
import { isWebPage } from "../../http/web-page.ts";
import { pingV1 } from "../store/ping-v1.ts";
import type { DocumentOrigin } from "../store/read-document.ts";
import type { V1Answer, V1Call } from "../v1-call.ts";
import type { V1Client } from "../v1-client.ts";
import { goneError } from "../v1-refusal.ts";

type Named = Pick<V1Call, "verb" | "what">;

/** @throws RegistryError for a web page, which is what has taken the place of an index. */
export function checkAnswer({ verb, what }: Named, { registry, where }: DocumentOrigin, { bytes }: V1Answer): void {
  if (isWebPage({}, bytes)) throw goneError(`Cannot ${subject(verb, what, where)}`, registry, 200);
}

/** Runs a call whose address every index has: where it is not found, no index answers. */
export async function askIndex<T>(call: Named, origin: DocumentOrigin, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    throw goneError(`Cannot ${subject(call.verb, call.what, origin.where)}`, origin.registry, 404);
  }
}

/** Runs a call for something that an index may not have. A second request says whether it has anything at all. */
export async function askFor<T>(client: V1Client, signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    const fault = await pingV1(client, signal).catch((cause: unknown) => cause);
    signal?.throwIfAborted();
    throw fault instanceof RegistryError && !fault.transient ? fault : error;
  }
}
