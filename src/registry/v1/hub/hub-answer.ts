import { NotFoundError, RegistryError } from "../../../errors.ts";
import { subject } from "../../http/network-error.ts";
import { pingV1 } from "../store/ping-v1.ts";
import type { V1Call } from "../v1-call.ts";
import type { V1Client } from "../v1-client.ts";
import { goneError } from "../v1-refusal.ts";

type Named = Pick<V1Call, "verb" | "what">;

/** Runs a call whose address every index has: where it is not found, no index answers. */
export async function askIndex<T>(call: Named, registry: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    throw goneError(`Cannot ${subject(call.verb, call.what, registry)}`, registry, 404);
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
