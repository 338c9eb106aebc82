import type { ImageSource } from "../../content/contracts.ts";
import { derivedSource } from "../../content/derived-source.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Repository } from "../../registry/client/repository.ts";
import { registryBlob } from "../../registry/download/blob-download.ts";

/** Blobs that archives lack, and that other repositories of a target registry have. */
export class HeldBlobs {
  readonly #homes = new Map<string, Repository>();

  add(registry: string, digest: Digest, home: Repository): void {
    this.#homes.set(`${registry} ${digest}`, home);
  }

  find(registry: string, digest: Digest): Repository | undefined {
    return this.#homes.get(`${registry} ${digest}`);
  }

  /**
   * The source, with the blobs that the registry has: it may refuse to mount them, or forget them between two requests.
   * What the source has, comes from the source.
   */
  addTo(source: ImageSource, hasBlob: (digest: Digest) => boolean, registry: string): ImageSource {
    if (this.#homes.size === 0) return source;
    return derivedSource(source, {
      blob: async (descriptor: Descriptor, signal) => {
        const home = hasBlob(descriptor.digest) ? undefined : this.find(registry, descriptor.digest);
        return home === undefined ? await source.blob(descriptor, signal) : registryBlob(home, descriptor);
      },
    });
  }
}
