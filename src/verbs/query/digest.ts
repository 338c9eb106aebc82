import type { Digest } from "../../oci/digest.ts";
import { formatPlatform } from "../../oci/platform.ts";
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

/** Options of `digest`. */
export interface DigestOptions extends RemoteOptions {
  /** `os/architecture[/variant]` of an index, for the digest of that image. Default: the digest of the index itself. */
  readonly platform?: string | undefined;
}

const DIGEST_OPTIONS: OptionsShape<DigestOptions> = { ...COMMON, platform: TEXT };

/** The manifest that a reference names. */
export interface DigestResult {
  /** `registry/repository@digest` */
  readonly reference: string;
  /** Of the manifest or index. */
  readonly digest: Digest;
  /** Absent if the registry does not say it. */
  readonly mediaType?: string;
  /** `os/architecture[/variant]`, if a platform was asked for. */
  readonly platform?: string;
}

/**
 * Finds the digest of a reference now. It takes one HEAD request, or reads the manifest where the registry
 * names no digest.
 *
 * @throws NotFoundError, AuthError, NetworkError, RegistryError
 * @example
 * ```ts
 * import { digest } from "imgpack";
 *
 * const { reference } = await digest("registry.lan:5000/team/app:1.4");
 * console.log(reference);
 * ```
 */
export async function digest(reference: string, options: DigestOptions = {}): Promise<DigestResult> {
  checkText("read digest", "the name of an image", reference);
  options = checkedOptions(options, DIGEST_OPTIONS);
  const named = readableReference(reference, options.registry);
  return await withRegistries(options, named.registry, async registries => {
    const { platform, signal } = options;
    const repository = await registries.repositoryFor(named, signal);
    if (platform === undefined) {
      const found = await resolveNamedDigest(repository, named, signal);
      return { reference: `${repository}@${found.digest}`, ...found };
    }
    const { descriptor } = await readPlatformManifest(repository, named, platform, { signal });
    const { digest, mediaType } = descriptor;
    const label = descriptor.platform === undefined ? {} : { platform: formatPlatform(descriptor.platform) };
    return { reference: `${repository}@${digest}`, digest, mediaType, ...label };
  });
}
