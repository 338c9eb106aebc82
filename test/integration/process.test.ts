// What only a process of its own can show: signals, stdin, a full disk, a reader that goes away.
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { deferred } from "../../src/util/promises.ts";
import { always, BIG, BIG_BLOB, MIB } from "../fault/pull-support.ts";
import { COMMAND, executable } from "../support/command.ts";
import { ownEnvironment, said } from "../support/command-line.ts";
import { dockerArchive, fileWith, seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { startCommand } from "../support/started-command.ts";

ownEnvironment();

const never = new Promise<void>(() => {});

// The executable takes no words for its runtime.
test.skipIf(executable !== undefined)(
  "imgpack with a task that never settles says that this is a bug, and exits with 1",
  () => {
    const stuck = "data:text/javascript,process.stdin[Symbol.asyncIterator]=()=>({next:()=>new Promise(()=>{})})";
    const [node, ...first] = COMMAND;
    const words = ["--import", stuck, ...first, "tags", "127.0.0.1:1/x", "--token-stdin"];
    const { status, stderr } = spawnSync(node, words, { encoding: "utf8", input: "" });
    expect(status).toBe(1);
    expect(stderr).toContain("This is a bug in imgpack");
  },
);

describe.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("imgpack stopped by %s", (signal, exitCode) => {
  test(`imgpack pull stopped by ${signal} leaves nothing, and exits with ${exitCode}`, async () => {
    const came = deferred<void>();
    const stall = { after: MIB - 5, until: never };
    const server = await ScriptedRegistry.start({ faults: [{ on: BIG_BLOB, stall, onRequest: () => came.resolve() }] });
    storeImage(server.content, [BIG]);
    const target = await temporaryFolder();
    const words = ["pull", `${server.host}/app:1`, "-o", join(target, "out.tar"), "--platform", "linux/amd64"];
    const { child, outcome } = startCommand(words);
    await Promise.race([came.promise, outcome]);
    expect(readdirSync(target)).toEqual(["out.tar.partial", "out.tar.partial.journal"]);
    child.kill(signal);
    const ended = await outcome;
    expect(ended).toMatchObject({ exitCode, stdout: "", signal: null });
    expect(ended.stderr.trimEnd().split("\n").slice(-2)).toEqual([
      `Stopped by ${signal} before the end`,
      "The output is not complete: the next run resumes with what could be kept; what went to stdout starts over.",
    ]);
    expect(readdirSync(target)).toEqual([]);
  });

  test(`imgpack push stopped by ${signal} cancels its upload, and exits with ${exitCode}`, async () => {
    const came = deferred<void>();
    const stuck = { early: true, stall: { after: 0, until: never }, onRequest: () => came.resolve() };
    const server = await ScriptedRegistry.start({ faults: [{ on: /^PATCH /, ...stuck }] });
    const archive = await fileWith(dockerArchive({ tags: ["app:1"], layers: [seededBytes("layer", 3 * MIB)] }));
    const { child, outcome } = startCommand(["push", archive, "--registry", server.host]);
    await Promise.race([came.promise, outcome]);
    child.kill(signal);
    expect(await outcome).toMatchObject({ exitCode, stdout: "", signal: null });
    const begun = server.seen(/^POST .*\/uploads\//).length;
    // The upload of the config may be done, or under way as well.
    const cancelled = server.seen(/^DELETE \/v2\/app\/blobs\/uploads\//).map(({ path }) => path);
    expect(new Set(cancelled).size).toBe(begun - server.content.blobs.size);
    expect(cancelled).toHaveLength(new Set(cancelled).size);
    expect(server.content.manifests.size).toBe(0);
  });
});

describe("imgpack as a process", () => {
  test("imgpack ends at once when a pull is done, with connections still open", async () => {
    const server = await ScriptedRegistry.start();
    const { digest } = storeImage(server.content, [BIG]);
    const target = await temporaryFolder();
    const words = ["pull", `${server.host}/app:1`, "-o", join(target, "out.tar"), "--platform", "linux/amd64"];
    expect(await startCommand(words).outcome).toMatchObject({
      exitCode: 0,
      stdout: `${server.host}/app:1@${digest}\n`,
    });
  });

  test.each([
    ["empty", ""],
    ["a line end alone", "\n"],
  ])("imgpack refuses a password from stdin that is %s", async (_what, input) => {
    const words = ["inspect", "127.0.0.1:1/app:1", "--username", "ci", "--password-stdin"];
    const ended = await startCommand(words, { input }).outcome;
    expect(ended).toMatchObject({ exitCode: 2, stdout: "" });
    expect(said(ended)[0]).toBe("Cannot read password from stdin: it is empty, expected one line");
  });

  test("imgpack uses the password from stdin, without its line end", async () => {
    const server = await ScriptedRegistry.start({ auth: { scheme: "basic", user: "ci", password: "pass word" } });
    storeImage(server.content, [seededBytes("layer", 100)]);
    const words = ["pull", `${server.host}/app:1`, "-o", join(await temporaryFolder(), "out.tar")];
    const flags = ["--username", "ci", "--password-stdin", "--platform", "linux/amd64"];
    expect(await startCommand([...words, ...flags], { input: "pass word\r\n" }).outcome).toMatchObject({
      exitCode: 0,
    });
  });

  test("imgpack stops quietly when the reader of its data has gone", async () => {
    const archive = await fileWith(dockerArchive({ tags: ["app:1"] }));
    const { child, outcome } = startCommand(["inspect", archive]);
    child.stdout.destroy();
    expect(await outcome).toMatchObject({ exitCode: 9, signal: null, stderr: "" });
  });

  test("imgpack pushes on when nobody listens to its progress any more", async () => {
    const server = await ScriptedRegistry.start();
    const archive = await fileWith(dockerArchive({ tags: ["app:1"] }));
    const { child, outcome } = startCommand(["push", archive, "--registry", server.host, "--progress", "json"]);
    child.stderr.destroy();
    expect(await outcome).toMatchObject({ exitCode: 0, signal: null });
    expect(server.content.manifests.has("app:1")).toBe(true);
  });
});

test("imgpack does its work, and ends with its own exit code, when stderr is on a full disk", async () => {
  const folder = await temporaryFolder();
  const archive = await fileWith(dockerArchive({ tags: ["app:1"] }));
  const stderr = openSync("/dev/full", "w");
  onTestFinished(() => closeSync(stderr));
  const [file, ...first] = COMMAND;
  const status = (...words: readonly string[]): number | null =>
    spawnSync(file, [...first, ...words], { stdio: ["ignore", "ignore", stderr] }).status;
  expect(status("convert", archive, join(folder, "out.tar"))).toBe(0);
  expect(status("verify", join(folder, "absent.tar"))).toBe(9);
});

describe("imgpack with an odd stdout", () => {
  /** Runs the command with stdout into a file or device. */
  const runInto = (
    path: string,
    ...words: readonly string[]
  ): { readonly exitCode: number; readonly stderr: string } => {
    const output = openSync(path, "w");
    const [file, ...first] = COMMAND;
    const { status, stderr } = spawnSync(file, [...first, ...words], {
      stdio: ["ignore", output, "pipe"],
      encoding: "utf8",
    });
    closeSync(output);
    return { exitCode: status ?? -1, stderr };
  };
  const image = async (): Promise<string> =>
    await fileWith(dockerArchive({ tags: ["app:1"], layers: [seededBytes("layer", 3 * MIB)] }));

  test("F-06 imgpack stops quietly, and at once, when the reader of an archive has gone", async () => {
    const server = await ScriptedRegistry.start({
      faults: [always({ on: BIG_BLOB, stall: { after: MIB, until: never } })],
    });
    storeImage(server.content, [BIG]);
    const temporary = await temporaryFolder();
    const words = ["pull", `${server.host}/app:1`, "-o", "-", "--platform", "linux/amd64", "--quiet"];
    const { child, outcome } = startCommand(words, { env: { TMPDIR: temporary } });
    child.stdout.once("data", () => child.stdout.destroy());
    expect(await outcome).toMatchObject({ exitCode: 9, signal: null, stderr: "" });
    expect(readdirSync(temporary)).toEqual([]);
  });

  test("F-06 imgpack convert stops quietly when the reader of an archive has gone", async () => {
    const { child, outcome } = startCommand(["convert", await image(), "-", "--quiet"]);
    child.stdout.once("data", () => child.stdout.destroy());
    expect(await outcome).toMatchObject({ exitCode: 9, signal: null, stderr: "" });
  });

  test("F-06 imgpack push has pushed when nobody wants to hear of it", async () => {
    const server = await ScriptedRegistry.start();
    const words = ["push", await image(), "--registry", server.host, "--json", "--quiet"];
    const { child, outcome } = startCommand(words);
    child.stdout.destroy();
    expect(await outcome).toMatchObject({ exitCode: 9, signal: null, stderr: "" });
    expect(server.content.manifests.has("app:1")).toBe(true);
  });

  test("imgpack says that the device behind stdout is full", async () => {
    const path = await image();
    expect(runInto("/dev/full", "convert", path, "-", "--quiet")).toEqual({
      exitCode: 9,
      stderr:
        "Cannot write archive to stdout: no space left, expected it to take every byte\n" +
        "The archive is incomplete: fix the cause, then run the same command again.\n",
    });
    for (const words of [["inspect", path], ["inspect", path, "--json"], ["--version"], ["--help"]]) {
      expect(runInto("/dev/full", ...words)).toEqual({
        exitCode: 9,
        stderr: "Cannot write to stdout: no space left, expected it to take every byte\n",
      });
    }
  });

  test.skipIf(process.platform === "win32").each([
    ["inspect", "--json"],
    ["convert", "--help"],
    ["completion", "bash"],
  ])("imgpack %s %s says that a limit of file sizes cuts its data off in the middle", async (command, flag) => {
    const output = join(await temporaryFolder(), "out");
    const words = [...COMMAND, command, flag, ...(command === "inspect" ? [await image()] : [])];
    // Node ignores the signal of the limit; a shell counts in KiB or in half of them.
    const limited = ["-c", 'ulimit -f 1; out=$1; shift; exec "$@" > "$out"', "sh", output, ...words];
    const { status, stderr } = spawnSync("sh", limited, { stdio: ["ignore", "ignore", "pipe"], encoding: "utf8" });
    expect(stderr).toBe(
      "Cannot write to stdout: file too large for this file system or for the limit of this process, expected it to take every byte\n",
    );
    expect(status).toBe(9);
    expect(readFileSync(output).length).toBeGreaterThan(0);
  });

  test("imgpack takes a closed stdout for /dev/null, as docs/OUTPUT.md says", async () => {
    const words = [...COMMAND, "inspect", "--json", await image()];
    expect(spawnSync("sh", ["-c", 'exec "$@" >&-', "sh", ...words], { encoding: "utf8" })).toMatchObject({
      status: 0,
      stdout: "",
      stderr: "",
    });
  });

  test.each(["hello.tar.gz", "docker20-shared.tar"])(
    "imgpack convert reads %s out of a pipe, into a file",
    async name => {
      const fixture = new URL(`../../fixtures/${name}`, import.meta.url);
      const input = await readFile(fixture);
      const folder = await temporaryFolder();
      const [piped, read] = [join(folder, "piped.tar"), join(folder, "read.tar")];
      expect(await startCommand(["convert", "-", piped], { input }).outcome).toMatchObject({ exitCode: 0 });
      expect(await startCommand(["convert", fileURLToPath(fixture), read]).outcome).toMatchObject({
        exitCode: 0,
      });
      expect((await readFile(piped)).equals(await readFile(read))).toBe(true);
    },
  );

  test("imgpack writes an archive into a redirected stdout as into a file", async () => {
    const folder = await temporaryFolder();
    const path = await image();
    expect(runInto(join(folder, "a.tar"), "convert", path, "-", "--quiet")).toMatchObject({ exitCode: 0 });
    expect(runInto(join(folder, "names"), "convert", path, join(folder, "b.tar"), "--quiet")).toMatchObject({
      exitCode: 0,
    });
    expect(readFileSync(join(folder, "a.tar")).equals(readFileSync(join(folder, "b.tar")))).toBe(true);
    expect(runInto("/dev/null", "convert", path, "-", "--quiet")).toMatchObject({ exitCode: 0 });
  });
});

const canMount = process.platform === "linux" && process.getuid?.() === 0 && mounts();

describe.skipIf(!canMount)("imgpack pull onto a full disk (needs root, for a small file system)", () => {
  test.each([
    ["is too small from the start", 0, /^Cannot write "PATH": 10\d\d KiB free, expected 2(\.\d)? MiB$/],
    ["has no room left meanwhile", 1, /^Cannot write "PATH": no space left, expected room for 2(\.\d)? MiB$/],
  ])("imgpack pull tells the numbers when the disk %s, and leaves nothing", async (_what, later, message) => {
    const disk = await temporaryFolder();
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${later === 1 ? 3 : 1}m`, "tmpfs", disk]);
    try {
      const fill = (): void => writeFileSync(join(disk, "other"), Buffer.alloc(2.5 * MIB));
      const fault = always({ on: BIG_BLOB, change: () => ({}), ...(later === 1 ? { onRequest: fill } : {}) });
      const server = await ScriptedRegistry.start({ faults: [fault] });
      storeImage(server.content, [BIG]);
      const output = join(disk, "out.tar");
      const words = ["pull", `${server.host}/app:1`, "-o", output, "--platform", "linux/amd64"];
      const ended = await startCommand(words).outcome;
      expect(ended).toMatchObject({ exitCode: 9, stdout: "" });
      expect(said(ended, output)[0]).toMatch(message);
      expect(said(ended, output)[1]).toMatch(/^Free some space,? or write to another disk/);
      rmSync(join(disk, "other"), { force: true });
      expect(readdirSync(disk)).toEqual([]);
    } finally {
      execFileSync("umount", [disk]);
    }
  });
});

/** Also root may not mount, inside a container. */
function mounts(): boolean {
  try {
    execFileSync("unshare", ["--mount", "sh", "-c", "mount -t tmpfs tmpfs /mnt"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
