import { describe, expect, test } from "vitest";
import type { Digest } from "../../../../../src/oci/digest.ts";
import type { OpenBlob, StoredContent } from "../../../../../src/serve/content/served-registry.ts";
import { LayerListings } from "../../../../../src/serve/page/model/layer/layer-listings.ts";
import { deferred } from "../../../../../src/util/promises.ts";
import { tarArchive, tarEntry } from "../../../../support/tar-builder.ts";

/** Blobs by number; each reading waits until it is released. */
class Blobs {
  readonly opened: string[] = [];
  readonly closed: string[] = [];
  readonly #gate = deferred<void>();
  readonly #bytes: Uint8Array;
  readonly #damage: Error | undefined;

  constructor(bytes: Uint8Array = tarArchive([tarEntry({ name: "a", body: "1" })]), damage?: Error) {
    this.#bytes = bytes;
    this.#damage = damage;
  }

  release(): void {
    this.#gate.resolve();
  }

  layer(number: number): StoredContent {
    return { digest: `sha256:${String(number).padStart(64, "0")}`, size: this.#bytes.length };
  }

  async openBlob({ digest, size }: StoredContent): Promise<OpenBlob> {
    const name = digest.slice(-1);
    this.opened.push(name);
    const [bytes, gate, damage, closed] = [this.#bytes, this.#gate, this.#damage, this.closed];
    return {
      digest: digest as Digest,
      size,
      async *chunks() {
        yield bytes.subarray(0, 100);
        await gate.promise;
        if (damage !== undefined) throw damage;
        yield bytes.subarray(100);
      },
      close: async () => void closed.push(name),
    };
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(resolve => setImmediate(resolve));
}

const NEVER = new AbortController().signal;

describe("lists of layers", () => {
  test("are made once for all that ask, and kept", async () => {
    const blobs = new Blobs();
    const listings = new LayerListings(blobs);
    const asked = [listings.get(blobs.layer(1), NEVER), listings.get(blobs.layer(1), NEVER)];
    blobs.release();
    const [first, second] = await Promise.all(asked);
    expect(first?.entries.map(({ path }) => path)).toEqual(["/a"]);
    expect(second).toBe(first);
    expect(await listings.get(blobs.layer(1), NEVER)).toBe(first);
    expect(blobs.opened).toEqual(["1"]);
    expect(blobs.closed).toEqual(["1"]);
  });

  test("are made two at a time", async () => {
    const blobs = new Blobs();
    const listings = new LayerListings(blobs);
    const asked = [1, 2, 3, 4].map(number => listings.get(blobs.layer(number), NEVER));
    await turns();
    expect(blobs.opened).toEqual(["1", "2"]);
    blobs.release();
    expect((await Promise.all(asked)).map(listing => listing?.counts.all)).toEqual([1, 1, 1, 1]);
    expect(blobs.opened).toEqual(["1", "2", "3", "4"]);
  });

  test("are made as long as one client waits", async () => {
    const blobs = new Blobs();
    const listings = new LayerListings(blobs);
    const [first, second] = [new AbortController(), new AbortController()];
    const asked = [first, second].map(({ signal }) =>
      listings.get(blobs.layer(1), signal).catch(error => String(error)),
    );
    await turns();
    first.abort(new Error("gone"));
    expect(await asked[0]).toBe("Error: gone");
    expect(blobs.closed).toEqual([]);
    second.abort(new Error("gone, too"));
    expect(await asked[1]).toBe("Error: gone, too");
    blobs.release();
    await turns();
    expect(blobs.closed).toEqual(["1"]);
    // It was not kept, and can be asked for once more.
    expect((await listings.get(blobs.layer(1), NEVER))?.counts.all).toBe(1);
    expect(blobs.opened).toEqual(["1", "1"]);
  });

  test("of damaged layers are nothing, and are not kept", async () => {
    const blobs = new Blobs(undefined, new Error("the file is not what was written"));
    const listings = new LayerListings(blobs);
    blobs.release();
    expect(await listings.get(blobs.layer(1), NEVER)).toBeUndefined();
    expect(await listings.get(blobs.layer(1), NEVER)).toBeUndefined();
    expect(blobs.opened).toEqual(["1", "1"]);
    expect(blobs.closed).toEqual(["1", "1"]);
  });

  test("are kept for few layers", async () => {
    const blobs = new Blobs();
    const listings = new LayerListings(blobs, 3000);
    blobs.release();
    for (const number of [1, 2, 3, 4, 5]) await listings.get(blobs.layer(number), NEVER);
    await listings.get(blobs.layer(5), NEVER);
    expect(blobs.opened).toHaveLength(5);
    await listings.get(blobs.layer(1), NEVER);
    expect(blobs.opened).toHaveLength(6);
  });
});
