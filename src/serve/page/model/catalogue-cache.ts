import { SingleFlight } from "../../../util/lazy/single-flight.ts";
import { limited } from "../../../util/promises.ts";
import type { ServedRegistry } from "../../content/served-registry.ts";
import type { Catalogue } from "./catalogue.ts";
import { ManifestShelf } from "./manifest-shelf.ts";
import { readCatalogue } from "./read-catalogue.ts";

/** Reads the catalogue when it is first asked for, and again only after what is served has changed. */
export class CatalogueCache {
  readonly #registry: ServedRegistry;
  readonly #shelf: ManifestShelf;
  /** By generation. */
  readonly #readings = new SingleFlight<Catalogue>();
  /** A reading forgets manifests that its images do not have: two at once would take them from each other. */
  readonly #inTurn = limited(1);
  #last: Catalogue | undefined;

  constructor(registry: ServedRegistry) {
    this.#registry = registry;
    this.#shelf = new ManifestShelf(registry);
  }

  /** Requests that come together share one reading; it ends when all of them are gone. */
  async get(signal: AbortSignal): Promise<Catalogue> {
    signal.throwIfAborted();
    const { generation } = this.#registry;
    if (this.#last?.generation === generation) return this.#last;
    const read = async (stop: AbortSignal): Promise<Catalogue> =>
      await this.#inTurn(async () => await this.#read(stop));
    return await this.#readings.run(String(generation), read, signal);
  }

  async #read(signal: AbortSignal): Promise<Catalogue> {
    signal.throwIfAborted();
    if (this.#last?.generation === this.#registry.generation) return this.#last;
    const read = await readCatalogue(this.#registry, this.#shelf, signal);
    this.#last = read;
    return read;
  }
}
