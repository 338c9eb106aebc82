import { describe, expect, test } from "vitest";
import type { Archive } from "../../src/archive/archive.ts";
import { ArchiveMetadata } from "../../src/archive/read/archive-metadata.ts";
import { readLegacyView } from "../../src/archive/read/legacy-view.ts";
import { bytesBlob } from "../../src/content/blob.ts";
import { ArchiveError } from "../../src/errors.ts";
import { MAX_CONFIG_BYTES } from "../../src/oci/limits.ts";
import type { TarEntry } from "../../src/tar/tar-entry.ts";
import { sha256Of } from "../support/memory-blobs.ts";

const idOf = (place: number): string => place.toString(16).padStart(64, "0");
const LAYER = Buffer.alloc(1024);

/** An archive whose bodies are made when they are read. */
function archiveOf(bodies: ReadonlyMap<string, () => Uint8Array>): Archive {
  const entries = new Map<string, TarEntry>(
    [...bodies].map(([name, body], at) => [name, { name, type: "file", bodyOffset: at, size: body().length }]),
  );
  const bodyOf = ({ name }: TarEntry): Uint8Array => bodies.get(name)?.() ?? new Uint8Array();
  return {
    path: "a.tar",
    what: 'archive "a.tar"',
    fileBytes: 0,
    compression: "none",
    entries,
    resolve(name) {
      const entry = entries.get(name);
      if (entry === undefined) throw new Error(name);
      return entry;
    },
    compressionOf: async () => undefined,
    digest: async entry => sha256Of(bodyOf(entry)),
    slice: entry => bytesBlob(bodyOf(entry)),
    async [Symbol.asyncDispose]() {},
  };
}

/** One chain of `length` layers; each names its step with so many bytes. */
function chain(length: number, named: number, commandBytes = 0): Archive {
  const command = "x".repeat(commandBytes);
  const bodies = new Map<string, () => Uint8Array>();
  for (let place = 0; place < length; place += 1) {
    const id = idOf(place);
    const parent = place === 0 ? {} : { parent: idOf(place - 1) };
    const more = commandBytes === 0 ? {} : { container_config: { Cmd: [command] } };
    bodies.set(`${id}/json`, () => Buffer.from(JSON.stringify({ id, ...parent, ...more })));
    bodies.set(`${id}/layer.tar`, () => LAYER);
  }
  const tags = Object.fromEntries(
    Array.from({ length: named }, (_tag, at) => [`t${at}`, idOf(length - 1 - at)] as const),
  );
  bodies.set("repositories", () => Buffer.from(JSON.stringify({ app: tags })));
  return archiveOf(bodies);
}

async function reasonOf(archive: Archive): Promise<string> {
  try {
    await readLegacyView(archive, await ArchiveMetadata.read(archive));
    return "accepted";
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    return error.reason;
  }
}

describe("M-14 ids and chains of docker 1.9 and older", () => {
  test.each(["../../../etc", "/etc", "A".repeat(64), "a".repeat(63), "a".repeat(65), `${"a".repeat(64)}/..`])(
    "M-14 a folder named %s is no layer, and nothing is read from it",
    async name => {
      let isRead = false;
      const good = chain(1, 1);
      const read = (): Uint8Array => {
        isRead = true;
        return Buffer.from(JSON.stringify({ id: name }));
      };
      const entries = new Map([
        ...good.entries,
        [`${name}/json`, { name: `${name}/json`, type: "file", bodyOffset: 99, size: 9 }],
      ]);
      const archive: Archive = {
        ...good,
        entries: entries as Archive["entries"],
        slice: entry => (entry.bodyOffset === 99 ? bytesBlob(read()) : good.slice(entry)),
      };
      const { images } = await readLegacyView(archive, await ArchiveMetadata.read(archive));
      expect(images).toHaveLength(1);
      expect(isRead).toBe(false);
    },
  );

  test("M-14 a chain of 1,000 layers is read, one more is refused", async () => {
    expect(await reasonOf(chain(1000, 1))).toBe("accepted");
    expect(await reasonOf(chain(1001, 1))).toBe("legacy-chain");
  });

  test("M-14 a config that grows beyond what a config may be is refused", async () => {
    const steps = Math.ceil(MAX_CONFIG_BYTES / 100_000) + 2;
    expect(await reasonOf(chain(steps, 1, 100_000))).not.toBe("accepted");
  });

  test("M-14 many names do not multiply a long chain in memory", async () => {
    const before = process.memoryUsage();
    const reason = await reasonOf(chain(1000, 1000, 2000));
    const after = process.memoryUsage();
    const grown = after.heapUsed + after.external - before.heapUsed - before.external;
    // A thousand configs of up to 2 MB each.
    expect([reason === "accepted" ? grown < 200_000_000 : true, reason]).toEqual([true, reason]);
  });
});
