// docs/MANY-MACHINES.md with GNU parallel, which starts the shards over ssh.
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith } from "./peers/describe-with.ts";
import { run } from "./peers/run.ts";
import { createShardSite, missingImages, type ShardSite, type Target } from "./peers/shard-site.ts";
import { probeSshNodes, writeShellNodes, writeSshNodes } from "./peers/ssh-nodes.ts";

const page = readFileSync(fileURLToPath(new URL("../../docs/MANY-MACHINES.md", import.meta.url)), "utf8");
const [, section = ""] = /\n## GNU parallel\n([\s\S]*?)(?:\n## |$)/.exec(page) ?? [];
const [first = "", again = ""] = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text = ""]) => text);

const [pulling = "", pushing = "", watching = ""] = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(
  ([, text = ""]) => text,
);

const ssh = await probeSshNodes();
const hasJq = (await run("jq", ["--version"]).catch(() => undefined))?.code === 0;

describeWith(["parallel", ssh], "shards over ssh", () => suite(writeSshNodes));
if (ssh.missing !== undefined) describeWith(["parallel"], "shards over a shell", () => suite(writeShellNodes));

function suite(writeNodes: (folder: string) => Promise<void>): void {
  let site: ShardSite;
  let target: Target;
  const path = (name: string): string => join(site.imgpack.folder, name);
  beforeAll(async () => {
    site = await createShardSite();
    target = await site.createTarget();
    await writeNodes(site.imgpack.folder);
    await writeFile(path("machines"), "node1\nnode2\n");
  });
  afterAll(async () => await site?.close());

  /** The lines of the page, in this folder. A login on a machine has a search path of its own. */
  const local = (lines: string): string =>
    lines.replaceAll("/srv/site", site.imgpack.folder).replaceAll(/^( *)imgpack /gm, `$1${path("imgpack")} `);

  /** What the last run of each shard has ended with. */
  async function codes(): Promise<readonly number[]> {
    const [, ...rows] = (await readFile(path("shards.log"), "utf8")).trim().split("\n");
    const found = new Map(
      rows.map(row => row.split("\t")).map(([number, , , , , , code]) => [Number(number), Number(code)]),
    );
    return [...found].toSorted(([a], [b]) => a - b).map(([, code]) => code);
  }

  test("shards of a pull write all volumes, and shards of verify find them whole", async () => {
    expect(pulling).toContain("imgpack pull ");
    const { code, stderr } = await site.sh(pulling, target);
    expect(code, stderr).toBe(0);
  });

  test("shards of a push send what the volumes have, the last run finds all, and the logs say how far each shard is", async () => {
    const inside = await site.createTarget();
    const pushed = await site.sh(pushing, inside);
    expect(pushed.code, pushed.stderr).toBe(0);
    expect(pushed.stderr).toMatch(/^All \d+ images are there: nothing was sent/m);
    expect(await missingImages(site, inside, "mirror")).toEqual([]);
    if (hasJq) {
      const { stdout } = await site.sh(watching, inside);
      const lines = [...stdout.matchAll(/^(\d)\/2: (\d+) of (\d+) images, exit code 0$/gm)];
      expect(
        lines.map(([, shard, done]) => [shard, done]),
        stdout,
      ).toEqual(lines.map(([, , , all], at) => [`${at}`, all]));
      expect(lines.reduce((sum, [, , done]) => sum + Number(done), 0)).toBe(site.images.length);
    } else console.warn("SKIPPED the lines for jq: it is not here");
  });

  test("a shard that fails is in the log, --resume-failed runs it alone, and the last run finds all", async () => {
    const [refused] = site.images;
    target.refused.add(refused?.own ?? "");
    const broken = await site.sh(local(first), target);
    expect(broken.code, broken.stderr).toBe(1);
    const failed = (await codes()).indexOf(10);
    expect((await codes()).filter(code => code !== 0)).toEqual([10]);
    const resumed = await site.sh(local(again), target);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(await codes()).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(resumed.stdout, `shard ${failed}`).toContain(`/${refused?.repository}:1@`);
    expect(resumed.stderr).toMatch(/^All \d+ images are there: nothing was sent/m);
    expect(await missingImages(site, target, "mirror")).toEqual([]);
    // What no other shard needs came once.
    expect(site.images.map(({ own }) => target.uploads.get(own))).toEqual(site.images.map(() => 1));
  });
}
