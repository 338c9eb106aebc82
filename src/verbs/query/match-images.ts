import { checkedOptions } from "../../util/options/checked-options.ts";
import { COMMON } from "../options/common-options.ts";
import { expandReferences, registryOf } from "../requested/expand-references.ts";
import { checkedImages } from "../requested/requested-image.ts";
import { RegistryPool } from "../shared/registry-pool.ts";
import type { RemoteOptions } from "../shared/remote-image.ts";

/** What `matchImages` found. */
export interface MatchedImages {
  /** `registry/repository:tag`, each once. */
  readonly references: readonly string[];
}

/**
 * Lists the images that match: `registry/team/*` for all tags of repositories of one more part, `registry/**:1.*` for tags
 * of all repositories, `registry/team/app:1.?` for tags of one. Each repository is listed once. Tags of signatures
 * (`sha256-…`) never match.
 *
 * @param references with `*` and `?` in the repository or the tag; those without any are returned as they are.
 * @throws NotFoundError if nothing matches one of them; AuthError, NetworkError, RegistryError, also from a registry without
 * a list of repositories; UsageError, BadReferenceError.
 * @example
 * ```ts
 * import { matchImages } from "imgpack";
 *
 * const { references } = await matchImages(["registry.lan:5000/team/*:1.*"]);
 * console.log(references.join("\n"));
 * ```
 */
export async function matchImages(references: readonly string[], options: RemoteOptions = {}): Promise<MatchedImages> {
  options = checkedOptions<RemoteOptions>(options, COMMON);
  const { registry, signal } = options;
  const images = checkedImages("list images", references);
  const hosts = images.map(({ reference }) => registryOf(reference, registry));
  await using registries = new RegistryPool(options, hosts, options.onProgress ?? (() => undefined));
  registries.admit(hosts);
  const found = await expandReferences(images, registries, { registry, signal });
  return { references: found.map(({ reference }) => reference) };
}
