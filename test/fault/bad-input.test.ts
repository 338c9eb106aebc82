// What a person sees when something is wrong: the message, the hint, the exit code, and what is left behind.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningRegistry, serve } from "../../src/index.ts";
import { ownEnvironment, runCommand, said } from "../support/command-line.ts";
import { configOf, dockerArchive, fileWith } from "../support/images.ts";
import { tarEntry } from "../support/tar-builder.ts";
import { BAD_ARCHIVES } from "./bad-archives.ts";

let registry: RunningRegistry;
let host: string;

beforeAll(async () => {
  registry = await serve({ store: join(ownEnvironment(), "store") });
  host = registry.url.replace("http://", "");
});

afterAll(async () => {
  await registry.close();
});

async function tagsOf(repository: string): Promise<unknown> {
  const answer = await fetch(`${registry.url}/v2/${repository}/tags/list`);
  return answer.status === 404 ? [] : ((await answer.json()) as { tags: unknown }).tags;
}

async function goodArchive(tags: readonly string[] = ["app:1"]): Promise<string> {
  return await fileWith(dockerArchive({ tags }));
}

describe("imgpack push refuses an archive", () => {
  test.each(BAD_ARCHIVES)("imgpack push refuses $what", async ({ bytes, exitCode, message, hint }) => {
    const path = await fileWith(bytes);
    const outcome = await runCommand("push", path, "--registry", host);
    expect(outcome.exitCode).toBe(exitCode);
    expect(said(outcome, path).slice(0, hint === undefined ? 1 : 2)).toEqual(
      hint === undefined ? [message] : [message, hint],
    );
    expect(outcome.stdout).toBe("");
    expect(outcome.stderr.replaceAll("\n", "")).not.toMatch(/\p{Cc}|\p{Cf}/u);
    expect(await tagsOf("app")).toEqual([]);
  });

  test("imgpack push names what stands beside a file that is not there", async () => {
    const path = await fileWith(Buffer.from("x"), "hello.tar.gz");
    const outcome = await runCommand("push", path.replace(".tar.gz", ".tgz"));
    expect(outcome.exitCode).toBe(9);
    expect(said(outcome)[1]).toBe(`Did you mean "${path}"?`);
  });

  test("imgpack push --json puts one object on stdout, with code and message", async () => {
    const path = await fileWith(Buffer.alloc(0));
    const outcome = await runCommand("push", path, "--json", "--registry", host);
    expect(outcome.exitCode).toBe(3);
    expect(outcome.stdout.trimEnd().split("\n")).toHaveLength(1);
    expect(JSON.parse(outcome.stdout)).toEqual({
      error: {
        code: "ERR_ARCHIVE",
        message: `Cannot read archive "${path}": it is an empty file, expected an image archive`,
        hint: expect.stringMatching(/^The copy may be incomplete/),
      },
    });
  });

  test("imgpack push goes on with the next archive, and says which failed", async () => {
    const bad = await fileWith(Buffer.alloc(0), "bad.tar");
    const outcome = await runCommand("push", bad, await goodArchive(["next:1"]), "--registry", host);
    expect(outcome.exitCode).toBe(10);
    expect(said(outcome)[0]).toMatch(
      /^Cannot push 1 of 2 archives: Cannot read archive ".*bad\.tar": it is an empty file/,
    );
    expect(await tagsOf("next")).toEqual(["1"]);
  });
});

describe("imgpack push needs names", () => {
  test.each<[string, readonly string[], readonly string[], number, string, RegExp]>([
    [
      "no registry",
      ["app:1"],
      [],
      2,
      "Cannot push app:1: no registry named, expected --registry or IMGPACK_REGISTRY",
      /--registry registry\.lan:5000/,
    ],
    [
      "a tag for two images",
      ["app:1", "app:2"],
      ["--image", "app:3", "--registry", "HOST"],
      5,
      'Cannot push "app:3" from archive "PATH": no such image, expected docker.io/library/app:1 or docker.io/library/app:2',
      /imgpack inspect/,
    ],
    [
      "a registry that is a URL",
      ["app:1"],
      ["--registry", "http://HOST"],
      2,
      'Cannot connect to registry "http://HOST": found a URL, expected a host with or without a port',
      /--plain-http/,
    ],
    [
      "a registry with a path",
      ["app:1"],
      ["--registry", "HOST/team"],
      2,
      'Cannot connect to registry "HOST/team": found a path after the host, expected a host with or without a port',
      /--to HOST\/PATH/,
    ],
    [
      "a registry with blanks",
      ["app:1"],
      ["--registry", "a b"],
      2,
      'Cannot connect to registry "a b": found a bad registry host, expected labels of letters, digits and inner hyphens, joined by dots',
      /xn--/,
    ],
    [
      "an upper-case tag",
      ["app:1"],
      ["--tag", "HOST/App:1"],
      2,
      'Cannot read reference "HOST/App:1": found a bad repository, expected lower-case letters and digits, separated by ".", "_", "__", hyphens or "/", at most 255',
      /lower case/,
    ],
    [
      "a digest as tag",
      ["app:1"],
      ["--tag", `HOST/app@sha256:${"0".repeat(64)}`],
      2,
      `Cannot push to "HOST/app@sha256:${"0".repeat(64)}": it names a digest, expected a tag`,
      /Leave out the digest/,
    ],
    [
      "an unknown compression",
      ["app:1"],
      ["--registry", "HOST", "--compression", "lz4"],
      2,
      'Cannot use option compression: found "lz4", expected auto, keep, gzip, gzip:1, gzip:2, gzip:4 to gzip:12, zstd, or zstd:1 to zstd:19',
      /^/,
    ],
  ])("imgpack push refuses %s", async (_what, tags, words, exitCode, message, hint) => {
    const path = await goodArchive(tags);
    const outcome = await runCommand("push", path, ...words.map(word => word.replace("HOST", host)));
    expect(outcome.exitCode).toBe(exitCode);
    const [found, advice = ""] = said(outcome, path);
    expect(found).toBe(message.replace("HOST", host));
    expect(advice).toMatch(hint);
    expect(outcome.stdout).toBe("");
  });

  test("imgpack push wants one image for --tag", async () => {
    const layers = ["one", "two"].map(text => Buffer.from(text));
    const path = await fileWith(twoImages(layers));
    const outcome = await runCommand("push", path, "--tag", `${host}/app:1`);
    expect(outcome.exitCode).toBe(2);
    expect(said(outcome, path)).toEqual([
      `Cannot push archive "PATH" as ${host}/app:1: it holds 2 images (docker.io/library/a:1, docker.io/library/b:1), expected one`,
      "Choose one with --image NAME, or push all of them below one prefix with --to HOST/PREFIX.",
    ]);
  });
});

function twoImages(layers: readonly Buffer[]): Uint8Array {
  const manifest = JSON.stringify([
    { Config: "config.json", RepoTags: ["a:1"], Layers: ["0/layer.tar"] },
    { Config: "other.json", RepoTags: ["b:1"], Layers: ["1/layer.tar"] },
  ]);
  const [one = Buffer.alloc(0), two = Buffer.alloc(0)] = layers;
  const other = tarEntry({ name: "other.json", body: configOf([two]) });
  return dockerArchive({ layers, manifest, config: configOf([one]), extra: [other] });
}
