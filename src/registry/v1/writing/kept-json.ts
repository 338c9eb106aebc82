import { isDeepStrictEqual } from "node:util";
import { ArchiveError, AuthError, IntegrityError, NotFoundError, RegistryError } from "../../../errors.ts";
import { digestOf } from "../../../oci/digest.ts";
import { MAX_CONFIG_BYTES } from "../../../oci/limits.ts";
import { parseJson } from "../../../util/json/json.ts";
import { V1Registry } from "../store/open-v1-registry.ts";
import type { V1Client } from "../v1-client.ts";
import type { V1RepositoryClient } from "../v1-repository-client.ts";
import type { V1Repository } from "../v1-store.ts";

/** The JSON of a layer that the registry has; undefined if it has none, or does not show it. */
export async function readKeptJson(
  target: V1RepositoryClient,
  id: string,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  const call = { verb: "read", what: `layer ${id}`, method: "GET", path: `images/${id}/json` } as const;
  return await unlessRefused(async () => (await target.call({ ...call, accept: [200], signal })).bytes);
}

/** The same with a token for reading: docker-registry refuses one for writing here. */
export async function readKeptJsonAnew(
  client: V1Client,
  repository: V1Repository,
  id: string,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  return await unlessRefused(async () => {
    const session = await new V1Registry(client).open(repository, signal);
    return (await session.json(id, signal)).bytes;
  });
}

async function unlessRefused(read: () => Promise<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    return await read();
  } catch (error) {
    const isRefused = error instanceof NotFoundError || error instanceof AuthError || error instanceof RegistryError;
    if (isRefused) return undefined;
    throw error;
  }
}

export interface KeptLayer {
  readonly id: string;
  /** That is pushed. */
  readonly json: Uint8Array;
  /** That the registry has; undefined if it does not show it. */
  readonly kept: Uint8Array | undefined;
  /** Whether an image that is pushed has this id. */
  readonly isTop: boolean;
}

/**
 * Compares the JSON of a layer with what the registry has under its id. Two servers may write one document in two ways, so
 * that the values count, and not the bytes.
 *
 * @throws IntegrityError for other JSON of a top layer: a tag would name another image than the one that is pushed. Of a
 * layer below it, which is what it was when the registry got it, it is a note.
 */
export function compareKeptJson(
  { id, json, kept, isTop }: KeptLayer,
  where: string,
  onNote: (message: string) => void,
): void {
  if (kept === undefined) {
    if (isTop) onNote(`${where} has layer ${id}, and does not show its JSON: it was not compared`);
    return;
  }
  if (isSameJson(kept, json)) return;
  if (!isTop) {
    onNote(`${where} has layer ${id} with other JSON, which is kept`);
    return;
  }
  throw new IntegrityError(
    `Cannot push image ${id} to ${where}: the registry has it with other JSON (${digestOf(kept)}), expected that of the pushed image (${digestOf(json)})`,
    {
      hint: `One of the two was altered: to keep the registry's, name it with "imgpack tag"; to replace it, remove images/${id} from the registry's storage and push again.`,
    },
  );
}

function isSameJson(kept: Uint8Array, own: Uint8Array): boolean {
  if (Buffer.from(kept).equals(own)) return true;
  try {
    const [left, right] = [kept, own].map(bytes =>
      parseJson(bytes, { what: "JSON of the layer", where: "registry", maxBytes: MAX_CONFIG_BYTES }),
    );
    return isDeepStrictEqual(left, right);
  } catch (error) {
    if (error instanceof ArchiveError) return false;
    throw error;
  }
}
