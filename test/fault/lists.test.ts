// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of compose files have this form.
// Images that come from lists: what is taken, what is refused, and what a later run gets to read.
import { execFileSync } from "node:child_process";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { formatLock } from "../../src/bundle/lock/format-lock.ts";
import { copyTo, type Digest, inspect, listReferences, pull } from "../../src/index.ts";
import { ownEnvironment, runCommand, said } from "../support/command-line.ts";
import { dockerArchive, fileWith, seededBytes, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { putImage, putIndex } from "../unit/verbs/query/listed-registry.ts";

ownEnvironment();

/** `team/multi:1` and `:2` are one index, `team/other:1` is another one, `team/app:1` is an image. */
async function start(): Promise<{ registry: ScriptedRegistry; host: string; other: string }> {
  const registry = await ScriptedRegistry.start();
  const { content, host } = registry;
  const amd64 = putImage(content, [], { architecture: "amd64" });
  const arm64 = putImage(content, [], { architecture: "arm64" });
  putIndex(content, ["team/multi:1", "team/multi:2"], { amd64, arm64 });
  putImage(content, ["team/app:1"], { layers: [seededBytes("app", 100)] });
  const layers = [seededBytes("other", 100)];
  const other = {
    arm64: putImage(content, [], { architecture: "arm64", layers }),
    amd64: putImage(content, [], { architecture: "amd64", layers }),
  };
  return { registry, host, other: putIndex(content, ["team/other:1"], other).digest };
}

async function list(text: string): Promise<string> {
  return await fileWith(Buffer.from(text), "images.txt");
}

async function output(): Promise<string> {
  return join(await temporaryFolder(), "out.tar");
}

describe("imgpack pull -f", () => {
  test("takes platforms and names of each line", async () => {
    const { host } = await start();
    const lines = [
      `${host}/team/multi:1 linux/arm64 # for the edge`,
      `docker://${host}/team/other:1 linux/amd64,linux/arm64 -> renamed.lan/other`,
      `${host}/team/app:1 -> renamed.lan/app:9`,
    ];
    const out = await output();
    const run = await runCommand("pull", "-f", await list(lines.join("\r\n")), "-o", out, "--platform", "linux/amd64");
    expect(run).toMatchObject({ exitCode: 0 });
    const { images } = await inspect(out);
    expect(images.map(({ names, platforms }) => [names[0], ...platforms.map(({ platform }) => platform)])).toEqual([
      [`${host}/team/multi:1`, "linux/arm64"],
      ["renamed.lan/app:9", "linux/amd64"],
      ["renamed.lan/other:1", "linux/arm64", "linux/amd64"],
    ]);
  });

  test("reports all bad lines of all lists at once, and writes nothing", async () => {
    const { registry, host } = await start();
    const out = await output();
    const [one, two] = [await list(`${host}/team/app:1\nBad:1\n`), await list("ok:1\nok:2 linux\n# no\n{{ x }}\n")];
    const before = registry.requests.length;
    const run = await runCommand("pull", "-f", one, "--from-file", two, "-o", out, "--failed-list", `${out}.failed`);
    expect(run).toMatchObject({ exitCode: 2, stdout: "" });
    expect(said(run)).toEqual([
      `Cannot read images from ${one}, ${two}: 3 bad lines found, expected none`,
      expect.stringMatching(`^${one}:2: "Bad:1": found a bad repository, expected lower-case letters`),
      `${two}:2: "ok:2 linux": found "linux" after the reference, expected a platform such as linux/amd64, or "-> NAME"`,
      `${two}:4: "{{ x }}": found "{{" where a reference belongs, expected one`,
      "Render the template first, for example with: helm template CHART | imgpack lock --list -f -",
    ]);
    for (const path of [out, `${out}.partial`, `${out}.failed`]) await expect(stat(path)).rejects.toThrow("ENOENT");
    expect(registry.requests).toHaveLength(before);
  });

  test("--failed-list writes lines that -f reads, with platforms and names", async () => {
    const { host } = await start();
    const out = await output();
    const gone = `${host}/team/gone:1 linux/arm64 -> renamed.lan/gone:2`;
    const words = ["-o", out, "--keep-going", "--failed-list", `${out}.failed`];
    const run = await runCommand("pull", "-f", await list(`${gone}\n${host}/team/app:1\n`), ...words);
    expect(run.exitCode).toBe(10);
    expect(await readFile(`${out}.failed`, "utf8")).toBe(`${gone}\n`);
    const again = await runCommand("pull", "-f", `${out}.failed`, "-o", `${out}.2`);
    expect(again.exitCode).toBe(5);
    expect(said(again)[0]).toContain(`${host}/team/gone`);
  });
});

describe("RequestedImage", () => {
  test("a locked digest is pulled whatever the tag means, under the name of the tag", async () => {
    const { host, other } = await start();
    const out = await output();
    await pull([{ reference: `${host}/team/other:moved`, digest: other, platform: "all" }], { output: out });
    expect((await inspect(out)).images).toMatchObject([{ names: [`${host}/team/other:moved`], digest: other }]);
  });

  test("an image that one line names for all platforms and another one for the default is pulled for both", async () => {
    const { host } = await start();
    const out = await output();
    const images = [{ reference: `${host}/team/multi:1`, platform: "linux/arm64" }, `${host}/team/multi:2`];
    await pull(images, { output: out, platform: "linux/amd64" });
    const [image] = (await inspect(out)).images;
    expect(image?.names).toEqual([`${host}/team/multi:1`, `${host}/team/multi:2`]);
    expect(image?.platforms.map(({ platform }) => platform)).toEqual(["linux/amd64", "linux/arm64"]);
  });

  test.each([
    [{ reference: "a:1", platform: [] }, "Cannot use option platform: found an empty array"],
    [{ reference: 1 }, "Cannot use option reference: found 1, expected a string"],
    [{ reference: "a:1", digest: "sha256:1" }, 'Cannot use digest "sha256:1": malformed'],
    [{ reference: "a:1", names: "b" }, 'Cannot use option "names": no such option'],
    [7, "Cannot pull: found an array with other things than references, expected an array of references"],
  ])("%j is refused", async (image, message) => {
    const pulling = pull([image as unknown as string], { output: await output() });
    await expect(pulling).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining(message) });
  });

  test("copyTo() puts an image under its new name, with the platforms of its own", async () => {
    const { host } = await start();
    const to = await ScriptedRegistry.start();
    const images = [{ reference: `${host}/team/multi:1`, name: "quay.io/other/name", platform: "linux/arm64" }];
    const { images: copied } = await copyTo(images, `${to.host}/mirror`);
    expect(copied).toMatchObject([{ reference: `${to.host}/mirror/other/name:1` }]);
    expect(to.content.manifests.has("mirror/other/name:1")).toBe(true);
  });
});

