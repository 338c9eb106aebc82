// What makes short commands short: one file, compiled code of an earlier run, and few modules of Node.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { executable } from "../support/command.ts";
import { seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { startCommand } from "../support/started-command.ts";

/** Writes the names of Node's own modules that a process has loaded. */
const LIST_MODULES = `process.on("exit", () => require("node:fs").writeFileSync(process.env.MODULES_FILE,
  process.moduleLoadList.filter(name => name.startsWith("NativeModule ")).map(name => name.slice(13)).join("\\n")));`;
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

/** Pulls a small image. @returns the modules of Node that this loaded */
async function pullSmall(host: string): Promise<readonly string[]> {
  const words = ["pull", `${host}/app:1`, "-o", join(home, "out.tar"), "--platform", "linux/amd64"];
  expect(await startCommand(words, { env }).outcome).toMatchObject({ exitCode: 0 });
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
