import { readBlob } from "../../../content/pump.ts";
import { verified } from "../../../content/verified.ts";
import { IntegrityError, NotFoundError } from "../../../errors.ts";
import type { Descriptor } from "../../../oci/descriptor.ts";
import type { Digest } from "../../../oci/digest.ts";
import { MAX_CONFIG_BYTES } from "../../../oci/limits.ts";
import { blobSize } from "../../../registry/api/blobs.ts";
import { resolveDigest } from "../../../registry/api/resolve-digest.ts";
import type { Repository } from "../../../registry/client/repository.ts";
import { registryBlob } from "../../../registry/download/blob-download.ts";
import { runBounded } from "../../../util/task-group.ts";

export interface CopiedContent {
  readonly tag: string;
  /** Of the manifest. */
  readonly digest: Digest;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/**
 * Looks at an image where it was copied to: its tag, the bytes of its config, and whether each layer is there.
 *
 * @param repository opened for pulling.
 * @param checked blobs of the repository that were looked at before; grows.
 * @throws IntegrityError that names all that is wrong; AuthError, NetworkError, RegistryError.
 */
export async function verifyCopied(
  repository: Repository,
  { tag, digest, config, layers }: CopiedContent,
  checked: Set<Digest>,
  concurrency: number,
  signal?: AbortSignal,
): Promise<void> {
  const faults: string[] = [];
  const found = await resolveDigest(repository, tag, signal).catch(absent);
  if (found === undefined) faults.push(`there is no tag ${tag}`);
  else if (found.digest !== digest) faults.push(`tag ${tag} is ${found.digest} instead of ${digest}`);
  const fault = checked.has(config.digest) ? undefined : await configFault(repository, config, signal);
  if (fault === undefined) checked.add(config.digest);
  else faults.push(fault);
  const distinct = new Map(layers.map(layer => [layer.digest, layer]));
  await runBounded(
    [...distinct.values()].filter(layer => !checked.has(layer.digest)),
    concurrency,
    async ({ digest: layer, size }, own) => {
      const bytes = await blobSize(repository, layer, own).catch(absent);
      if (bytes === size) checked.add(layer);
      else
        faults.push(`layer ${layer} ${bytes === undefined ? "is not there" : `has ${bytes} bytes instead of ${size}`}`);
    },
    signal,
  );
  if (faults.length === 0) return;
  throw new IntegrityError(
    `Cannot verify ${repository}:${tag}: ${faults.join("; ")}, expected the image that was copied`,
    { hint: "Something changed the registry after the copy, or its storage loses data: run the same command again." },
  );
}

async function configFault(
  repository: Repository,
  config: Descriptor,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    const blob = verified(config, registryBlob(repository, config), `${repository}`);
    await readBlob(blob, MAX_CONFIG_BYTES, signal);
    return undefined;
  } catch (error) {
    if (error instanceof NotFoundError) return `config ${config.digest} is not there`;
    if (error instanceof IntegrityError) return `config ${config.digest} has other bytes`;
    throw error;
  }
}

function absent(error: unknown): undefined {
  if (error instanceof NotFoundError) return undefined;
  throw error;
}
