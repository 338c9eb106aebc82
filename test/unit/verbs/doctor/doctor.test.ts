import { createReadStream } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { inspect } from "../../../../src/index.ts";
import { doctor } from "../../../../src/verbs/doctor/doctor.ts";
import {
  configOf,
  dockerManifest,
  type Files,
  layerOf,
  makeFolder,
  refusal,
  tarOf,
} from "../../archive/archive-builder.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/${name}`, import.meta.url));

const [base, top] = [layerOf("base"), layerOf("top")];
const [small, large] = [configOf([base]), configOf([base, top])];
const whole: Files = {
  "base.tar": base.bytes,
  "top.tar": top.bytes,
  [`${small.hex}.json`]: small.bytes,
  [`${large.hex}.json`]: large.bytes,
  ...dockerManifest(
    { Config: `${small.hex}.json`, RepoTags: ["small:1", "small:2"], Layers: ["base.tar"] },
    { Config: `${large.hex}.json`, RepoTags: ["large:1"], Layers: ["base.tar", "top.tar"] },
  ),
};
const UNTAGGED = "manifest.json names an image without a tag, which it refuses";
const smallNames = ["docker.io/library/small:1", "docker.io/library/small:2"];

async function places(files: Files | Uint8Array): Promise<{ readonly input: string; readonly output: string }> {
  const folder = await makeFolder();
  const input = join(folder, "in.tar");
  await writeFile(input, files instanceof Uint8Array ? files : tarOf(files));
  return { input, output: join(folder, "clean.tar") };
}

function without(...names: readonly string[]): Files {
  return Object.fromEntries(Object.entries(whole).filter(([name]) => !names.includes(name)));
}

describe("doctor() says what an archive is", () => {
  test("doctor() finds a whole archive whole, and hashes it", async () => {
    const { input } = await places(whole);
    const { form, images, verified, loaders } = await doctor(input);
    expect(form).toBe("docker");
    expect(images.map(({ names, isWhole }) => ({ names, isWhole }))).toEqual([
      { names: smallNames, isWhole: true },
      { names: ["docker.io/library/large:1"], isWhole: true },
    ]);
    expect(verified?.faults).toEqual([]);
    expect(loaders.every(({ loads }) => loads)).toBe(true);
  });

  test.each(["team/app", `team/app@sha256:${"0".repeat(64)}`])(
    "doctor() says that docker and podman refuse the name %s, which has no tag",
    async name => {
      const image = { Config: `${small.hex}.json`, RepoTags: ["small:1", name], Layers: ["base.tar"] };
      const { input } = await places({ ...whole, ...dockerManifest(image) });
      const { loaders } = await doctor(input, { quick: true });
      const refusing = loaders
        .filter(({ why }) => why.join() === UNTAGGED)
        .map(({ loader }) => loader.split(" ", 1)[0]);
      expect(refusing).toEqual(["docker", "docker", "podman", "podman"]);
      expect(loaders.filter(({ loads }) => loads)).toHaveLength(loaders.length - refusing.length);
    },
  );

  test("doctor() with quick hashes nothing", async () => {
    const { input } = await places({ ...whole, "top.tar": layerOf("other").bytes });
    const { verified, images } = await doctor(input, { quick: true });
    expect(verified).toBeUndefined();
    expect(images.every(({ isWhole }) => isWhole)).toBe(true);
  });

  test("doctor() reads stdin, and hashes nothing of what has passed by", async () => {
    const { input } = await places(whole);
    const { images, verified } = await doctor("-", { stdin: createReadStream(input) });
    expect(images).toHaveLength(2);
    expect(verified).toBeUndefined();
  });

  test("doctor() tells an artifact from an image", async () => {
    const { images, loaders } = await doctor(fixture("oras13-artifact.tar"));
    expect(images).toHaveLength(1);
    expect(loaders.map(({ why }) => why[0])).toEqual(loaders.map(() => "there is no image in it"));
  });

  test("doctor() says once that the end marker is missing", async () => {
    const { input } = await places(Buffer.from(tarOf(whole)).subarray(0, -1024));
    const heard: string[] = [];
    const { notes } = await doctor(input, {
      onProgress: event => void (event.kind === "note" && heard.push(event.message)),
    });
    expect(notes).toEqual([expect.stringContaining("without its closing zero blocks")]);
    expect(heard).toEqual([]);
  });
});

