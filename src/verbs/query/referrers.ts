import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { listReferrers } from "../../registry/api/referrers.ts";
import { checkedOptions, type OptionsShape } from "../../util/options/checked-options.ts";
import { TEXT } from "../../util/options/option-kinds.ts";
import { COMMON } from "../options/common-options.ts";
import { checkText } from "../options/option-values.ts";
import {
  type RemoteOptions,
  readableReference,
  readPlatformManifest,
  resolveNamedDigest,
  withRegistries,
} from "../shared/remote-image.ts";

/** Options of `referrers`. */
export interface ReferrersOptions extends RemoteOptions {
  /** Lists only artifacts of this type, for example "application/spdx+json". Default: all. */
  readonly artifactType?: string | undefined;
  /** `os/architecture[/variant]` of an index, for what refers to that image. Default: to the index itself. */
  readonly platform?: string | undefined;
}

const REFERRERS_OPTIONS: OptionsShape<ReferrersOptions> = { ...COMMON, artifactType: TEXT, platform: TEXT };

/** The artifacts that refer to an image. */
export interface ReferrersResult {
  /** `registry/repository@digest` that is referred to. */
  readonly subject: string;
  readonly digest: Digest;
  /** "tag" if the registry has no referrers API, so that the tag that replaces it was read. */
  readonly via: "api" | "tag";
  readonly referrers: readonly Descriptor[];
}

/**
 * Lists what refers to an image: signatures, attestations, SBOMs.
 *
 * @throws NotFoundError if the registry does not have the image.
 * @throws AuthError, NetworkError, RegistryError
 * @example
 * ```ts
 * import { referrers } from "imgpack";
 *
 * const found = await referrers("registry.lan:5000/team/app:1.4", { artifactType: "application/spdx+json" });
 * for (const { digest, size } of found.referrers) console.log(digest, size);
 * ```
 */
export async function referrers(reference: string, options: ReferrersOptions = {}): Promise<ReferrersResult> {
  checkText("read referrers", "the name of an image", reference);
  options = checkedOptions(options, REFERRERS_OPTIONS);
  const { platform, artifactType, signal } = options;
  const named = readableReference(reference, options.registry);
  return await withRegistries(options, named.registry, async registries => {
    const repository = await registries.repositoryFor(named, signal);
    const { digest } =
      platform === undefined
        ? await resolveNamedDigest(repository, named, signal)
        : (await readPlatformManifest(repository, named, platform, { signal })).descriptor;
    const found = await listReferrers(repository, digest, artifactType, signal);
    return { subject: `${repository}@${digest}`, digest, ...found };
  });
}
