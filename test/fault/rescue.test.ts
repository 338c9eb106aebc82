// Out of a v1 registry as it behaves, through the command and the library, into one of today.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { copy, copyTo, PartialError } from "../../src/index.ts";
import type { RescueReport } from "../../src/verbs/v1/report/rescue-report.ts";
import { ownEnvironment, runCommand } from "../support/command-line.ts";
import { temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { fillImage, idOf } from "../support/v1/fill-v1.ts";
import type { V1Options } from "../support/v1/v1-options.ts";
import { V1Registry } from "../support/v1/v1-registry.ts";

beforeAll(() => void ownEnvironment());
afterAll(() => void vi.unstubAllEnvs());

async function start(
  options: V1Options = {},
): Promise<{ old: V1Registry; target: ScriptedRegistry; report: string; reported: () => Promise<RescueReport> }> {
  const old = await V1Registry.start({ isReadOnly: true, ...options });
  const target = await ScriptedRegistry.start();
  fillImage(old.content, "library/app", "1", "cba");
  fillImage(old.content, "library/app", "latest", "cba");
  fillImage(old.content, "team/Web", "2", "cbd");
  const report = join(await temporaryFolder(), "report.json");
  const reported = async (): Promise<RescueReport> => JSON.parse(await readFile(report, "utf8")) as RescueReport;
  return { old, target, report, reported };
}

/** Redirects lead to other paths. */
const layersRead = (old: V1Registry): readonly string[] =>
  old.seen(/^GET \/v1\/images\/[^/]+\/layer$/).map(({ path }) => path);

const tagsAt = ({ content }: ScriptedRegistry): readonly string[] =>
  [...content.manifests.keys()].filter(name => !name.startsWith("sha256:")).toSorted();

describe("copy from a v1 registry", () => {
  test.each<V1Options>([
    { manner: "0.6", search: "all" },
    { manner: "0.8", hasIndex: true, redirects: "layers" },
    { manner: "0.9", hasIndex: true, tags: "array", lists: "empty", search: "paged" },
  ])("takes all of %j with GET and HEAD alone, each layer once", async options => {
    const { old, target, report, reported } = await start(options);
    const result = await copyTo([`v1://${old.host}/**`], `${target.host}/rescued`, { report, verify: true });
    expect(tagsAt(target)).toEqual(["rescued/app:1", "rescued/app:latest", "rescued/team/web:2"]);
    expect(result.images).toHaveLength(3);
    expect(new Set(old.requests.map(({ method }) => method))).toEqual(new Set(["GET"]));
    expect(layersRead(old)).toHaveLength(4);
    expect(await reported()).toMatchObject({ complete: true, verified: true, copied: 3, repositories: 2, layers: 4 });
  });

  test("a target that has lost everything gets each layer once again, although an earlier run knows its digest", async () => {
    const { old, target } = await start();
    const cacheDir = await temporaryFolder();
    const run = async (): Promise<void> => {
      await copyTo([`v1://${old.host}/**`], target.host, { cacheDir });
    };
    await run();
    target.content.blobs.clear();
    target.content.manifests.clear();
    await run();
    expect(layersRead(old).slice(4).toSorted()).toEqual(layersRead(old).slice(0, 4).toSorted());
    expect(tagsAt(target)).toHaveLength(3);
  });

  test("has a row with what to do for each image that the old registry cannot give", async () => {
    const { old, target, report, reported } = await start();
    const { content } = old;
    const broken = (digits: string, change: (id: string) => void): void => {
      fillImage(content, `broken/${digits}`, "1", digits);
      change(idOf(digits.at(-1) ?? ""));
    };
    broken("c1", id => {
      content.image(id).isInProgress = true;
    });
    broken("c2", id => {
      content.image(id).layer = undefined;
    });
    broken("c3", id => {
      content.image(id).checksums = [`sha256:${"0".repeat(64)}`];
    });
    broken("c4", id => {
      content.image(id).ancestry = [id, idOf("9")];
    });
    broken("c5", id => {
      content.image(id).ancestry = [id];
    });
    content.repository("broken/empty");
    const failedList = join(await temporaryFolder(), "failed.txt");
    const copied = ["copy", `v1://${old.host}/**`, "--to", target.host, "--report", report, "--quiet"];
    const { exitCode, stdout } = await runCommand(...copied, "--failed-list", failedList);
    expect(exitCode).toBe(10);
    expect(stdout.split("\n").filter(Boolean)).toHaveLength(3);
    expect(await reported()).toMatchObject({ tags: 8, copied: 3, failed: 5, repositoriesWithoutTags: 1 });
    const rows = (await reported()).images.flatMap(image =>
      "error" in image ? [[image.source, image.error] as const] : [],
    );
    const errors = new Map(rows.map(([source, error]) => [source.split("/").at(-1), error]));
    expect(errors.get("c1:1")).toMatchObject({ hint: expect.stringContaining("_inprogress") });
    expect(errors.get("c2:1")).toMatchObject({ code: "ERR_NOT_FOUND" });
    expect(errors.get("c3:1")).toMatchObject({
      code: "ERR_INTEGRITY",
      hint: expect.stringContaining("--no-v1-checksums"),
    });
    expect(errors.get("c4:1")).toMatchObject({ code: "ERR_NOT_FOUND", message: expect.stringContaining(idOf("9")) });
    expect(errors.get("c5:1")).toMatchObject({ message: expect.stringContaining(idOf("c")) });
    for (const { message, hint } of errors.values()) expect(`${message} ${hint}`).toMatch(/expected.* [A-Z].*\.$/);
    // The list of what failed is a list to copy from: once it can be read, it is.
    for (const digits of ["c1", "c3"]) content.image(idOf(digits.at(-1) ?? "")).isInProgress = false;
    const again = await runCommand("copy", "-f", failedList, "--to", target.host, "--quiet", "--no-v1-checksums");
    expect(again.exitCode).toBe(10);
    expect(again.stdout).toMatch(/broken\/c1:1@sha256:[\s\S]*broken\/c3:1@sha256:/);
    // A checksum that was ignored once is not ignored for ever.
    target.content.manifests.clear();
    expect((await runCommand("copy", "-f", failedList, "--to", target.host, "--quiet")).stdout).not.toContain("c3:1");
  });

  test("--dry-run shows what there is, and asks for no layer", async () => {
    const { old, target, report } = await start();
    old.content.repository("team/empty");
    const words = ["copy", `v1://${old.host}/**`, "--to", target.host, "--dry-run", "--report", report];
    const { exitCode, stdout, stderr } = await runCommand(...words);
    expect(exitCode).toBe(0);
    expect(stdout.split("\n").filter(Boolean)).toEqual(
      ["library/app:1 -> app:1", "library/app:latest -> app:latest", "team/Web:2 -> team/web:2"].map(line =>
        `v1://${old.host}/${line}`.replace("-> ", `-> ${target.host}/`),
      ),
    );
    expect(stderr).toContain("3 tags in 3 repositories (1 without tags): 4 distinct layers, ");
    expect(layersRead(old)).toEqual([]);
    expect(target.requests).toEqual([]);
  });

  test("two repositories with one name in lower case are refused, and the others are copied; two images with one target stop the run before anything is sent", async () => {
    const { old, target } = await start();
    fillImage(old.content, "team/web", "9", "cbe");
    await expect(copyTo([`v1://${old.host}/**`], target.host)).rejects.toMatchObject({
      exitCode: 10,
      message: expect.stringMatching(/team\/[wW]eb.*team\/[wW]eb/s),
    });
    expect(tagsAt(target)).toEqual(["app:1", "app:latest"]);
    old.content.repositories.delete("team/web");
    const [before, read] = [target.requests.length, layersRead(old).length];
    fillImage(old.content, "other/app", "1", "cbf");
    const map = { map: [`${old.host}/other/app=app`] };
    const colliding = copyTo([`v1://${old.host}/**`], target.host, map);
    await expect(colliding).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining("are both") });
    expect(target.requests).toHaveLength(before);
    expect(layersRead(old)).toHaveLength(read);
  });

  test("one image gets the name that is given, as a digest that is shown", async () => {
    const { old, target } = await start();
    const { images } = await copy(`v1://${old.host}/app`, `${target.host}/mine/app`);
    expect(images).toMatchObject([
      { reference: `${target.host}/mine/app:latest`, digest: expect.stringMatching(/^sha256:/) },
    ]);
    expect(tagsAt(target)).toEqual(["mine/app:latest"]);
    await expect(copy(`v1://${old.host}/nothing`, `${target.host}/mine`)).rejects.toMatchObject({ exitCode: 5 });
    for (const [source, options] of [
      [`v1://${old.host}/team/*`, {}],
      [`v1://${old.host}/app`, { platform: "linux/arm64" }],
      [`v1://${old.host}/app`, { requireReferrers: ["sig"] }],
      [`v1://${old.host}/app`, { report: "report.txt" }],
      ["quay.io/team/app:1", { report: "report.html" }],
    ] as const) {
      await expect(copy(source, `${target.host}/x`, options)).rejects.toMatchObject({ exitCode: 2 });
    }
  });

  test.each([
    ["copy", (target: string, _folder: string) => [`${target}/x`]],
    ["pull", (_target: string, folder: string) => ["-o", join(folder, "out.tar")]],
  ] as const)("%s --verbose says which layers have no checksum that can be checked", async (verb, more) => {
    const { old, target } = await start();
    old.content.image(idOf("c")).checksums = ["tarsum+sha256:1", "md5:2"];
    for (const flags of [["--verbose"], []]) {
      vi.stubEnv("IMGPACK_CACHE_DIR", await temporaryFolder());
      const words = [verb, `v1://${old.host}/app:1`, ...more(target.host, await temporaryFolder()), ...flags];
      const { exitCode, stderr } = await runCommand(...words);
      expect(exitCode, stderr).toBe(0);
      expect(stderr.includes(`layer ${idOf("c")} of v1://${old.host} has no checksum that can be checked`)).toBe(
        flags.length > 0,
      );
    }
  });

  test("copy into a v1 registry prints a name that v1 takes: without the digest of the source", async () => {
    const { old, target } = await start();
    await copy(`v1://${old.host}/app:1`, `${target.host}/app:1`);
    const into = await V1Registry.start();
    const name = `v1://${into.host}/team/app:1`;
    expect(await runCommand("copy", `${target.host}/app:1`, name, "--quiet")).toMatchObject({ stdout: `${name}\n` });
  });

  test("a list names v1 images, with names of their own; both kinds in one call are refused", async () => {
    const { old, target } = await start();
    const list = join(await temporaryFolder(), "list.txt");
    await writeFile(list, `v1://${old.host}/app:1 -> r.lan/other/name\nv1://${old.host}/team/Web:*\n`);
    const { exitCode } = await runCommand("copy", "-f", list, "--to", target.host, "--quiet");
    expect(exitCode).toBe(0);
    expect(tagsAt(target)).toEqual(["other/name:1", "team/web:2"]);
    await writeFile(list, `v1://${old.host}/app:1\nquay.io/team/app:1\n`);
    expect(await runCommand("copy", "-f", list, "--to", target.host)).toMatchObject({ exitCode: 2 });
  });

  test("a registry that takes OCI manifests alone gets those, and a second run finds them", async () => {
    const { old, target } = await start();
    const refusal = { status: 415, body: Buffer.from('{"errors":[{"code":"MANIFEST_INVALID"}]}') };
    target.addFault({
      on: /^PUT .*\/manifests\//,
      times: 99,
      when: ({ headers }) => headers["content-type"]?.includes("docker") === true,
      reply: refusal,
    });
    const cacheDir = await temporaryFolder();
    await copyTo([`v1://${old.host}/**`], target.host, { cacheDir });
    expect(tagsAt(target)).toHaveLength(3);
    const before = target.requests.length;
    await copyTo([`v1://${old.host}/**`], target.host, { cacheDir });
    expect(target.requests.slice(before).map(({ method }) => method)).toEqual(["HEAD", "HEAD", "HEAD"]);
  });

  test("a registry without a search says so, in the report as well; named repositories need none", async () => {
    const { old, target, report, reported } = await start({ search: "absent" });
    const error = await copyTo([`v1://${old.host}/**`], target.host, { report }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ exitCode: 5 });
    expect(await reported()).toMatchObject({ failed: 1, images: [{ source: `v1://${old.host}/**` }] });
    const both = [`v1://${old.host}/**`, `v1://${old.host}/app:*`];
    await expect(copyTo(both, target.host, { report })).rejects.toBeInstanceOf(PartialError);
    expect(await reported()).toMatchObject({ copied: 2, failed: 1 });
  });
});
