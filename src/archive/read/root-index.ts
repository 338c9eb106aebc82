import type { Digest } from "../../oci/digest.ts";
import { tagNameOf } from "../../oci/names/pinned-names.ts";
import { appendTo } from "../../util/append.ts";
import type { OciRoot } from "./oci-roots.ts";

/** Finds roots by what is below them and by their names. An archive may have thousands of each. */
export class RootIndex {
  readonly #byConfig = new Map<Digest, OciRoot[]>();
  /** Of roots with a manifest that is present. */
  readonly #byName = new Map<string, OciRoot[]>();
  /** Of such roots without a full name. */
  readonly #byTag = new Map<string, OciRoot[]>();

  constructor(roots: readonly OciRoot[]) {
    for (const root of roots) {
      for (const config of root.images.keys()) appendTo(this.#byConfig, config, root);
      if (root.images.size === 0) continue;
      const names = new Set(root.names.flatMap(name => [name, tagNameOf(name) ?? name]));
      for (const name of names) appendTo(this.#byName, name, root);
      if (root.names.length === 0) for (const tag of root.tags) appendTo(this.#byTag, tag, root);
    }
  }

  /** Roots with an image of this config, in the order of the archive. */
  withConfig(config: Digest): readonly OciRoot[] {
    return this.#byConfig.get(config) ?? [];
  }

  /** Roots that a loader may take for the image of a name. */
  namesakes(name: string, tag: string | undefined): readonly OciRoot[] {
    const tagged = tag === undefined ? [] : (this.#byTag.get(tag) ?? []);
    return [...(this.#byName.get(name) ?? []), ...tagged];
  }
}