test("imgpack copy -f --to copies what a list names, and needs --to", async () => {
  const { host } = await start();
  const to = await ScriptedRegistry.start();
  const lines = await list(`${host}/team/app:1 -> app:2\n${host}/team/gone:1\n`);
  const failed = join(await temporaryFolder(), "failed");
  const run = await runCommand("copy", "-f", lines, "--to", to.host, "--failed-list", failed);
  expect(run.exitCode).toBe(10);
  expect(run.stdout).toMatch(`${to.host}/app:2@sha256:`);
  expect(await readFile(failed, "utf8")).toBe(`${host}/team/gone:1\n`);
  const refused = await runCommand("copy", "-f", lines, `${to.host}/x`);
  expect(refused.exitCode).toBe(2);
  expect(said(refused)[0]).toBe("Cannot copy: a list given, expected source and target, or --to HOST/PREFIX");
});

describe("imgpack push -f", () => {
  test("a list of names chooses images of the archives of the command line", async () => {
    const to = await ScriptedRegistry.start();
    const archive = await fileWith(dockerArchive({ tags: ["one:1", "two:1", "three:1"] }));
    const run = await runCommand("push", archive, "-f", await list("# two\none:1\nthree:1\n"), "--registry", to.host);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stdout.split("\n").map(line => line.replace(/@.*/, ""))).toEqual([
      `${to.host}/one:1`,
      `${to.host}/three:1`,
      "",
    ]);
  });

  test("a list of paths adds archives, also to those of the command line", async () => {
    const to = await ScriptedRegistry.start();
    const [one, two] = [
      await fileWith(dockerArchive({ tags: ["one:1"] })),
      await fileWith(dockerArchive({ tags: ["two:1"] })),
    ];
    const run = await runCommand("push", one, "-f", await list(`${two}\n`), "--registry", to.host);
    expect(run).toMatchObject({ exitCode: 0 });
    expect([...to.content.manifests.keys()]).toEqual(expect.arrayContaining(["one:1", "two:1"]));
  });

  test("an image of a list cannot get a name or platforms on the way", async () => {
    const archive = await fileWith(dockerArchive({ tags: ["one:1"] }));
    const path = await list("one:1 linux/amd64\none:1 -> two:1\n");
    const run = await runCommand("push", archive, "-f", path, "--registry", "127.0.0.1:9");
    expect(run.exitCode).toBe(2);
    expect(said(run).slice(1, 3)).toEqual([
      `${path}:1: "one:1": found platforms for it, expected the name of an image alone`,
      `${path}:2: "one:1": found a new name for it, expected the name of an image alone`,
    ]);
    await writeFile(path, "");
  });
});

