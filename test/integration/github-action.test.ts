// action.yml, step by step as GitHub's runner starts it, against the embedded registry with a login.
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningRegistry, serve } from "../../src/index.ts";
import { HOSTILE_TEXTS, type Release, startRelease, writeEcho } from "../support/ci/release-server.ts";
import { ACTION_FILE, type ActionRun, runAction } from "../support/ci/run-action.ts";
import { registryAccount } from "./peers/docker-registry.ts";
import { fixture } from "./peers/goldens.ts";
import { run } from "./peers/run.ts";
import { createTempFolder, type TempFolder } from "./peers/temp-folder.ts";

const { username, password, htpasswd } = registryAccount;
const REPOSITORY = "someone/imgpack";
const ACTION_PATH = fileURLToPath(new URL(".", ACTION_FILE));

describe("the action", () => {
  let folder: TempFolder;
  let registry: RunningRegistry;
  let release: Release;
  let host: string;

  beforeAll(async () => {
    const { version } = JSON.parse(await readFile(new URL("package.json", ACTION_FILE), "utf8")) as { version: string };
    folder = await createTempFolder();
    registry = await serve({ store: join(folder.path, "store"), listen: ["127.0.0.1:0"], htpasswd });
    host = new URL(registry.url).host;
    release = await startRelease(folder.path, REPOSITORY, version);
    await copyFile(fixture("docker20-hello.tar"), join(folder.path, "app.tar"));
  });
  afterAll(async () => {
    await registry?.close();
    await release?.close();
    await folder?.remove();
  });

  async function act(inputs: Readonly<Record<string, string>>): Promise<ActionRun> {
    const github = { server_url: release.server, action_repository: REPOSITORY, action_path: ACTION_PATH };
    const env = { IMGPACK_CACHE_DIR: join(folder.path, "cache"), DOCKER_CONFIG: join(folder.path, "docker") };
    return await runAction(folder.path, inputs, github, env);
  }
  const login = { username, password };

  test("installs the executable of its release, and pushes", async () => {
    const result = await act({ ...login, archive: "app.tar", registry: host, tag: "team/app:1.4\nteam/app:latest" });
    expect(result).toMatchObject({ code: 0 });
    expect(result.outputs["digest"]).toMatch(/^sha256:[0-9a-f]{64}$/);
    const digests = ["1.4", "latest"].map(tag => `${host}/team/app:${tag}@${result.outputs["digest"]}`);
    expect(result.outputs["digests"]?.split("\n").sort()).toEqual(digests);
    expect(JSON.parse(result.outputs["json"] ?? "")).toMatchObject({ images: [{}, {}] });
    expect(result.path).toHaveLength(1);
    expect(result.outputs["path"]).toBe(join(result.path[0] ?? "", "imgpack"));
    const installed = await run("imgpack", ["--version"], {
      env: { PATH: `${result.path[0]}:${process.env["PATH"]}` },
    });
    expect(installed.code).toBe(0);
  });

  test("the password is in no word, no log, and no environment of the command", async () => {
    const result = await act({ ...login, archive: "app.tar", to: `${host}/secret`, args: "--verbose" });
    expect(result).toMatchObject({ code: 0 });
    const noted = await readFile(release.words, "utf8");
    expect(noted).toContain(`--username=${username}\n`);
    expect(noted).not.toContain(password);
    expect(result.log).not.toContain(password);
  });

  test("a push that fails ends the step with the exit code of imgpack, and has its result", async () => {
    const result = await act({ username, password: "wrong", archive: "app.tar", registry: host });
    expect(result.code).toBe(4);
    expect(JSON.parse(result.outputs["json"] ?? "")).toMatchObject({ error: { code: "ERR_AUTH" } });
    expect(result.outputs["digest"]).toBe("");
  });

  test("a password without a user name is refused, not dropped", async () => {
    const result = await act({ password, archive: "app.tar", registry: host });
    expect(result.code).toBe(2);
    expect(JSON.parse(result.outputs["json"] ?? "")).toMatchObject({ error: { code: "ERR_USAGE" } });
  });

  test("without an archive, it only installs", async () => {
    const result = await act({});
    expect(result).toMatchObject({ code: 0, outputs: { json: "", digest: "" } });
    expect(result.path).toHaveLength(1);
  });

  test("takes the executable from a path, or from a URL with its sum", async () => {
    const url = `${release.server}/${REPOSITORY}/releases/download/v0.1.0/imgpack-linux-${process.arch}`;
    expect(await act({ executable: release.executable })).toMatchObject({ code: 0 });
    expect(await act({ executable: url, sha256: release.sha256 })).toMatchObject({ code: 0 });
    expect(await act({ executable: url, sha256: `${release.sha256.toUpperCase()} ` })).toMatchObject({ code: 0 });
  });

  test.each([
    ["another sum", { sha256: "0".repeat(64) }, `expected ${"0".repeat(64)}`],
    ["a URL without a sum", { executable: "http://127.0.0.1:1/imgpack" }, "sha256 is empty"],
    ["a version that is none", { version: "../../x" }, "version is ../../x, expected one such as 1.0.0"],
    ["a version without a release", { version: "9.9.9" }, "there is no "],
    ["a version of two lines", { version: "1.0.0\n::warning::x" }, "version is $'1.0.0\\n::warning::x'"],
    ["a path of no file", { executable: "missing" }, "missing cannot be copied"],
  ])("refuses %s", async (_, inputs, message) => {
    const result = await act(inputs);
    expect(result.code).toBe(1);
    expect(result.log).toContain(`::error::Cannot install imgpack: `);
    expect(result.log).toContain(message);
    expect(result.log.split("\n").filter(line => line.startsWith("::warning"))).toEqual([]);
  });

  test.each([...HOSTILE_TEXTS, "x\n--insecure", "\n--help"])(
    "nothing in an input runs, or becomes a flag: %j",
    async text => {
      const executable = await writeEcho(folder.path);
      const before = await readdir(folder.path);
      const inputs = { executable, archive: text, registry: text, to: text, tag: text, username: text, password: text };
      const { log } = await act(inputs);
      const lines = text.split("\n").filter(Boolean);
      const each = (flag: string): readonly string[] => lines.map(line => `${flag}${line}`);
      const words = [
        "push",
        "--json",
        ...each("--registry="),
        ...each("--to="),
        ...each("--tag="),
        `--username=${text}`,
      ];
      expect(log).toContain([...words, "--password-stdin", "--", ...lines, `stdin ${text}`].join("\n"));
      expect(await act({ executable: text })).toMatchObject({ code: 1 });
      expect(await act({ executable, sha256: text })).toMatchObject({ code: 1 });
      expect(await act({ version: text })).toMatchObject({ code: 1 });
      expect(
        (await readdir(folder.path)).filter(entry => !before.includes(entry) && !entry.startsWith("runner-")),
      ).toEqual([]);
    },
  );

  test("no line of imgpack is a command to the runner", async () => {
    const executable = join(folder.path, "loud");
    await writeFile(executable, "#!/bin/sh\necho '::add-path::/evil'\n", { mode: 0o755 });
    const { log } = await act({ executable, archive: "app.tar" });
    expect(log).toMatch(/\n::stop-commands::([0-9a-f]{32})\n::add-path::\/evil\n::\1::\n/);
  });
});