describe("doctor() of a damaged archive", () => {
  const damages: readonly (readonly [string, Files, RegExp, string])[] = [
    ["a missing layer", without("top.tar"), /^no entry "top\.tar"$/, "docker.io/library/large:1"],
    ["a missing config", without(`${large.hex}.json`), /^no entry "[0-9a-f]{64}\.json"$/, "docker.io/library/large:1"],
    [
      "an altered layer",
      { ...whole, "top.tar": layerOf("other").bytes },
      /^missing or altered: sha256:/,
      "docker.io/library/large:1",
    ],
    ["an altered config", { ...whole, [`${large.hex}.json`]: small.bytes }, /^Cannot accept config/, ""],
  ];

  test.each(damages)("doctor() says which image %s breaks, and nobody loads it", async (_, files, problem, name) => {
    const { input } = await places(files);
    const { images, loaders } = await doctor(input);
    expect(images.map(({ isWhole }) => isWhole)).toEqual([true, false]);
    expect(images[1]?.names.join()).toBe(name);
    expect(images[1]?.problem).toMatch(problem);
    expect(loaders[0]).toMatchObject({ loads: false, why: ["1 of 2 images is not whole"] });
  });

  test.each(damages)("doctor() repairs what is whole beside %s, under all of its names", async (_, files) => {
    const { input, output } = await places(files);
    const { repaired } = await doctor(input, { repair: output });
    expect(repaired?.images.map(({ names }) => names)).toEqual([smallNames]);
    const clean = await doctor(output);
    expect(clean.verified?.faults).toEqual([]);
    expect(clean.images.map(({ isWhole }) => isWhole)).toEqual([true]);
    expect((await inspect(output)).images[0]?.platforms[0]?.config).toBe(small.digest);
  });

  test("doctor() tells an image once that both views name and one has lost", async () => {
    const { input } = await places(without());
    const saved = join(await makeFolder(), "hybrid.tar");
    await doctor(input, { repair: saved });
    const bytes = await readFile(saved);
    const { images } = await doctor(saved);
    const gone = images.find(({ names }) => names.includes("docker.io/library/large:1"));
    const layer = gone?.platforms[0]?.layers[1]?.digest.slice("sha256:".length) ?? "";
    // Renaming the entry takes the blob away and leaves every offset as it is.
    const at = bytes.indexOf(`blobs/sha256/${layer}`, bytes.indexOf("blobs/sha256/", 4096));
    expect(at % 512).toBe(0);
    bytes.write("other", at);
    rewriteChecksum(bytes, at);
    await writeFile(saved, bytes);
    const { images: left } = await doctor(saved, { quick: true });
    expect(left.map(({ isWhole }) => isWhole).sort()).toEqual([false, true]);
  });
});

describe("doctor() refuses to repair", () => {
  test("doctor() leaves nothing behind when nothing is whole", async () => {
    const { input, output } = await places({ ...whole, "base.tar": layerOf("other").bytes });
    const error = await refusal(doctor(input, { repair: output }));
    expect(error.message).toMatch(
      /^Cannot repair archive ".*in\.tar": no image in it is whole, expected at least one$/,
    );
    expect(await readdir(join(output, ".."))).toEqual(["in.tar"]);
  });

  test("doctor() names the entry and the offset of a cut archive, and writes nothing", async () => {
    const { input, output } = await places(Buffer.from(tarOf(whole)).subarray(0, 2048));
    const error = await refusal(doctor(input, { repair: output }));
    expect(error.message).toMatch(
      /^Cannot read entry "base\.tar" at byte \d+ from archive ".*": file ends at byte 2048, expected \d+$/,
    );
    expect(await readdir(join(output, ".."))).toEqual(["in.tar"]);
  });

  test("doctor() does not overwrite what it reads", async () => {
    const { input } = await places(whole);
    const before = await readFile(input);
    const error = await refusal(doctor(input, { repair: input }));
    expect(error.message).toMatch(/^Cannot write ".*in\.tar": it is the input ".*in\.tar", expected another file$/);
    expect(await readFile(input)).toEqual(before);
  });

  test("doctor() does not repair a pipe", async () => {
    const error = await refusal(doctor("-", { repair: "out.tar" }));
    expect(error.message).toBe("Cannot repair archive from stdin: it can be read only once, expected a file");
    expect(error.exitCode).toBe(2);
  });
});

function rewriteChecksum(bytes: Buffer, at: number): void {
  bytes.fill(" ", at + 148, at + 156);
  const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, at + 148, "latin1");
}
