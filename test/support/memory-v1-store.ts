// A v1 registry in memory, behind the interface of those that are real. It records what is read.
import { NotFoundError } from "../../src/errors.ts";
import type { V1LayerJson, V1Repository, V1Session, V1Store } from "../../src/registry/v1/v1-store.ts";
import { sha256 } from "./memory-registry.ts";

export interface MemoryV1Layer {
  readonly id: string;
  readonly json: Buffer;
  readonly layer: Buffer;
  readonly checksums: readonly string[];
}

export class MemoryV1Store implements V1Store {
  readonly name: string;
  readonly registry: string;
  readonly requests = 0;
  readonly layers: Map<string, MemoryV1Layer> = new Map();
  /** Tags of `namespace/name`. */
  readonly tags: Map<string, Map<string, string>> = new Map();
  /** What was asked for: `layer ID`, `json ID`, `tag namespace/name:tag`, … */
  readonly reads: string[] = [];
  /** Whether the JSON of a layer comes with the layer's size. */
  statesSizes = true;
  /** Is called before each answer; what it throws is the answer. */
  onRead: (what: string) => void = () => undefined;

  constructor(registry = "old.lan") {
    this.registry = registry;
    this.name = `v1://${registry}`;
  }

  /** An image whose layers are these, base first. @returns the id of the top layer. */
  add(name: string, tag: string, layers: readonly Buffer[], changes: Readonly<Record<string, unknown>> = {}): string {
    let parent: string | undefined;
    for (const [index, layer] of layers.entries()) {
      const id = sha256(Buffer.from(`${parent} ${sha256(layer)} ${JSON.stringify(changes)}`)).slice(7);
      const json = Buffer.from(
        JSON.stringify({
          id,
          ...(parent === undefined ? {} : { parent }),
          created: "2014-06-01T12:00:00Z",
          container_config: { Cmd: ["/bin/sh", "-c", `step ${index}`] },
          docker_version: "1.6.0",
          config: { Cmd: ["/bin/sh"] },
          architecture: "amd64",
          os: "linux",
          ...changes,
        }),
      );
      const checksum = sha256(Buffer.concat([json, Buffer.from("\n"), layer]));
      if (!this.layers.has(id)) this.layers.set(id, { id, json, layer, checksums: [checksum] });
      parent = id;
    }
    const top = parent ?? "";
    this.tagsOf(name).set(tag, top);
    return top;
  }

  tagsOf(name: string): Map<string, string> {
    const tags = this.tags.get(name) ?? new Map<string, string>();
    this.tags.set(name, tags);
    return tags;
  }

  async *repositories(): AsyncGenerator<V1Repository> {
    this.#read("search");
    for (const name of this.tags.keys()) yield split(name);
  }

  async open(repository: V1Repository): Promise<V1Session> {
    const name = `${repository.namespace}/${repository.name}`;
    this.#read(`open ${name}`);
    if (!this.tags.has(name)) throw new NotFoundError(`Cannot find repository ${name}`);
    return {
      store: this,
      repository,
      tags: async () => {
        this.#read(`tags ${name}`);
        return [...(this.tags.get(name)?.keys() ?? [])];
      },
      tag: async tag => {
        this.#read(`tag ${name}:${tag}`);
        return this.tags.get(name)?.get(tag) ?? missing(`tag ${tag}`);
      },
      ancestry: async id => {
        this.#read(`ancestry ${id}`);
        return this.#ancestry(id);
      },
      json: async id => {
        this.#read(`json ${id}`);
        const { json, layer, checksums } = this.#layer(id);
        return { id, bytes: json, checksums, size: this.statesSizes ? layer.length : undefined } satisfies V1LayerJson;
      },
      layer: async id => {
        this.#read(`layer ${id}`);
        const { layer } = this.#layer(id);
        return {
          size: layer.length,
          async *read(start = 0) {
            yield layer.subarray(start);
          },
        };
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #read(what: string): void {
    this.reads.push(what);
    this.onRead(what);
  }

  #layer(id: string): MemoryV1Layer {
    return this.layers.get(id) ?? missing(`layer ${id}`);
  }

  #ancestry(id: string): readonly string[] {
    const { parent } = JSON.parse(this.#layer(id).json.toString()) as { parent?: string };
    return parent === undefined ? [id] : [id, ...this.#ancestry(parent)];
  }
}

function split(name: string): V1Repository {
  const [namespace = "", rest = ""] = name.split("/");
  return { namespace, name: rest };
}

function missing(what: string): never {
  throw new NotFoundError(`Cannot find ${what}: the registry does not have it, expected it`);
}
