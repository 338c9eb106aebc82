import { NotFoundError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import {
  manifestKey,
  type RemoteOptions,
  readableReference,
  readPlatformManifest,
  withRegistries,
} from "../shared/remote-image.ts";
import { readConfigBytes } from "./tags-created.ts";

export interface ConfigOptions extends RemoteOptions {
  /** `os/architecture[/variant]`; of an index, linux on this machine's architecture without it. */
  readonly platform?: string | undefined;
}

export interface ConfigResult {
  /** `registry/repository@digest` of the config. */
  readonly reference: string;
  readonly digest: Digest;
  readonly mediaType: string;
  /** As the registry holds them; at most 8 MiB. */
  readonly bytes: Uint8Array;
}

/** The config of an image, byte for byte, checked against its digest. @throws NotFoundError, IntegrityError */
export async function config(reference: string, options: ConfigOptions = {}): Promise<ConfigResult> {
  const named = readableReference(reference, options.registry);
  return await withRegistries(options, async registries => {
    const { platform, signal } = options;
    const repository = await registries.repositoryFor(named, signal);
    const { view } = await readPlatformManifest(repository, manifestKey(named), platform, { signal });
    if (view.kind === "index") {
      throw new NotFoundError(`Cannot read config of ${reference}: found an index of indexes, expected an image`);
    }
    const { digest, mediaType } = view.config;
    const bytes = await readConfigBytes(repository, view.config, signal);
    return { reference: `${repository}@${digest}`, digest, mediaType, bytes };
  });
}
