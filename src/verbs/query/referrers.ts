import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { listReferrers } from "../../registry/api/referrers.ts";
import { resolveDigest } from "../../registry/api/resolve-digest.ts";
import {
  manifestKey,
  type RemoteOptions,
  readableReference,
  readPlatformManifest,
  withRegistries,
} from "../shared/remote-image.ts";

export interface ReferrersOptions extends RemoteOptions {
  /** Only those of this type, for example "application/spdx+json". */
  readonly artifactType?: string | undefined;
  /** `os/architecture[/variant]`: what refers to that image of an index. */
  readonly platform?: string | undefined;
}

export interface ReferrersResult {
  /** `registry/repository@digest` that is referred to. */
  readonly subject: string;
  readonly digest: Digest;
  /** "tag" where the registry has no referrers API. */
  readonly via: "api" | "tag";
  readonly referrers: readonly Descriptor[];
}

/** What refers to an image: signatures, attestations, SBOMs. @throws NotFoundError when the image is not there */
export async function referrers(reference: string, options: ReferrersOptions = {}): Promise<ReferrersResult> {
  const { platform, artifactType, signal } = options;
  const named = readableReference(reference, options.registry);
  return await withRegistries(options, async registries => {
    const repository = await registries.repositoryFor(named, signal);
    const key = manifestKey(named);
    const { digest } =
      platform === undefined
        ? await resolveDigest(repository, key, signal)
        : (await readPlatformManifest(repository, key, platform, { signal })).descriptor;
    const found = await listReferrers(repository, digest, artifactType, signal);
    return { subject: `${repository}@${digest}`, digest, ...found };
  });
}
