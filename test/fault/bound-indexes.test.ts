import { join } from "node:path";
import { expect, test } from "vitest";
import { lock, pull } from "../../src/index.ts";
import { temporaryFolder } from "../support/images.ts";
import { putReferrer } from "../support/referrer-manifests.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { storeIndex } from "./lock-support.ts";

async function notesOf(work: (onNote: (text: string) => void) => Promise<unknown>): Promise<readonly string[]> {
  const notes: string[] = [];
  await work(text => notes.push(text));
  return notes.filter(note => note.includes("signed or pinned"));
}

test("lock and pull say of a signed or pinned index that is not taken whole that push refuses to change it", async () => {
  const registry = await ScriptedRegistry.start();
  registry.content.hasReferrers = true;
  const signed = storeIndex(registry.content, "team/signed:1");
  putReferrer(registry.content, "team/signed", {
    subject: signed.digest,
    artifactType: "application/vnd.cncf.notary.signature",
  });
  const plain = storeIndex(registry.content, "team/plain:1");
  const pinned = `${registry.host}/team/plain@${plain.digest}`;
  const output = join(await temporaryFolder(), "out.tar");
  const pulled = async (names: readonly string[], platform: string): Promise<readonly string[]> =>
    await notesOf(async onNote => {
      const onProgress = (event: { readonly kind: string; readonly message?: string }): void =>
        void (event.kind === "note" && onNote(event.message ?? ""));
      await lock(names, { platform, onProgress });
      await pull(names, { platform, output, onProgress, restart: true });
    });
  const found = await pulled([`${registry.host}/team/signed:1`, pinned], "linux/amd64");
  expect(found).toHaveLength(2);
  for (const note of found) {
    expect(note).toContain(`${registry.host}/team/signed:1, ${pinned}: signed or pinned by digest`);
    expect(note).toContain("--platform all takes all of it");
  }
  expect(await pulled([`${registry.host}/team/plain:1`], "linux/amd64")).toEqual([]);
  expect(await pulled([`${registry.host}/team/signed:1`, pinned], "all")).toEqual([]);
});
