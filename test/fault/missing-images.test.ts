// `imgpack exists` with several images: what a target lacks, as a list.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { missingImages, push } from "../../src/index.ts";
import { ownEnvironment, runCommand, said } from "../support/command-line.ts";
import { fileWith, seededBytes, temporaryFolder } from "../support/images.ts";
import { putIndex } from "../support/referrer-manifests.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { listing, putImage } from "../unit/verbs/query/listed-registry.ts";

ownEnvironment();

/** mirror/team/app has 1.0 and 1.1, mirror/nginx has 1.27. */
async function start(): Promise<{ registry: ScriptedRegistry; to: string; digest: string }> {
  const faults = [listing(/^GET \/v2\/mirror\/team\/app\/tags\/list/, "tags", ["1.0", "1.1"])];
  const registry = await ScriptedRegistry.start({ faults });
  const { digest } = putImage(registry.content, ["mirror/team/app:1.0", "mirror/nginx:1.27"]);
  putImage(registry.content, ["mirror/team/app:1.1"], { layers: [seededBytes("other", 99)] });
  return { registry, to: `${registry.host}/mirror`, digest };
}

async function pods(...images: readonly string[]): Promise<string> {
  const containers = images.map(image => `    - image: ${image}\n`).join("");
  return await fileWith(Buffer.from(`apiVersion: v1\nkind: Pod\nspec:\n  containers:\n${containers}`), "app.yaml");
}

