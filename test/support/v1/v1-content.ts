// What a v1 registry and its index hold. Tests change it freely: that is how a broken chain, a wrong checksum, a JSON of
// 20 MiB or an unfinished image is made.
import { createHash } from "node:crypto";

export interface V1StoredImage {
  json: Buffer;
  /** Absent until `PUT …/layer`. */
  layer: Buffer | undefined;
  /** Own id first. Replace it for a loop, a wrong order, or a short or foreign ancestry. */
  ancestry: string[];
  /** As headers state them, `algorithm:value`; empty for none, several for several headers. */
  checksums: string[];
  /** Its readers get the answer "Image is being uploaded". */
  isInProgress: boolean;
  /** `X-Docker-Size`; default the layer's own, `null` for none. */
  statedSize?: number | null;
}

export interface V1StoredRepository {
  /** Tag → id. */
  readonly tags: Map<string, string>;
  /** What the index answers to `…/images`. */
  listed: { id: string; checksum?: string; Tag?: string }[];
  /** Pulls need a user then. */
  isPrivate: boolean;
  /** Between the first `DELETE` at the index and the last one. */
  isBeingDeleted: boolean;
  description: string;
}

export interface V1NewImage {
  readonly id: string;
  readonly parent?: string;
  /** A tar, compressed or not. */
  readonly layer: Uint8Array;
  /** As it is stored. Default: id, parent and a few fields of docker 1.9. */
  readonly json?: string | Uint8Array;
}

export class V1Content {
  readonly images: Map<string, V1StoredImage> = new Map();
  /** By `namespace/name`. */
  readonly repositories: Map<string, V1StoredRepository> = new Map();

  /** Stores a finished image with its right checksum. Parents first, unless `ancestry` is set later. */
  addImage({ id, parent, layer, json }: V1NewImage): V1StoredImage {
    const bytes = Buffer.from(json ?? JSON.stringify(jsonOf(id, parent)));
    const above = parent === undefined ? [] : (this.images.get(parent)?.ancestry ?? [parent]);
    const image: V1StoredImage = {
      json: bytes,
      layer: Buffer.from(layer),
      ancestry: [id, ...above],
      checksums: [payloadChecksum(bytes, layer)],
      isInProgress: false,
    };
    this.images.set(id, image);
    return image;
  }

  /** The repository with this name, `namespace/name`, made if it is not there. */
  repository(name: string): V1StoredRepository {
    const found = this.repositories.get(name);
    if (found !== undefined) return found;
    const made = { tags: new Map(), listed: [], isPrivate: false, isBeingDeleted: false, description: "" };
    this.repositories.set(name, made);
    return made;
  }

  /** @param name `namespace/name` */
  addTag(name: string, tag: string, id: string): void {
    const repository = this.repository(name);
    repository.tags.set(tag, id);
    for (const listed of this.images.get(id)?.ancestry ?? [id]) {
      if (!repository.listed.some(entry => entry.id === listed)) repository.listed.push({ id: listed });
    }
  }

  image(id: string): V1StoredImage {
    const image = this.images.get(id);
    if (image === undefined) throw new Error(`No image ${id} in the test's registry`);
    return image;
  }
}

/** `sha256:` of json, a line feed, and the layer as stored. */
export function payloadChecksum(json: Uint8Array, layer: Uint8Array): string {
  return `sha256:${createHash("sha256").update(json).update("\n").update(layer).digest("hex")}`;
}

function jsonOf(id: string, parent: string | undefined): object {
  return {
    id,
    ...(parent === undefined ? {} : { parent }),
    created: "2015-11-03T22:13:20.123456789Z",
    container_config: { Cmd: ["/bin/sh", "-c", `#(nop) ADD file:${id.slice(0, 12)} in /`] },
    docker_version: "1.9.1",
    config: { Cmd: ["/file"], Env: ["PATH=/bin"] },
    architecture: "amd64",
    os: "linux",
  };
}
