// What other verbs keep on disk: the store of `serve`, and the digest cache of `push`.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { remove } from "fs-extra/esm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PendingKey } from "../../src/content/contracts.ts";
import { openDigestCache } from "../../src/copy/digest-cache.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { OCI_LAYER, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import type { DamageReport } from "../../src/serve/content/damage-log.ts";
import { removeDurably, writeDurably, writeMark } from "../../src/serve/folder/durable-file.ts";
import { RegistryFolder } from "../../src/serve/folder/registry-folder.ts";
import { createFile } from "../../src/util/disk.ts";
import { seededBytes } from "../support/images.ts";
import { noise } from "../support/memory-blobs.ts";
import { copy, draftRoots } from "../support/memory-copy.ts";
import { memorySource } from "../support/memory-image.ts";
import { memoryTarget } from "../support/memory-target.ts";
import { FAULTS, type Fault, withFault } from "./faults.ts";
import { scratchFolder } from "./pulling.ts";

let folder: string;
let points = 0;
beforeAll(async () => {
  folder = await scratchFolder();
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  console.log(`failing writes of stores: ${points} points, every next attempt succeeded`);
});

/** Calls `check` after every operation of `work` failed in every way, each in an empty folder. */
async function failEach(
  work: (workFolder: string) => Promise<unknown>,
  check: (workFolder: string, error: unknown, fault: Fault, where: string) => Promise<void>,
): Promise<void> {
  const workFolder = join(folder, "work");
  const anew = async (): Promise<void> => {
    await remove(workFolder);
    await mkdir(workFolder);
  };
  await anew();
  const { count, error: none } = await withFault(async () => await work(workFolder));
  expect(none).toBeUndefined();
  await check(workFolder, undefined, "short", "undisturbed");
  for (let at = 0; at < count; at += 1) {
    for (const fault of FAULTS) {
      await anew();
      const { error, hit } = await withFault(async () => await work(workFolder), fault, at);
      points += hit === undefined ? 0 : 1;
      const what = hit === undefined ? "nothing" : `${hit.kind} of ${hit.target.replace(folder, "")}`;
      await check(workFolder, error, fault, `${fault} at operation ${at}, ${what}`);
    }
  }
}

describe("a write that fails", { timeout: 300_000 }, () => {
  test("leaves a durable file with its old or its new content, and nothing beside it", async () => {
    const texts = ["first", "the second, longer content"];
    const work = async (workFolder: string): Promise<void> => {
      for (const text of texts) await writeDurably(join(workFolder, "file"), text, workFolder);
      await writeMark(join(workFolder, "mark"));
      await removeDurably(join(workFolder, "mark"));
    };
    await failEach(work, async (workFolder, error, fault, where) => {
      if (fault === "short") expect(error, where).toBeUndefined();
      for (const name of await readdir(workFolder)) {
        if (name === "file") expect(texts, where).toContain(await readFile(join(workFolder, name), "utf8"));
        else if (name === "mark") expect(await readFile(join(workFolder, name)), where).toHaveLength(0);
        else expect.unreachable(`${where} left ${name}`);
      }
      await work(workFolder);
      expect(await readdir(workFolder), where).toEqual(["file"]);
      expect(await readFile(join(workFolder, "file"), "utf8"), where).toBe(texts[1]);
    });
  });

  test("leaves a served store that opens, with every tag it names whole, and takes the same again", async () => {
    const bytes = seededBytes("blob", 5000);
    const digest = digestOf(bytes);
    const manifest = Buffer.from(JSON.stringify({ config: digest }));
    const record = { digest: digestOf(manifest), mediaType: OCI_MANIFEST, size: manifest.length };
    let left: RegistryFolder | undefined;
    const reportNothing: DamageReport = ({ path, found }) => expect.unreachable(`${path}: ${found}`);
    const work = async (workFolder: string): Promise<void> => {
      left = undefined;
      const store = await RegistryFolder.open(join(workFolder, "store"), reportNothing);
      left = store;
      const { path } = store.newUpload();
      {
        await using file = await createFile(path, 0o600);
        await file.write(bytes, 0);
        await file.sync();
      }
      await store.addBlob("app", { digest, size: bytes.length }, path);
      await store.addManifest("app", record, manifest, ["1"]);
    };
    const check = async (workFolder: string, where: string): Promise<boolean> => {
      await left?.close();
      left = undefined;
      const store = await RegistryFolder.open(join(workFolder, "store"), reportNothing);
      try {
        const repository = await store.repository("app");
        if (repository?.hasBlob(digest) === true)
          expect((await readFile(store.content.path(digest))).equals(bytes), where).toBe(true);
        if (repository?.tagged("1") === undefined) return false;
        expect(repository.tagged("1"), where).toBe(record.digest);
        expect(repository.hasBlob(digest), where).toBe(true);
        expect((await readFile(store.content.path(record.digest))).equals(manifest), where).toBe(true);
        return true;
      } finally {
        await store.close();
      }
    };
    await failEach(work, async (workFolder, error, fault, where) => {
      if (fault === "short") expect(error, where).toBeUndefined();
      const isThere = await check(workFolder, where);
      if (error === undefined) expect(isThere, where).toBe(true);
      await work(workFolder);
      expect(await check(workFolder, where), where).toBe(true);
    });
  });

  test("never fails a push that would remember a digest, and never makes it remember a wrong one", async () => {
    const source = memorySource();
    const roots = await draftRoots(source, [source.add(OCI_LAYER, noise(5000))], [source.add(OCI_LAYER, noise(700))]);
    const known = new Map<PendingKey, Digest>();
    const push = async (workFolder: string): Promise<void> => {
      const cache = await openDigestCache(join(workFolder, "cache"));
      const target = memoryTarget();
      const { plan } = await copy(source, roots, target, { cache, concurrency: 1 });
      for (const [index, { descriptor }] of target.committed.entries()) {
        const manifest = Buffer.from(target.stored.get(descriptor.digest) ?? []).toString();
        const { layers } = JSON.parse(manifest) as { readonly layers: readonly { readonly digest: Digest }[] };
        for (const { digest } of layers) known.set(plan.pending[index]?.key ?? "pending:", digest);
      }
      expect(target.committed).toHaveLength(2);
      expect(plan.pending).toHaveLength(2);
    };
    await failEach(push, async (workFolder, error, _fault, where) => {
      expect(error, where).toBeUndefined();
      const after = await openDigestCache(join(workFolder, "cache"));
      for (const [key, digest] of known) expect([undefined, digest], where).toContain(after.find(key)?.digest);
      await push(workFolder);
      const again = await openDigestCache(join(workFolder, "cache"));
      for (const [key, digest] of known) expect(again.find(key)?.digest, where).toBe(digest);
    });
    expect(known.size).toBe(2);
  });
});

function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
