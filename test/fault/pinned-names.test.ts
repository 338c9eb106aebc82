// A name with a digest goes through archives, push, copy, convert and a store like any other name.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { convert, copyTo, inspectArchive, type ProgressEvent, pull, push, serve } from "../../src/index.ts";
import { runCommand } from "../support/command-line.ts";
import { temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { type BuiltImage, putImage } from "../unit/verbs/query/listed-registry.ts";

let registry: ScriptedRegistry;
let first: BuiltImage;
let second: BuiltImage;
let folder: string;

beforeEach(async () => {
  registry = await ScriptedRegistry.start();
  first = putImage(registry.content, ["app:1"], { architecture: "amd64", layers: [Buffer.from("first")] });
  second = putImage(registry.content, [], { architecture: "amd64", layers: [Buffer.from("second")] });
  folder = await temporaryFolder();
});

async function pulled(...names: readonly string[]): Promise<string> {
  const output = join(folder, "out.tar");
  await pull(names, { output, platform: "linux/amd64" });
  return output;
}

async function namesIn(archive: string): Promise<readonly (readonly string[])[]> {
  return (await inspectArchive(archive)).images.map(({ names }) => names);
}

/** The names in index.json and in manifest.json, as they are in the file. */
async function namesInFiles(archive: string): Promise<{ readonly index: unknown[]; readonly docker: unknown[] }> {
  const text = (await readFile(archive)).toString("latin1");
  const [, index = "", docker = ""] = /(\{"schemaVersion":2[^\0]*)\0[\s\S]*?(\[\{"Config"[^\0]*)\0/.exec(text) ?? [];
  return {
    index: JSON.parse(index).manifests.map(({ annotations }: { readonly annotations: object }) => annotations),
    docker: JSON.parse(docker).map(({ RepoTags }: { readonly RepoTags: unknown }) => RepoTags),
  };
}

const NAME = "io.containerd.image.name";
const REF = "org.opencontainers.image.ref.name";

describe("an image that is pulled by its digest", () => {
  test("is printed by its whole name, and the archive names it without inventing a tag", async () => {
    const name = `${registry.host}/app@${first.digest}`;
    const output = join(folder, "out.tar");
    const { stdout, stderr } = await runCommand("pull", name, "-o", output, "--platform", "linux/amd64");
    expect(stdout).toBe(`${name}\n`);
    expect(stderr).toContain(`${name} has no tag: Docker loads such an image without a name`);
    expect(await namesInFiles(output)).toEqual({ index: [{ [NAME]: name }], docker: [null] });
    expect(await namesIn(output)).toEqual([[name]]);
  });

  test("keeps its name through push, a store, a second pull, convert and copy, and gets no tag", async () => {
    const archive = await pulled(`${registry.host}/app@${first.digest}`);
    await using store = await serve({ store: join(folder, "store") });
    const host = new URL(store.url).host;
    const { images } = await push([archive], { to: `${host}/m`, compression: "keep" });
    expect(images).toEqual([{ reference: `${host}/m/app`, digest: first.digest }]);
    const again = await pulled(`${host}/m/app@${first.digest}`);
    expect(await namesIn(again)).toEqual([[`${host}/m/app@${first.digest}`]]);
    const output = join(folder, "converted.tar");
    await convert(again, { output });
    expect(await namesInFiles(output)).toEqual(await namesInFiles(again));
    const target = await ScriptedRegistry.start();
    const copied = await copyTo([`${host}/m/app@${first.digest}`], `${target.host}/c`);
    expect(copied.images).toMatchObject([{ reference: `${target.host}/c/m/app`, digest: first.digest }]);
    expect([...target.content.manifests.keys()]).toEqual([first.digest]);
  });

  test("keeps its name where layers are written anew, and both digests are reported; push asks for another name", async () => {
    const name = `${registry.host}/app@${first.digest}`;
    const output = join(folder, "out.tar");
    const run = await runCommand("pull", name, "-o", output, "--platform", "linux/amd64", "--layers", "gzip");
    expect(run.stdout).toBe(`${name}\n`);
    expect(run.stderr).toMatch(new RegExp(`^${name}: ${first.digest} → sha256:[0-9a-f]{64}$`, "m"));
    expect(await namesIn(output)).toEqual([[name]]);
    await expect(push([output], { to: `${registry.host}/m` })).rejects.toMatchObject({
      message: expect.stringContaining(`names it only ${name}, and its manifest has another digest`),
    });
  });

  test("is an image of its own next to another digest of the repository", async () => {
    const names = [first, second].map(({ digest }) => `${registry.host}/app@${digest}`);
    const archive = await pulled(...names);
    expect((await namesIn(archive)).flat()).toEqual(names.toSorted());
    const { images } = await push([archive], { to: `${registry.host}/m`, compression: "keep" });
    expect(images.map(({ digest }) => digest).toSorted()).toEqual([first.digest, second.digest].toSorted());
  });
});

describe("an image that is pulled by tag and digest", () => {
  test("is found by both: the archive has two entries, and inspect shows the name as it was given", async () => {
    const name = `${registry.host}/app:1@${first.digest}`;
    const output = join(folder, "out.tar");
    const { stdout } = await runCommand("pull", name, "-o", output, "--platform", "linux/amd64");
    expect(stdout).toBe(`${name}\n`);
    expect(await namesInFiles(output)).toEqual({
      index: [
        { [NAME]: `${registry.host}/app:1`, [REF]: "1" },
        { [NAME]: `${registry.host}/app@${first.digest}`, [REF]: "1" },
      ],
      docker: [[`${registry.host}/app:1`]],
    });
    expect(await namesIn(output)).toEqual([[name]]);
    const { images } = await push([output], { to: `${registry.host}/m`, compression: "keep" });
    expect(images).toEqual([{ reference: `${registry.host}/m/app:1`, digest: first.digest }]);
  });

  test("is one name next to its tag and its digest, in the archive and in its lock", async () => {
    const repository = `${registry.host}/app`;
    const names = [`${repository}:1@${first.digest}`, `${repository}:1`, `${repository}@${first.digest}`];
    const archive = await pulled(...names);
    expect(await namesIn(archive)).toEqual([names.slice(0, 1)]);
    const { stdout: lock } = await runCommand("lock", ...names.toReversed(), "--platform", "linux/amd64");
    expect(lock).toContain(`"name":"${names[0]}"`);
    expect((await runCommand("lock", archive)).stdout).toBe(lock);
  });

  test("--image takes the whole name, the tag or the digest of it, and no other digest", async () => {
    const repository = `${registry.host}/app`;
    const archive = await pulled(`${repository}:1@${first.digest}`, `${repository}@${second.digest}`);
    for (const image of [`${repository}:1@${first.digest}`, `${repository}:1`, `${repository}@${first.digest}`]) {
      const { images } = await push([archive], { to: `${registry.host}/m`, compression: "keep", image });
      expect(images).toEqual([{ reference: `${registry.host}/m/app:1`, digest: first.digest }]);
    }
    await expect(
      push([archive], { to: `${registry.host}/m`, image: `${repository}:1@${second.digest}` }),
    ).rejects.toMatchObject({ exitCode: 5 });
  });

  test("two digests of one tag are two images that keep their digests, and none gets the tag", async () => {
    const names = [first, second].map(({ digest }) => `${registry.host}/app:1@${digest}`).toSorted();
    const notes: string[] = [];
    const onProgress = (event: ProgressEvent): void => void (event.kind === "note" && notes.push(event.message));
    const output = join(folder, "out.tar");
    await pull(names, { output, platform: "linux/amd64", onProgress });
    expect(notes.join()).toContain(`${registry.host}/app:1 is ${registry.host}/app@sha256:`);
    expect((await namesInFiles(output)).docker).toEqual([null, null]);
    expect((await namesIn(output)).flat()).toEqual(names);
    const { images } = await push([output], { to: `${registry.host}/m`, compression: "keep", onProgress });
    expect(images.map(({ reference }) => reference)).toEqual([`${registry.host}/m/app`, `${registry.host}/m/app`]);
    await expect(push([output], { to: `${registry.host}/m`, image: `${registry.host}/app:1` })).rejects.toMatchObject({
      exitCode: 2,
      hint: "Add the digest to the name.",
    });
  });

  test("a tag without a digest is that of the image that has it alone", async () => {
    registry.content.addManifest("app:2", "application/vnd.oci.image.manifest.v1+json", second.bytes);
    registry.content.addManifest("app:1", "application/vnd.oci.image.manifest.v1+json", second.bytes);
    const output = await pulled(`${registry.host}/app:1`, `${registry.host}/app:1@${first.digest}`);
    expect((await namesInFiles(output)).docker).toEqual([[`${registry.host}/app:1`], null]);
    const { images } = await push([output], { to: `${registry.host}/m`, compression: "keep" });
    expect(images).toEqual(
      expect.arrayContaining([
        { reference: `${registry.host}/m/app:1`, digest: second.digest },
        { reference: `${registry.host}/m/app`, digest: first.digest },
      ]),
    );
  });
});
