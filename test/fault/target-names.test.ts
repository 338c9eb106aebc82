// Where images go below a target: --layout and --map of push and copy, and names that two images would get.
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { copyTo, pull, push } from "../../src/index.ts";
import { runCommand } from "../support/command-line.ts";
import { dockerArchive, fileWith, seededBytes, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { putImage } from "../unit/verbs/query/listed-registry.ts";

const REDIS = "docker.io/library/redis:7";
const OTHER = "quay.io/library/redis:7";

let registry: ScriptedRegistry;
let to: string;

beforeEach(async () => {
  registry = await ScriptedRegistry.start();
  to = `${registry.host}/m`;
});

async function archiveOf(seed: string, ...tags: readonly string[]): Promise<string> {
  return await fileWith(dockerArchive({ tags, layers: [seededBytes(seed, 1024)] }));
}

function refusedBoth(...names: readonly string[]): object {
  return {
    code: "ERR_USAGE",
    exitCode: 2,
    message: expect.stringContaining(`${names.join(" and ")} are both `),
    hint: expect.stringMatching(/--layout full.*--map/),
  };
}

describe("push --to", () => {
  test("names every image by --layout, and by the longest --map that fits", async () => {
    const archive = await archiveOf("one", "redis:7", "quay.io/team/app:2");
    for (const [flags, expected] of [
      [[], ["redis:7", "team/app:2"]],
      [
        ["--layout", "full"],
        ["docker.io/library/redis:7", "quay.io/team/app:2"],
      ],
      [
        ["--layout", "flat"],
        ["redis:7", "team-app:2"],
      ],
      [
        ["--map", "quay.io=q", "--map", "quay.io/team=t", "--layout", "full"],
        ["docker.io/library/redis:7", "t/app:2"],
      ],
    ] as const) {
      const { stdout } = await runCommand("push", archive, "--to", to, ...flags);
      const names = stdout
        .trimEnd()
        .split("\n")
        .map(line => line.replace(/@.*/, ""));
      expect(names.toSorted()).toEqual(expected.map(name => `${to}/${name}`));
    }
    const { images } = await push([archive], { registry: registry.host, layout: "full", image: "redis:7" });
    expect(images.map(({ reference }) => reference)).toEqual([`${registry.host}/docker.io/library/redis:7`]);
  });

  test("two images of two archives that would get one name are refused before anything is sent, both named", async () => {
    const archives = [await archiveOf("one", REDIS), await archiveOf("two", OTHER)];
    for (const dryRun of [true, false]) {
      await expect(push(archives, { to, dryRun })).rejects.toMatchObject(refusedBoth(REDIS, OTHER));
    }
    expect(registry.requests).toEqual([]);
    const { images } = await push(archives, { to, layout: "full" });
    expect(images.map(({ reference }) => reference)).toEqual([`${to}/${REDIS}`, `${to}/${OTHER}`]);
    const mapped = await push(archives, { to, map: ["quay.io=quay"] });
    expect(mapped.images.map(({ reference }) => reference)).toEqual([`${to}/redis:7`, `${to}/quay/library/redis:7`]);
  });

  test("the same image may have both names, also as a docker archive and with its manifest", async () => {
    const image = putImage(registry.content, ["app:1"], { layers: [seededBytes("one", 1024)] });
    const pulled = join(await temporaryFolder(), "out.tar");
    await pull([`${registry.host}/app:1`], { output: pulled, platform: "linux/amd64" });
    const saved = await fileWith(
      dockerArchive({
        tags: ["quay.io/app:1"],
        layers: [seededBytes("one", 1024)],
        config: image.configBytes.toString(),
      }),
    );
    const { images } = await push([pulled, saved], { to, compression: "keep" });
    expect(images.map(({ reference }) => reference)).toEqual([`${to}/app:1`, `${to}/app:1`]);
    const other = await archiveOf("two", "quay.io/app:1");
    await expect(push([pulled, other], { to })).rejects.toMatchObject(
      refusedBoth(`${registry.host}/app:1`, "quay.io/app:1"),
    );
  });

  test("an archive that cannot be read does not stop the others, and is no excuse for a collision", async () => {
    const bad = await fileWith(Buffer.from("no archive"), "bad.tar");
    const [one, two] = [await archiveOf("one", REDIS), await archiveOf("two", OTHER)];
    await expect(push([bad, one, two], { to })).rejects.toMatchObject(refusedBoth(REDIS, OTHER));
    await expect(push([one, bad], { to })).rejects.toMatchObject({ exitCode: 10, failed: [bad] });
    expect(registry.content.manifests.has("m/redis:7")).toBe(true);
  });

  test.for<readonly [readonly string[], string]>([
    [["--layout", "full"], "Cannot use --layout: it says where names go below a target, expected --to or --registry"],
    [["--map", "a=b"], "Cannot use --map: it says where names go below a target, expected --to or --registry"],
    [["--to", "r.lan", "--map", "ab"], 'Cannot read --map "ab": found no "=", expected OLD=NEW'],
    [
      ["--to", "r.lan", "--map", "a=b", "--map", "docker.io/a=c"],
      "Cannot map docker.io/a to c: it is mapped to b as well",
    ],
    [["--to", "r.lan", "--layout", "full", "--tag", "x:1"], "Cannot use --layout with --tag"],
  ])("%j is refused", async ([flags, message]) => {
    const { exitCode, stderr } = await runCommand("push", "never.tar", ...flags);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(message) });
  });
});

