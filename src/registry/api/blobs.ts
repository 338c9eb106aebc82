import { AuthError, NotFoundError, RegistryError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import type { RegistryClient } from "../client/registry-client.ts";
import type { Repository } from "../client/repository.ts";
import { headerText } from "../http/headers.ts";
import type { TransportResponse } from "../transport/transport.ts";

export interface BlobHead {
  /** False also where the registry does not say. */
  readonly present: boolean;
  /** Bytes, where the registry says. */
  readonly size?: number;
}

/** Registries of this run that answer no HEAD of a blob. */
const withoutHead = new WeakSet<RegistryClient>();

/**
 * Asks for a blob by HEAD ("Checking if content exists in the registry"). One attempt, none for a registry that has
 * answered no HEAD before.
 *
 * @throws AuthError when the credentials are refused, RegistryError, NetworkError.
 */
export async function headBlob(repository: Repository, digest: Digest, signal?: AbortSignal): Promise<BlobHead> {
  const { client, scope } = repository;
  if (withoutHead.has(client)) return { present: false };
  let response: TransportResponse;
  try {
    response = await repository.callOnce({
      what: `blob ${digest}`,
      method: "HEAD",
      url: `blobs/${digest}`,
      headers: { "accept-encoding": "identity" },
      // Some registries and caches answer 403 or 405 to every HEAD.
      accept: [200, 404, 403, 405],
      signal,
    });
  } catch (error) {
    // ECR Public answers 401 to every HEAD of a blob, whatever the token. The GET or upload that follows decides.
    if (!(error instanceof AuthError) || !(await client.holdsToken(scope, signal))) throw error;
    withoutHead.add(client);
    return { present: false };
  }
  if (response.status === 405) withoutHead.add(client);
  if (response.status !== 200) return { present: false };
  // The length of an encoding is not that of the blob.
  const isEncoded = (headerText(response.headers, "content-encoding") ?? "identity") !== "identity";
  const size = isEncoded ? undefined : readSize(headerText(response.headers, "content-length"));
  return { present: true, ...(size === undefined ? {} : { size }) };
}

/**
 * Whether the repository has the blob, and says so: "other-size" when what it has under this digest cannot be the blob.
 *
 * @throws as `headBlob`, after retries.
 */
export async function findBlob(
  repository: Repository,
  { digest, size }: Pick<Descriptor, "digest" | "size">,
  signal?: AbortSignal,
): Promise<"present" | "absent" | "other-size"> {
  const ask = async (): Promise<BlobHead> => await headBlob(repository, digest, signal);
  const head = await repository.retrying(`blob ${digest}`, signal, ask);
  if (!head.present) return "absent";
  return isWhole(head, size) ? "present" : "other-size";
}

/** True for a blob that is present, of this size where the registry says. */
export function isWhole(head: BlobHead | undefined, size: number): boolean {
  return head?.present === true && (head.size === undefined || head.size === size);
}

/**
 * Bytes of a blob: from a HEAD, or from a GET of its first byte where HEAD does not say.
 *
 * @throws NotFoundError, RegistryError when the registry names no size.
 */
export async function blobSize(repository: Repository, digest: Digest, signal?: AbortSignal): Promise<number> {
  const what = `blob ${digest}`;
  const head = await repository
    .retrying(what, signal, async () => await headBlob(repository, digest, signal))
    .catch((error: unknown) => {
      signal?.throwIfAborted();
      // The GET shows whether only HEAD is refused.
      if (!isRefusal(error)) throw error;
      return undefined;
    });
  if (head?.size !== undefined) return head.size;
  const { status, headers } = await repository.call({
    what,
    method: "GET",
    url: `blobs/${digest}`,
    headers: { "accept-encoding": "identity", range: "bytes=0-0" },
    // An empty blob has no first byte: 416.
    accept: [200, 206, 416],
    signal,
  });
  const range = /^bytes (?:\d+-\d+|\*)\/(\d+)$/.exec(headerText(headers, "content-range") ?? "")?.[1];
  const size = readSize(status === 200 ? headerText(headers, "content-length") : range);
  if (size !== undefined) return size;
  throw new RegistryError(`Cannot pull ${what} from ${repository}: no size in the answer, expected Content-Length`, {
    status,
  });
}

function isRefusal(error: unknown): boolean {
  if (error instanceof AuthError || error instanceof NotFoundError) return true;
  return error instanceof RegistryError && !error.transient;
}

function readSize(text: string | undefined): number | undefined {
  const size = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(size) ? size : undefined;
}
