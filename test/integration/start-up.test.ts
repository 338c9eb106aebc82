// What makes short commands short: one file, compiled code of an earlier run, and few modules of Node.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { executable } from "../support/command.ts";
import { seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { startCommand } from "../support/started-command.ts";

/** Writes the names of Node's own modules, and the files, that a process has loaded. */
const LIST_MODULES = `const fs = require("node:fs"), read = fs.readFileSync, files = [];
fs.readFileSync = (path, ...more) => {
  files.push(String(path));
  return read(path, ...more);
};
process.on("exit", () => require("node:fs").writeFileSync(process.env.MODULES_FILE, [
  ...process.moduleLoadList.filter(name => name.startsWith("NativeModule ")).map(name => name.slice(13)),
  ...[...files, ...Object.keys(require.cache)].map(name => require("node:path").basename(name))].join("\\n")));`;
/** Loaded for TLS, names, credential helpers and large blobs. */
const RARE = ["tls", "https", "dns", "child_process", "worker_threads"];

let home: string;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  home = await temporaryFolder();
  writeFileSync(join(home, "list.cjs"), LIST_MODULES);
  env = {
    IMGPACK_CACHE_DIR: join(home, "cache"),
    IMGPACK_CODE_CACHE: "",
    DOCKER_CONFIG: join(home, "docker"),
    MODULES_FILE: join(home, "modules"),
    NODE_OPTIONS: `--require ${join(home, "list.cjs")}`,
  };
});

/** Pulls a small image. @returns what this loaded */
async function pullSmall(host: string): Promise<readonly string[]> {
  return await run("pull", `${host}/app:1`, "-o", join(home, "out.tar"), "--platform", "linux/amd64");
}

/** @returns modules of Node, and files without their folders, that a run loads */
async function run(...words: readonly string[]): Promise<readonly string[]> {
  const exitCode = words.some(word => word.includes("@sha256:")) ? 2 : 0;
  expect(await startCommand(words, { env }).outcome).toMatchObject({ exitCode });
  return readFileSync(join(home, "modules"), "utf8").split("\n");
}

describe.skipIf(executable !== undefined)("imgpack pull of a small image", () => {
  test("loads no module of Node that it does not need, and uses the code that an earlier run compiled", async () => {
    const server = await ScriptedRegistry.start();
    storeImage(server.content, [seededBytes("layer", 1000)]);
    const modules = await pullSmall(server.host);
    expect(modules).toContain("http");
    expect(modules.filter(name => RARE.includes(name))).toEqual([]);
    const folder = join(home, "cache", "code");
    const [name = "", ...others] = readdirSync(folder);
    expect(name).toMatch(/^pull-.*\.v8$/);
    expect(others).toEqual([]);
    const kept = statSync(join(folder, name)).ino;
    await pullSmall(server.host);
    // A run that cannot use it writes another one.
    expect(statSync(join(folder, name)).ino).toBe(kept);
  });

  test("loads nothing of the v1 protocol for --version, and for push and pull of other registries", async () => {
    const server = await ScriptedRegistry.start();
    storeImage(server.content, [seededBytes("layer", 1000)]);
    const pushed = join(home, "out.tar");
    const isV1 = (name: string): boolean => name === "program-v1.cjs.br";
    expect((await run("--version")).filter(isV1)).toEqual([]);
    const pulling = await pullSmall(server.host);
    expect(pulling.filter(isV1)).toEqual([]);
    expect((await run("push", pushed, "--to", `${server.host}/team`)).filter(isV1)).toEqual([]);
    // It would be seen.
    expect(
      (await run("pull", `v1://${server.host}/app@sha256:${"0".repeat(64)}`, "-o", pushed)).filter(isV1),
    ).toHaveLength(1);
  });

  test("replaces a damaged file of compiled code, and says nothing about it", async () => {
    const server = await ScriptedRegistry.start();
    storeImage(server.content, [seededBytes("layer", 1000)]);
    await pullSmall(server.host);
    const folder = join(home, "cache", "code");
    const path = join(folder, readdirSync(folder)[0] ?? "");
    const whole = readFileSync(path);
    writeFileSync(path, Buffer.from(whole).fill(0x5a, 1000, 200_000));
    await pullSmall(server.host);
    expect(
      readFileSync(path)
        .subarray(1000, 200_000)
        .every(byte => byte === 0x5a),
    ).toBe(false);
  });
});
