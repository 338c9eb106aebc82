import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { blob } from "../../../../src/verbs/query/blob.ts";
import { seededBytes, temporaryFolder } from "../../../support/images.ts";
import { type Fault, ScriptedRegistry } from "../../../support/scripted-registry.ts";

const BYTES = seededBytes("blob", 2_300_000);

async function start(
  ...faults: readonly Fault[]
): Promise<{ registry: ScriptedRegistry; reference: string; digest: string }> {
  const registry = await ScriptedRegistry.start({ faults });
  const digest = registry.content.addBlob(BYTES);
  return { registry, digest, reference: `${registry.host}/app@${digest}` };
}

describe("blob()", () => {
  test("blob() writes the file, and tells its size", async () => {
    const { reference, digest } = await start();
    const output = join(await temporaryFolder(), "layer");
    expect(await blob(reference, { output })).toEqual({ reference, digest, size: BYTES.length, output });
    expect((await readFile(output)).equals(BYTES)).toBe(true);
  });

  test.each<[string, Fault]>([
    ["refuses HEAD, as ECR Public does", { on: /^HEAD/, reply: { status: 401 } }],
    ["does not know the blob by HEAD", { on: /^HEAD/, reply: { status: 404 } }],
    ["tells no length by HEAD", { on: /^HEAD/, change: () => ({ headers: { "transfer-encoding": "chunked" } }) }],
  ])("blob() finds the size where the registry %s", async (_name, fault) => {
    const { reference } = await start(fault);
    const output = join(await temporaryFolder(), "layer");
    expect((await blob(reference, { output })).size).toBe(BYTES.length);
    expect((await readFile(output)).equals(BYTES)).toBe(true);
  });

  test("blob() takes an empty blob", async () => {
    const registry = await ScriptedRegistry.start();
    const digest = registry.content.addBlob(Buffer.alloc(0));
    const output = join(await temporaryFolder(), "empty");
    expect((await blob(`${registry.host}/app@${digest}`, { output })).size).toBe(0);
    expect(await readFile(output)).toHaveLength(0);
  });

  test("blob() leaves nothing, and what was there alone, when the bytes are wrong", async () => {
    const { registry, reference, digest } = await start();
    const wrong = Buffer.from(BYTES);
    wrong[2_000_000] = (wrong[2_000_000] ?? 0) ^ 1;
    registry.content.blobs.set(digest, wrong);
    const folder = await temporaryFolder();
    const output = join(folder, "layer");
    await writeFile(output, "before");
    await expect(blob(reference, { output })).rejects.toMatchObject({ exitCode: 6 });
    expect(await readdir(folder)).toEqual(["layer"]);
    expect(await readFile(output, "utf8")).toBe("before");
  });

  test("blob() streams, and reports a reader that has gone", async () => {
    const { reference } = await start();
    const parts: Buffer[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, onDone) {
        parts.push(Buffer.from(chunk));
        onDone();
      },
    });
    expect(await blob(reference, { output: stream })).toMatchObject({ output: "-" });
    expect(Buffer.concat(parts).equals(BYTES)).toBe(true);
    expect(stream.writableEnded).toBe(false);
    stream.destroy();
    await expect(blob(reference, { output: stream })).rejects.toMatchObject({
      exitCode: 9,
      message: "Cannot write blob to stdout: its reader has gone, expected it to read to the end",
    });
  });

  test("blob() wants a digest, and says when there is no such blob", async () => {
    const { registry } = await start();
    const output = join(await temporaryFolder(), "layer");
    await expect(blob(`${registry.host}/app:1`, { output })).rejects.toMatchObject({ exitCode: 2 });
    await expect(blob(`${registry.host}/app@sha256:${"0".repeat(64)}`, { output })).rejects.toMatchObject({
      exitCode: 5,
    });
  });
});