describe("copy --to", () => {
  let from: ScriptedRegistry;
  let other: ScriptedRegistry;

  beforeEach(async () => {
    [from, other] = [await ScriptedRegistry.start(), await ScriptedRegistry.start()];
    putImage(from.content, ["app:1"], { layers: [seededBytes("one", 1024)] });
  });

  test("takes --layout and --map like push, and needs --to for them", async () => {
    putImage(from.content, ["team/app:1"]);
    const source = `${from.host}/team/app:1`;
    const first = `${from.host.replace(":", "_")}/team/app:1`;
    for (const [flags, expected] of [
      [["--layout", "full"], first],
      [["--layout", "flat"], "team-app:1"],
      [["--map", `${from.host}/team=t`], "t/app:1"],
    ] as const) {
      const { stdout } = await runCommand("copy", source, "--to", to, ...flags);
      expect(stdout).toMatch(new RegExp(`^${to}/${expected}@sha256:`));
      const refused = await runCommand("copy", source, `${to}/x:1`, ...flags);
      expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("expected --to HOST/PREFIX") });
    }
  });

  test("two images that would get one name are refused before anything is sent; the same one is copied", async () => {
    putImage(other.content, ["app:1"], { layers: [seededBytes("two", 1024)] });
    const sources = [`${from.host}/app:1`, `${other.host}/app:1`];
    await expect(copyTo(sources, to)).rejects.toMatchObject(refusedBoth(...sources));
    expect(registry.requests).toEqual([]);
    expect(from.requests.map(({ method }) => method)).toEqual(["HEAD"]);
    putImage(other.content, ["app:1"], { layers: [seededBytes("one", 1024)] });
    expect((await copyTo(sources, to)).images).toHaveLength(2);
  });

  test("a source that is not there collides with nothing", async () => {
    const sources = [`${from.host}/app:1`, `${other.host}/app:1`];
    await expect(copyTo(sources, to)).rejects.toMatchObject({ exitCode: 10, failed: [`${other.host}/app:1`] });
    expect(registry.content.manifests.has("m/app:1")).toBe(true);
  });

  test("two digests of one tag are put by their digests, without the tag", async () => {
    const pinned = ["one", "two"].map(seed => putImage(from.content, [], { layers: [seededBytes(seed, 1024)] }).digest);
    const { images } = await copyTo(
      pinned.map(digest => `${from.host}/app:1@${digest}`),
      to,
    );
    expect(images.map(({ reference, digest }) => `${reference}@${digest}`)).toEqual(
      pinned.map(digest => `${to}/app@${digest}`),
    );
    expect(registry.content.manifests.has("m/app:1")).toBe(false);
  });
});

test("copyTo() names the sources that were given one name", async () => {
  putImage(registry.content, ["a:1"], { layers: [seededBytes("a", 100)] });
  putImage(registry.content, ["b:1"], { layers: [seededBytes("b", 100)] });
  const sources = ["a", "b"].map(name => ({ reference: `${registry.host}/${name}:1`, name: "same/x" }));
  const found = copyTo(sources, to);
  await expect(found).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/\/a:1 -> .*same\/x.* and .*\/b:1 -> .*same\/x.* are both /),
    hint: expect.stringContaining("Give each of them another name"),
  });
});
