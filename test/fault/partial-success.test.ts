// What succeeded is reported next to what failed: on stdout, in the JSON object and in the error.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PartialError, push, tag } from "../../src/index.ts";
import { ownEnvironment, runCommand, said } from "../support/command-line.ts";
import { configOf, dockerArchive, fileWith, seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarEntry } from "../support/tar-builder.ts";

ownEnvironment();

interface Printed {
  readonly images?: readonly { readonly reference?: string; readonly names?: readonly string[] }[];
  readonly failed?: readonly string[];
  readonly error?: { readonly code: string };
}

function parsed(stdout: string): Printed {
  return JSON.parse(stdout) as Printed;
}

describe("imgpack push good.tar bad.tar", () => {
  test("prints the reference of good.tar, and with --json both in one object", async () => {
    const registry = await ScriptedRegistry.start();
    const good = await fileWith(dockerArchive({ tags: ["app:1"] }));
    const bad = await fileWith(Buffer.from("no archive"), "bad.tar");
    const pushed = await runCommand("push", good, bad, "--registry", registry.host);
    expect(pushed.exitCode).toBe(10);
    expect(pushed.stdout).toMatch(new RegExp(`^${registry.host}/app:1@sha256:[0-9a-f]{64}\n$`));
    expect(said(pushed)[0]).toMatch(/^Cannot push 1 of 2 archives: /);
    const { images, failed, error } = parsed(
      (await runCommand("push", bad, good, "--registry", registry.host, "--json")).stdout,
    );
    expect(images).toMatchObject([{ reference: `${registry.host}/app:1` }]);
    expect(failed).toEqual([bad]);
    expect(error).toMatchObject({ code: "ERR_PARTIAL" });
  });

  test("says of no archive that it is pushed when all of them failed", async () => {
    const bad = await fileWith(Buffer.from("no archive"), "bad.tar");
    const failing = push([bad, bad], { registry: "127.0.0.1:1" });
    await expect(failing).rejects.toMatchObject({
      code: "ERR_PARTIAL",
      exitCode: 3,
      hint: expect.stringMatching(/^Fix the cause and run the same command again\. /),
      result: { images: [] },
    });
  });
});

test("push() of an archive with a broken second image reports the first one, which is pushed", async () => {
  const registry = await ScriptedRegistry.start();
  const layers = [seededBytes("one", 3000), seededBytes("two", 3000)];
  const manifest = ["a:1", "b:1"].map((name, index) => ({
    Config: `${index}.json`,
    RepoTags: [name],
    Layers: [`${index}/layer.tar`],
  }));
  const archive = await fileWith(
    dockerArchive({
      layers,
      manifest: JSON.stringify(manifest),
      extra: [
        tarEntry({ name: "0.json", body: configOf(layers.slice(0, 1)) }),
        tarEntry({ name: "1.json", body: configOf([seededBytes("another", 3000)]) }),
      ],
    }),
  );
  const failing = push([archive], { registry: registry.host });
  await expect(failing).rejects.toThrow(PartialError);
  await expect(failing).rejects.toMatchObject({
    failed: [archive],
    failures: [{ origin: "source" }],
    result: { images: [{ reference: `${registry.host}/a:1` }] },
  });
});

test("imgpack pull --keep-going prints what the archive contains, and with --json all of it in one object", async () => {
  const registry = await ScriptedRegistry.start();
  storeImage(registry.content, [seededBytes("layer", 2000)]);
  const references = [`${registry.host}/app:1`, `${registry.host}/app:2`];
  const output = join(await temporaryFolder(), "out.tar");
  const words = ["pull", ...references, "-o", output, "--platform", "linux/amd64", "--keep-going"];
  const pulled = await runCommand(...words);
  expect(pulled.exitCode).toBe(10);
  expect(pulled.stdout).toMatch(new RegExp(`^${references[0]}@sha256:[0-9a-f]{64}\n$`));
  expect(pulled.stderr).toContain(`to ${output} in `);
  const { images, failed, error } = parsed((await runCommand(...words, "--json")).stdout);
  expect(images).toMatchObject([{ names: [references[0]] }]);
  expect(failed).toEqual([references[1]]);
  expect(error).toMatchObject({ code: "ERR_PARTIAL" });
});

test("copyTo() and tag() report the names that succeeded before and after one that failed", async () => {
  const registry = await ScriptedRegistry.start({
    faults: [{ on: /^PUT \/v2\/app\/manifests\/two/, times: Number.POSITIVE_INFINITY, reply: { status: 403 } }],
  });
  storeImage(registry.content, [seededBytes("layer", 2000)]);
  const source = `${registry.host}/app:1`;
  const copied = await runCommand("copy", `${registry.host}/gone:1`, source, "--to", `${registry.host}/mirror`);
  expect(copied.exitCode).toBe(10);
  expect(copied.stdout).toMatch(new RegExp(`^${registry.host}/mirror/app:1@sha256:[0-9a-f]{64}\n$`));
  await expect(tag(source, ["one", "two", "three"])).rejects.toMatchObject({
    failed: ["two"],
    result: { references: [`${registry.host}/app:one`, `${registry.host}/app:three`] },
  });
});

describe("several images of which none was done", () => {
  const MANY = Number.POSITIVE_INFINITY;
  async function refusing() {
    const registry = await ScriptedRegistry.start();
    storeImage(registry.content, [seededBytes("layer", 2000)]);
    registry.addFault({ on: /^POST \/v2\/(one|two)\/blobs\/uploads/, times: MANY, reply: { status: 403 } });
    const archive = await fileWith(dockerArchive({ tags: ["one:1", "two:1"] }));
    return { host: registry.host, archive };
  }

  test("have the exit code of their cause when it is one, with the whole object in JSON", async () => {
    const { host, archive } = await refusing();
    const sources = [`${host}/gone:1`, `${host}/gone:2`];
    const copied = await runCommand("copy", ...sources, "--to", `${host}/mirror`, "--json");
    expect(copied.exitCode).toBe(5);
    expect(parsed(copied.stdout)).toMatchObject({ images: [], failed: sources, error: { code: "ERR_PARTIAL" } });
    const pushes = await Promise.all(
      [[archive], [archive, archive]].map(async archives => await runCommand("push", ...archives, "--to", host)),
    );
    expect(pushes.map(({ exitCode }) => exitCode)).toEqual([4, 4]);
  });

  test("have exit code 10 when there are several causes", async () => {
    const { host, archive } = await refusing();
    const bad = await fileWith(Buffer.from("no archive"), "bad.tar");
    expect((await runCommand("push", archive, bad, "--to", host)).exitCode).toBe(10);
    const dead = await runCommand("copy", `${host}/gone:1`, "127.0.0.1:1/gone:1", "--to", host, "--retry", "0");
    expect(dead.exitCode).toBe(10);
  });
});
