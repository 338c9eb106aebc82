import { RegistryError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { headerText } from "../http/headers.ts";
import type { ManifestPlace } from "./manifests.ts";

/**
 * How many bytes a blob has, by the registry's word: of its first byte where HEAD does not tell.
 *
 * @throws NotFoundError, RegistryError when the registry tells no size.
 */
export async function blobSize(place: ManifestPlace, digest: Digest): Promise<number> {
  const { client, repository, signal } = place;
  const what = `blob ${digest}`;
  const call = {
    verb: "pull",
    what,
    repository,
    actions: "pull",
    url: `/v2/${repository}/blobs/${digest}`,
    signal,
  } as const;
  // Some registries refuse every HEAD of a blob.
  const head = await client.callDumped({ ...call, method: "HEAD", accept: [200, 403, 404, 405] });
  const told = head.status === 200 ? readSize(headerText(head.headers, "content-length")) : undefined;
  if (told !== undefined) return told;
  const headers = { "accept-encoding": "identity", range: "bytes=0-0" };
  const part = await client.callDumped({ ...call, method: "GET", headers, accept: [200, 206] });
  const found =
    part.status === 206
      ? readSize(/\/(\d+)$/.exec(headerText(part.headers, "content-range") ?? "")?.[1])
      : readSize(headerText(part.headers, "content-length"));
  if (found !== undefined) return found;
  throw new RegistryError(
    `Cannot pull ${what} from ${client.registry}/${repository}: answer without its size, expected Content-Length`,
    { status: part.status },
  );
}

function readSize(text: string | undefined): number | undefined {
  const size = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(size) ? size : undefined;
}
