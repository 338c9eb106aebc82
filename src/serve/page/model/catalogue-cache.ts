import { abortable } from "../../../util/promises.ts";
import type { ServedRegistry } from "../../content/served-registry.ts";
import type { Catalogue } from "./catalogue.ts";
import { ManifestShelf } from "./manifest-shelf.ts";
import { readCatalogue } from "./read-catalogue.ts";

/** A catalogue that is being read, for all who wait for it. */
interface Reading {
  readonly generation: number;
  readonly catalogue: Promise<Catalogue>;
  readonly stop: AbortController;
  waiting: number;
}

/** Reads the catalogue when it is first asked for, and again only after what is served has changed. */
export class CatalogueCache {
  readonly #registry: ServedRegistry;
  readonly #shelf: ManifestShelf;
  #reading: Reading | undefined;
  #last: Catalogue | undefined;
  /** Resolves when no reading is running. */
  #before: Promise<void> = Promise.resolve();

  constructor(registry: ServedRegistry) {
    this.#registry = registry;
    this.#shelf = new ManifestShelf(registry);
  }

  /** Requests that come together share one reading; it ends when all of them are gone. */
  async get(signal: AbortSignal): Promise<Catalogue> {
    signal.throwIfAborted();
    const { generation } = this.#registry;
    if (this.#last?.generation === generation) return this.#last;
    if (this.#reading?.generation !== generation) this.#reading = this.#start(generation);
    const reading = this.#reading;
    reading.waiting += 1;
    try {
      return await abortable(reading.catalogue, signal);
    } finally {
      reading.waiting -= 1;
      if (reading.waiting === 0) {
        reading.stop.abort(signal.reason);
        if (this.#reading === reading) this.#reading = undefined;
      }
    }
  }

  #start(generation: number): Reading {
    const stop = new AbortController();
    const catalogue = this.#readAfter(this.#before, stop.signal);
    // Those who wait get the error.
    this.#before = catalogue.then(ignore, ignore);
    return { generation, catalogue, stop, waiting: 0 };
  }

  /** One after the other: a reading forgets manifests that its images do not have. */
  async #readAfter(before: Promise<void>, signal: AbortSignal): Promise<Catalogue> {
    await before;
    signal.throwIfAborted();
    if (this.#last?.generation === this.#registry.generation) return this.#last;
    const read = await readCatalogue(this.#registry, this.#shelf, signal);
    this.#last = read;
    return read;
  }
}

function ignore(): void {}
