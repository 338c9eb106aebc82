// deploy/gitlab/imgpack.gitlab-ci.yml, line by line as GitLab's runner starts it, against the embedded registry with a login.
import { copyFile, mkdir, mkdtemp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningRegistry, serve } from "../../src/index.ts";
import { gitLabScript } from "../support/ci/gitlab-script.ts";
import { HOSTILE_TEXTS, type Release, startRelease, writeEcho } from "../support/ci/release-server.ts";
import { registryAccount } from "./peers/docker-registry.ts";
import { fixture } from "./peers/goldens.ts";
import { findTool, type RunResult, run } from "./peers/run.ts";
import { createTempFolder, type TempFolder } from "./peers/temp-folder.ts";

const { username, password, htpasswd } = registryAccount;
const SHELLS = [["bash"], ["sh"], ["busybox", "sh"]].filter(([name = ""]) => findTool(name) !== undefined);

describe.each(SHELLS.map(words => words.join(" ")))("the template for GitLab, in %s", shell => {
  let folder: TempFolder;
  let registry: RunningRegistry;
  let release: Release;
  let host: string;
  let url: string;

  beforeAll(async () => {
    folder = await createTempFolder();
    registry = await serve({ store: join(folder.path, "store"), listen: ["127.0.0.1:0"], htpasswd });
    host = new URL(registry.url).host;
    release = await startRelease(folder.path, "someone/imgpack", "1.0.0");
    url = `${release.server}/someone/imgpack/releases/download/v1.0.0/imgpack-linux-${process.arch}`;
    await copyFile(fixture("docker20-hello.tar"), join(folder.path, "app.tar"));
  });
  afterAll(async () => {
    await registry?.close();
    await release?.close();
    await folder?.remove();
  });

  interface Job extends RunResult {
    readonly project: string;
    readonly digest: string;
    readonly json: unknown;
  }

  async function job(variables: Readonly<Record<string, string>>): Promise<Job> {
    const project = await mkdtemp(join(folder.path, "project-"));
    await copyFile(join(folder.path, "app.tar"), join(project, "app.tar"));
    const TMPDIR = join(folder.path, "temp");
    await mkdir(TMPDIR, { recursive: true });
    const env = {
      TMPDIR,
      IMGPACK_CACHE_DIR: join(folder.path, "cache"),
      DOCKER_CONFIG: join(folder.path, "docker"),
      PUSH_ARCHIVE: "app.tar",
      ...variables,
    };
    const [file = "", ...words] = shell.split(" ");
    const result = await run(file, [...words, "-c", gitLabScript(shell)], { cwd: project, env });
    const read = async (name: string): Promise<string> => await readFile(join(project, name), "utf8").catch(() => "");
    const [, digest = ""] = /^IMGPACK_DIGEST=(.*)\n$/.exec(await read("imgpack.env")) ?? [];
    const text = await read("imgpack.json");
    return { ...result, project, digest, json: text.startsWith("{") ? JSON.parse(text) : text };
  }
  const file = (): Readonly<Record<string, string>> => ({ IMGPACK_URL: url, IMGPACK_SHA256: release.sha256 });

  test("installs the executable, and pushes to the registry of the project as the job", async () => {
    const account = { CI_REGISTRY_USER: username, CI_REGISTRY_PASSWORD: password };
    const result = await job({ ...file(), ...account, CI_REGISTRY: host, CI_REGISTRY_IMAGE: `${host}/group/project` });
    expect(result).toMatchObject({ code: 0, digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
    expect(result.json).toMatchObject({
      images: [{ reference: `${host}/group/project/hello:latest`, digest: result.digest }],
    });
  });

  test("the password of the job goes to no other registry", async () => {
    const account = { CI_REGISTRY_USER: username, CI_REGISTRY_PASSWORD: password };
    const result = await job({ ...file(), ...account, CI_REGISTRY: "registry.example", PUSH_TO: `${host}/elsewhere` });
    expect(result).toMatchObject({ code: 4, json: { error: { code: "ERR_AUTH" } }, digest: "" });
  });

  test("another account and names; the password is in no word, no log and no environment of the command", async () => {
    const account = { PUSH_USERNAME: username, PUSH_PASSWORD: password };
    const names = { PUSH_TO: `${host}/team`, PUSH_TAG: "app:1.4\napp:latest\n", PUSH_ARGS: "--verbose\n--retry=0" };
    const result = await job({ IMGPACK_URL: release.executable, ...account, ...names });
    expect(result).toMatchObject({ code: 0 });
    const { images } = result.json as { images: { reference: string }[] };
    expect(images.map(({ reference }) => reference).sort()).toEqual(
      ["1.4", "latest"].map(tag => `${host}/team/app:${tag}`),
    );
    // What the jobs before were given by GitLab is not in question here.
    const noted = (await readFile(release.words, "utf8")).split(`--username=${username}`).at(-1);
    expect(noted).not.toContain(password);
    expect(result.stdout + result.stderr).not.toContain(password);
  });

  test.each([
    ["no executable", {}, "IMGPACK_URL is empty"],
    ["a URL without a sum", { IMGPACK_URL: "https://127.0.0.1:1/x" }, "IMGPACK_SHA256 is empty"],
    ["another sum", { IMGPACK_SHA256: "0".repeat(64) }, "the SHA-256 of the executable is "],
    ["a path of no file", { IMGPACK_URL: "missing" }, "IMGPACK_URL cannot be copied"],
  ])("refuses %s", async (name, variables, message) => {
    const path = name === "another sum" ? { IMGPACK_URL: release.executable } : {};
    const result = await job({ ...path, ...variables });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`Cannot install imgpack: ${message}`);
  });

  test.each([...HOSTILE_TEXTS, "x\n--insecure", "END\n--help"])(
    "nothing in a variable runs, or becomes a flag: %j",
    async text => {
      const IMGPACK_URL = await writeEcho(folder.path);
      const before = await readdir(folder.path);
      const given = { PUSH_TO: text, PUSH_TAG: text, PUSH_USERNAME: text, PUSH_PASSWORD: text, PUSH_ARCHIVE: text };
      const { json, project, code } = await job({ IMGPACK_URL, ...given, CI_REGISTRY_USER: text });
      const lines = text.split("\n");
      const each = (flag: string): readonly string[] => lines.map(line => `${flag}${line}`);
      const words = ["push", "--json", ...each("--to="), ...each("--tag="), ...each("--username=")];
      expect(json).toBe(`${[...words, "--password-stdin", "--", ...lines, `stdin ${text}`].join("\n")}\n`);
      expect(code).toBe(0);
      expect(await job({ IMGPACK_URL: text })).toMatchObject({ code: 1 });
      expect(await job({ IMGPACK_URL, IMGPACK_SHA256: text })).toMatchObject({ code: 1 });
      expect((await readdir(project)).sort()).toEqual(["app.tar", "imgpack.env", "imgpack.json"]);
      expect(
        (await readdir(folder.path)).filter(entry => !before.includes(entry) && !entry.startsWith("project-")),
      ).toEqual([]);
    },
  );
});
