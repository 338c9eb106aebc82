import type { Digest } from "../../oci/digest.ts";
import { formatPlatform } from "../../oci/platform.ts";
import { resolveDigest } from "../../registry/api/resolve-digest.ts";
import {
  manifestKey,
  type RemoteOptions,
  readableReference,
  readPlatformManifest,
  withRegistries,
} from "../shared/remote-image.ts";

export interface DigestOptions extends RemoteOptions {
  /** `os/architecture[/variant]`: the digest of that image in an index, instead of the index's own. */
  readonly platform?: string | undefined;
}

export interface DigestResult {
  /** `registry/repository@digest` */
  readonly reference: string;
  readonly digest: Digest;
  readonly mediaType?: string;
  readonly platform?: string;
}

/**
 * The digest that a reference stands for now: one HEAD, or the hash of the manifest where the registry names no
 * digest.
 *
 * @throws NotFoundError
 */
export async function digest(reference: string, options: DigestOptions = {}): Promise<DigestResult> {
  const named = readableReference(reference, options.registry);
  return await withRegistries(options, async registries => {
    const { platform, signal } = options;
    const repository = await registries.repositoryFor(named, signal);
    const key = manifestKey(named);
    if (platform === undefined) {
      const found = await resolveDigest(repository, key, signal);
      return { reference: `${repository}@${found.digest}`, ...found };
    }
    const { descriptor } = await readPlatformManifest(repository, key, platform, { signal });
    const { digest, mediaType } = descriptor;
    const label = descriptor.platform === undefined ? {} : { platform: formatPlatform(descriptor.platform) };
    return { reference: `${repository}@${digest}`, digest, mediaType, ...label };
  });
}
