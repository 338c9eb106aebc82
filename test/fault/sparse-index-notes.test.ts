import { join } from "node:path";
import { expect, test } from "vitest";
import { lock, type OnProgress, pull } from "../../src/index.ts";
import { temporaryFolder } from "../support/images.ts";
import { putReferrer } from "../support/referrer-manifests.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { storeIndex } from "./lock-support.ts";

async function notesOf(work: (onNote: (text: string) => void) => Promise<unknown>): Promise<readonly string[]> {
  const notes: string[] = [];
  await work(text => notes.push(text));
  return notes.filter(note => note.includes("--platform all"));
}

async function storedIndexes(): Promise<{ readonly host: string; readonly signed: string; readonly pinned: string }> {
  const registry = await ScriptedRegistry.start();
  registry.content.hasReferrers = true;
  const signed = storeIndex(registry.content, "team/signed:1");
  putReferrer(registry.content, "team/signed", {
    subject: signed.digest,
    artifactType: "application/vnd.cncf.notary.signature",
  });
  const { digest } = storeIndex(registry.content, "team/plain:1");
  storeIndex(registry.content, "team/other:1");
  const { host } = registry;
  return { host, signed: `${host}/team/signed:1`, pinned: `${host}/team/plain@${digest}` };
}

/** What `lock` and `pull` say, which is the same. */
async function said(names: readonly string[], platform: string, sparse?: "prune"): Promise<readonly string[]> {
  const output = join(await temporaryFolder(), "out.tar");
  const options = { platform, sparse };
  const locked = await notesOf(async onNote => void (await lock(names, { ...options, onProgress: noted(onNote) })));
  const pulled = await notesOf(
    async onNote => void (await pull(names, { ...options, output, onProgress: noted(onNote) })),
  );
  expect(pulled).toEqual(locked);
  return locked;
}

function noted(onNote: (text: string) => void): OnProgress {
  return event => void (event.kind === "note" && onNote(event.message));
}

test("lock and pull say of an index that is not taken whole that push gives it another digest", async () => {
  const { host } = await storedIndexes();
  const plain = `${host}/team/plain:1`;
  expect(await said([plain], "linux/amd64")).toEqual([
    "1 image is taken with only some of its platforms: push makes a smaller index of it, with another digest. --platform all keeps the digest",
  ]);
  expect(await said([plain, `${host}/team/other:1`], "linux/amd64")).toEqual([
    "2 images are taken with only some of their platforms: push makes smaller indexes of them, with other digests. --platform all keeps the digests",
  ]);
  expect(await said([plain], "all")).toEqual([]);
  expect(await said([plain], "linux/amd64", "prune")).toEqual([]);
});

test("lock and pull say of a signed or pinned index that is not taken whole that push refuses it", async () => {
  const { signed, pinned } = await storedIndexes();
  const refused =
    "but taken with only some of the platforms: push refuses that without --sparse. --platform all takes all of them";
  expect(await said([signed, pinned], "linux/amd64")).toEqual([
    `${signed}, ${pinned}: pinned by digest or signed, ${refused}`,
  ]);
  expect(await said([pinned], "linux/amd64")).toEqual([`${pinned}: pinned by digest, ${refused}`]);
  expect(await said([signed, pinned], "all")).toEqual([]);
});