describe("what -f takes", () => {
  const pod = (image: string, argument: string) =>
    `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: ${image}\n      args: ["--x=${argument}"]\n`;

  test("YAML: certain images are taken, likely ones are reported, and taken with --guess", async () => {
    const { host } = await start();
    const path = await list(pod(`${host}/team/app:1`, `${host}/team/multi:1`));
    const out = await output();
    const run = await runCommand("pull", "-f", path, "-o", out);
    expect(run.exitCode).toBe(0);
    expect(run.stderr.split("\n")).toContain(`${path}:6: ${host}/team/multi:1 may be an image, --guess takes it`);
    expect((await inspect(out)).images).toHaveLength(1);
    const guessed = await runCommand("pull", "-f", path, "-o", `${out}.2`, "--guess");
    expect(guessed.stderr.split("\n")).toContain(`${path}:6: ${host}/team/multi:1 is taken as an image`);
    expect((await inspect(`${out}.2`)).images).toHaveLength(2);
  });

  test("a compose file, with the variables of .env next to it and of the environment, which wins", async () => {
    const path = await list("services:\n  a:\n    image: ${HOST_OF_LIST}/team/${NAME:?}:$TAG\n");
    const env = join(dirname(path), ".env");
    await writeFile(env, `# variables\nexport NAME='app'\nTAG="2" # no\nHOST_OF_LIST=r.lan\nOTHER=\${NAME}x\n`);
    const { references } = await listReferences([path], { env: { TAG: "3" } });
    expect(references).toMatchObject([{ reference: "r.lan/team/app:3", class: "certain", line: 3 }]);
    await writeFile(env, "");
    const run = await runCommand("lock", "--list", "-f", path);
    expect(run.exitCode).toBe(2);
    expect(said(run)[1]).toMatch(/:3: ".*": found the variable NAME without a value, expected one in the environment/);
  });

  test("a compose file gets no credentials, whose reference would take them to any registry", async () => {
    const path = await list("services:\n  a: {image: 'evil.lan/a:${IMGPACK_TOKEN:-none}'}\n");
    const { references } = await listReferences([path], { env: { IMGPACK_TOKEN: "secret" } });
    expect(references).toMatchObject([{ reference: "evil.lan/a:none" }]);
  });

  test("a .env that is a FIFO, or that grows without end, does not stop a compose file", async () => {
    const path = await list("services:\n  a: {image: 'a:${B:-1}'}\n");
    const env = join(dirname(path), ".env");
    execFileSync("mkfifo", [env]);
    expect((await listReferences([path], { env: {} })).references).toMatchObject([{ reference: "a:1" }]);
    await rm(env);
    const bomb = Array.from({ length: 60_000 }, (_, at) => `A${at + 1}=\${A${at}}\${A${at}}`);
    await writeFile(env, ["A0=lol", ...bomb].join("\n"));
    expect((await listReferences([path], { env: {} })).references).toMatchObject([{ reference: "a:1" }]);
  });

  test("a pipe of the shell, which can be read only once", async () => {
    const { host } = await start();
    const fifo = join(await temporaryFolder(), "fifo");
    execFileSync("mkfifo", [fifo]);
    const written = writeFile(fifo, `${host}/team/app:1\n`);
    const run = await runCommand("pull", "-f", fifo, "-o", await output());
    await written;
    expect(run).toMatchObject({ exitCode: 0 });
    const archive = writeFile(fifo, Buffer.from([0x1f, 0x8b, 0]));
    await expect(listReferences([fifo])).rejects.toThrow(/found an archive in a pipe, expected a list/);
    await archive;
  });

  test("an archive and a folder: the names of their images", async () => {
    const { host } = await start();
    const out = await output();
    await pull([`${host}/team/app:1`, `${host}/team/multi:2`], { output: out });
    const { references } = await listReferences([out]);
    expect(references.map(({ reference }) => reference)).toEqual([`${host}/team/app:1`, `${host}/team/multi:2`]);
    const folder = `${join(await temporaryFolder(), "layout")}/`;
    await pull([`${host}/team/app:1`], { output: folder });
    expect((await listReferences([folder])).references).toMatchObject([{ reference: `${host}/team/app:1`, line: 1 }]);
  });

  test("a lock: its names with their digests, as a list that keeps both", async () => {
    const { host, other } = await start();
    const path = await list(
      formatLock({
        platforms: ["all"],
        sparse: "keep",
        referrers: false,
        images: [{ name: `${host}/team/gone:1`, digest: other as Digest, manifests: [], absent: [], referrers: [] }],
        left: [],
        blobs: [],
      }),
    );
    const run = await runCommand("lock", "--list", "-f", path);
    const line = `${host}/team/gone:1@${other} -> ${host}/team/gone:1`;
    expect(run.stdout).toMatch(new RegExp(`^${line}\tcertain\t.*:\\d+\n$`));
    const renamed = await list(
      formatLock({
        platforms: ["all"],
        sparse: "keep",
        referrers: false,
        images: [
          {
            name: "r.lan/a:1",
            from: `${host}/team/other`,
            digest: other as Digest,
            manifests: [],
            absent: [],
            referrers: [],
          },
        ],
        left: [],
        blobs: [],
      }),
    );
    const { references } = await listReferences([renamed]);
    expect(references).toMatchObject([{ reference: `${host}/team/other@${other}`, name: "r.lan/a:1" }]);
    const edited = await list((await readFile(path, "utf8")).replace("gone:1", "gone:2"));
    const refused = await runCommand("lock", "--list", "-f", edited);
    expect(refused.exitCode).toBe(2);
    expect(said(refused)[0]).toMatch(/^Cannot read lock from .*: its contents have the id /);
  });

  test("an archive on stdin is refused, a list is not", async () => {
    const stdin = Readable.from([Buffer.from("nginx:1\n")]);
    expect((await listReferences(["-"], { stdin })).references).toMatchObject([{ reference: "nginx:1", file: "-" }]);
    const archive = Readable.from([Buffer.from([0x1f, 0x8b, 0])]);
    await expect(listReferences(["-"], { stdin: archive })).rejects.toMatchObject({
      exitCode: 2,
      message: 'Cannot read list "-": found an archive on stdin, expected a list',
    });
  });

  test("push takes the images that YAML names out of an archive", async () => {
    const to = await ScriptedRegistry.start();
    const archive = await fileWith(dockerArchive({ tags: ["one:1", "two:1"] }));
    const run = await runCommand("push", archive, "-f", await list(pod("two:1", "x")), "--registry", to.host);
    expect(run).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(`^${to.host}/two:1@sha256:`) });
  });
});
