import type {
  FoundDamage,
  OpenBlob,
  ServedBundle,
  ServedRegistry,
  ServedRepository,
  StoredContent,
} from "../content/served-registry.ts";
import { ignoreChange } from "./archive-content.ts";

/**
 * What of a registry people see: what is in a file that has changed is listed, and cannot be read. It is a registry with other repositories: those that also have what cannot be pulled whole, and one without a name if there are
 * images without one.
 */
export class Inventory implements ServedRegistry {
  readonly #registry: Omit<ServedRegistry, "inventory">;
  readonly #hasUnnamed: boolean;
  readonly repository: ServedRegistry["repository"];

  constructor(
    registry: Omit<ServedRegistry, "inventory">,
    hasUnnamed: boolean,
    repository: (name: string, ns?: string) => Promise<ServedRepository | undefined>,
  ) {
    this.#registry = registry;
    this.#hasUnnamed = hasUnnamed;
    this.repository = repository;
  }

  get inventory(): ServedRegistry {
    return this;
  }

  get generation(): number {
    return this.#registry.generation;
  }

  get damage(): readonly FoundDamage[] {
    return this.#registry.damage;
  }

  get bundle(): ServedBundle | undefined {
    return this.#registry.bundle;
  }

  get namespaces(): ReadonlySet<string> | undefined {
    return this.#registry.namespaces;
  }

  *names(ns?: string): Generator<string, void> {
    yield* this.#registry.names(ns);
    if (ns === undefined && this.#hasUnnamed) yield "";
  }

  namesakes(name: string): readonly string[] {
    return this.#registry.namesakes(name);
  }

  async readManifest(manifest: StoredContent): Promise<Uint8Array | undefined> {
    return await this.#registry.readManifest(manifest).catch(ignoreChange);
  }

  async openBlob(blob: StoredContent): Promise<OpenBlob | undefined> {
    return await this.#registry.openBlob(blob).catch(ignoreChange);
  }
}