describe("imgpack exists -f --to", () => {
  test("is silent, with exit code 0, if all is there, with one HEAD per image", async () => {
    const { registry, to } = await start();
    const path = await pods("quay.io/team/app:1.0", "nginx:1.27", "quay.io/team/app:1.1", "nginx:1.27");
    expect(await runCommand("exists", "-f", path, "--to", to)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    expect(registry.seen(/./).map(({ method }) => method)).toEqual(["HEAD", "HEAD", "HEAD"]);
  });

  test("prints what is missing as a list, with exit code 5, and asks no other registry", async () => {
    const { to, digest } = await start();
    const pinned = `quay.io/team/app@sha256:${"0".repeat(64)}`;
    const path = await pods("never.invalid/team/app:2.0", `quay.io/team/app@${digest}`, pinned);
    const lines = await fileWith(Buffer.from("quay.io/team/app:3.0 linux/amd64 -> r.lan/team/app\nnginx:1.27\n"));
    const run = await runCommand("exists", "redis:7", "-f", path, "-f", lines, "--to", to);
    const targets = [`redis:7`, "team/app:2.0", `team/app@sha256:${"0".repeat(64)}`, "team/app:3.0"];
    const stderr = `Not there: ${targets.map(target => `${to}/${target}`).join(", ")}\n`;
    expect(run).toMatchObject({ exitCode: 5, stderr });
    const expected = [
      "redis:7",
      "never.invalid/team/app:2.0",
      pinned,
      "quay.io/team/app:3.0 linux/amd64 -> r.lan/team/app",
    ];
    expect(run.stdout).toBe(`${expected.join("\n")}\n`);
    const again = await runCommand("exists", "-f", await fileWith(Buffer.from(run.stdout)), "--to", to, "--json");
    expect(again.exitCode).toBe(5);
    expect(JSON.parse(again.stdout)).toEqual({
      missing: [
        { image: "redis:7", target: `${to}/redis:7` },
        { image: "never.invalid/team/app:2.0", target: `${to}/team/app:2.0` },
        { image: pinned, target: `${to}/team/app@sha256:${"0".repeat(64)}` },
        { image: expected[3], target: `${to}/team/app:3.0` },
      ],
      present: 0,
    });
  });

  test("--layout and --map decide where it looks, as for push", async () => {
    const { to } = await start();
    const words = ["exists", "quay.io/team/app:1.0", "--to", to];
    expect((await runCommand(...words, "--layout", "flat")).stdout).toBe("quay.io/team/app:1.0\n");
    expect((await runCommand("exists", "quay.io/x/app:1.0", "--to", to, "--map", "quay.io/x=team")).exitCode).toBe(0);
    const alone = await runCommand("exists", "nginx:1", "--layout", "flat");
    expect(alone.exitCode).toBe(2);
    expect(said(alone)[0]).toBe("Cannot use --layout: no target named, expected --to HOST/PREFIX");
  });

  test("one tag that matches wildcards is enough", async () => {
    const { registry, to } = await start();
    const { missing } = await missingImages(["quay.io/team/app:1.*", "quay.io/team/app:2.*", "quay.io/none:*"], { to });
    expect(missing).toEqual([
      { image: "quay.io/team/app:2.*", target: `${to}/team/app:2.*` },
      { image: "quay.io/none:*", target: `${to}/none:*` },
    ]);
    expect(registry.seen(/team\/app\/tags\/list/)).toHaveLength(1);
    await expect(missingImages(["quay.io/team/*"], { to })).rejects.toMatchObject({ exitCode: 2 });
  });

  test("what a lock names is there only if the tag has its digest", async () => {
    const { to, digest } = await start();
    const images = ["1.0", "1.1"].map(tag => ({ reference: `quay.io/team/app:${tag}`, digest }));
    const { missing, present } = await missingImages(images, { to });
    expect(present).toBe(1);
    expect(missing).toMatchObject([
      { image: `quay.io/team/app:1.1@${digest} -> quay.io/team/app:1.1`, found: expect.stringMatching(/^sha256:/) },
    ]);
    const renamed = [{ reference: `never.invalid/old@${digest}`, name: "quay.io/team/app:1.1" }];
    expect((await missingImages(renamed, { to })).missing).toHaveLength(1);
  });

  test("a lock of an archive whose index lost platforms (lock --sparse prune) is there once that archive is pushed", async () => {
    const { content, host } = await ScriptedRegistry.start();
    const entry = (architecture: string): object => {
      const { digest } = putImage(content, [`app:${architecture}`], { layers: [seededBytes(architecture, 9)] });
      const size = content.manifests.get(digest)?.bytes.length;
      const platform = { os: "linux", architecture };
      return { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size, platform };
    };
    putIndex(content, "app:1", [entry("amd64"), entry("arm64")]);
    const folder = await temporaryFolder();
    const [archive, lock, kept] = [join(folder, "out.tar"), join(folder, "site.lock"), join(folder, "keep.lock")];
    const image = [`${host}/app:1`, "--platform", "linux/amd64"];
    await runCommand("lock", ...image, "--sparse", "prune", "-o", lock);
    await runCommand("lock", ...image, "-o", kept);
    await runCommand("pull", "-f", lock, "-o", archive);
    const { to } = await start();
    const missing = async (file: string) => await runCommand("exists", "-f", file, "--to", to);
    expect(await missing(lock)).toMatchObject({ exitCode: 5, stderr: `Not there: ${to}/app:1\n` });
    await push([archive], { to });
    expect(await missing(lock)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    const other = await missing(kept);
    expect([other.exitCode, said(other)[0]]).toEqual([
      5,
      expect.stringMatching(/^1 tag has another digest at the target.* --sparse prune, or pushed with --sparse keep$/),
    ]);
    await runCommand("pull", "-f", kept, "-o", archive);
    await push([archive], { to, sparse: "keep" });
    expect((await missing(kept)).exitCode).toBe(0);
  });

  test("a file that names only what may be an image is an error, and not a yes", async () => {
    const { to } = await start();
    const file = await fileWith(Buffer.from("image: quay.io/team/app:7\n"), "app.yaml");
    const run = await runCommand("exists", "-f", file, "--to", to);
    expect([run.exitCode, run.stderr]).toEqual([2, expect.stringContaining("found only what may be an image (1)")]);
    expect((await runCommand("exists", "-f", file, "--guess", "--to", to)).exitCode).toBe(5);
  });

  test("a registry that refuses, or is down, is an error and not a no", async () => {
    const registry = await ScriptedRegistry.start({
      faults: [{ on: /HEAD/, times: 9, reply: { status: 500 } }],
    });
    const run = await runCommand("exists", "a:1", "b:1", "--to", registry.host, "--retry", "0");
    expect(run).toMatchObject({ exitCode: 8, stdout: "" });
    expect((await runCommand("exists", "a:1", "--to", "127.0.0.1:9", "--retry", "0")).exitCode).toBe(7);
  });
});

test("imgpack exists of several images looks in the registry of each", async () => {
  const { to } = await start();
  const run = await runCommand("exists", `${to}/team/app:1.0`, `${to}/team/app:9`, `${to}/team/app:1.?`);
  expect(run).toMatchObject({ exitCode: 5, stdout: `${to}/team/app:9\n` });
});
