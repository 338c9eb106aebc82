import { NotFoundError } from "../../errors.ts";
import { describeBytes } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { isV1Reference } from "../../oci/legacy/has-v1.ts";
import { quote } from "../../util/format.ts";
import { checkedOptions, type OptionsShape } from "../../util/options/checked-options.ts";
import { TEXT } from "../../util/options/option-kinds.ts";
import { COMMON } from "../options/common-options.ts";
import { checkText } from "../options/option-values.ts";
import { type RemoteOptions, readableReference, readPlatformManifest, withRegistries } from "../shared/remote-image.ts";
import { readConfigBytes } from "./tags-created.ts";

/** Options of `config`. */
export interface ConfigOptions extends RemoteOptions {
  /** `os/architecture[/variant]` of an index. Default: linux with the architecture of this machine. */
  readonly platform?: string | undefined;
}

const CONFIG_OPTIONS: OptionsShape<ConfigOptions> = { ...COMMON, platform: TEXT };

/** The config of an image; of an image in a v1 registry, the JSON of its top layer. */
export interface ConfigResult {
  /** `registry/repository@digest` of the config; of v1, the name of the image. */
  readonly reference: string;
  readonly digest: Digest;
  readonly mediaType: string;
  /** JSON, byte for byte as the registry has it; at most 8 MiB. */
  readonly bytes: Uint8Array;
}

/**
 * Reads the config of an image, checked against its digest.
 *
 * @throws NotFoundError if there is no such image or platform; IntegrityError for bytes that are not what the digest says.
 * @throws AuthError, NetworkError, RegistryError
 * @example
 * ```ts
 * import { config } from "imgpack";
 *
 * const { bytes } = await config("registry.lan:5000/team/app:1.4", { platform: "linux/arm64" });
 * console.log(JSON.parse(new TextDecoder().decode(bytes)));
 * ```
 */
export async function config(reference: string, options: ConfigOptions = {}): Promise<ConfigResult> {
  checkText("read config", "the name of an image", reference);
  options = checkedOptions(options, CONFIG_OPTIONS);
  if (isV1Reference(reference)) {
    const { configOfV1 } = await import("../v1/query/inspect-v1.ts");
    const found = await configOfV1(reference, options);
    return { ...found, ...describeBytes("application/json", found.bytes) };
  }
  const named = readableReference(reference, options.registry);
  return await withRegistries(options, named.registry, async registries => {
    const { platform, signal } = options;
    const repository = await registries.repositoryFor(named, signal);
    const { view } = await readPlatformManifest(repository, named, platform, { signal });
    if (view.kind !== "image") {
      const found = view.kind === "index" ? "an index of indexes" : `media type ${quote(view.mediaType)}`;
      throw new NotFoundError(`Cannot read config of ${reference}: found ${found}, expected an image`);
    }
    const { digest, mediaType } = view.config;
    const bytes = await readConfigBytes(repository, view.config, signal);
    return { reference: `${repository}@${digest}`, digest, mediaType, bytes };
  });
}
