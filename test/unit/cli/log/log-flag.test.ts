import { readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { watchOperations } from "../../../../src/util/operation-hook.ts";
import { runCommand } from "../../../support/command-line.ts";
import { dockerArchive, fileWith, temporaryFolder } from "../../../support/images.ts";
import { ScriptedRegistry } from "../../../support/scripted-registry.ts";

const ARCHIVE = dockerArchive({ tags: ["app:1"], layers: [Buffer.from("layer")] });

type Line = Readonly<Record<string, unknown>>;

async function linesOf(path: string): Promise<readonly Line[]> {
  return (await readFile(path, "utf8"))
    .trimEnd()
    .split("\n")
    .map(line => JSON.parse(line) as Line);
}

afterEach(() => watchOperations(undefined));

describe("--log", () => {
  test("keeps all events of a quiet run, and its result", async () => {
    const log = join(await temporaryFolder(), "run.log");
    const { host } = await ScriptedRegistry.start();
    const path = await fileWith(ARCHIVE);
    const { exitCode, stderr } = await runCommand("push", path, "--registry", host, "--quiet", "--log", log);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const lines = await linesOf(log);
    const kinds = lines.map(({ kind }) => kind);
    expect(kinds[0]).toBe("start");
    expect(kinds).toEqual(expect.arrayContaining(["planned", "started", "bytes", "done"]));
    expect(lines.at(-1)).toMatchObject({ kind: "end", exitCode: 0, result: { images: 1, blobs: { uploaded: 2 } } });
  });

  test("has the error of a run that failed, also of a command line that yargs reads", async () => {
    const log = join(await temporaryFolder(), "run.log");
    await runCommand("inspect", join(log, "absent.tar"), "--log", log);
    await runCommand("inspect", "--log", log, "--", join(log, "absent.tar"));
    const ends = (await linesOf(log)).filter(({ kind }) => kind === "end");
    expect(ends).toHaveLength(2);
    for (const end of ends)
      expect(end).toMatchObject({ exitCode: expect.any(Number), error: { code: expect.any(String) } });
  });

  test("of a query that has no events has its start and its end", async () => {
    const log = join(await temporaryFolder(), "run.log");
    const { host } = await ScriptedRegistry.start();
    await runCommand("tags", `${host}/absent`, "--log", log);
    expect((await linesOf(log)).map(({ kind }) => kind)).toEqual(["start", "end"]);
  });

  test.each<[string, (path: string, other: string) => readonly string[]]>([
    ["an input", path => ["verify", path, "--log", path]],
    ["an output", (path, other) => ["convert", path, other, "--log", other]],
    ["an output that is not complete", (path, other) => ["convert", path, other, "--log", `${other}.partial`]],
    ["a need list", (path, other) => ["verify", path, "--need", other, "--log", other]],
    ["a need list of push", (path, other) => ["push", path, "--to", "h.invalid", "--need", other, "--log", other]],
    ["a key", path => ["verify", path, "--key", path, "--log", path]],
    ["a base", path => ["pull", "h.invalid/a:1", "-o", `${path}.o`, "--base", path, "--log", path]],
    ...[".v01.tar", ".v02.tar.partial", ".v003.tar.partial.journal", ".sha256", ".v01.sha256", ".sha256.sig"].map(
      (ending): [string, (path: string, other: string) => readonly string[]] => [
        `file of volumes: ${ending}`,
        (path, other) => ["convert", path, `${other}.tar`, "--volume-size", "1M", "--log", other + ending],
      ],
    ),
    [
      "volume of a pull",
      (_, other) => ["pull", "h.invalid/a:1", "-o", other, "--volume-size", "1M", "--log", `${other}.v02.tar`],
    ],
  ])("is no %s", async (_what, words) => {
    const path = await fileWith(ARCHIVE);
    const { exitCode, stderr } = await runCommand(...words(path, `${path}.out`));
    expect(stderr).toMatch(
      /^Cannot write ".*": (it is the input|the run writes its output) ".*"(?: there)?, expected another file\nChoose another name for --log\.\n/,
    );
    expect(exitCode).toBe(2);
    expect(await readFile(path)).toEqual(Buffer.from(ARCHIVE));
  });

  test("is no stream, no folder and no link", async () => {
    const path = await fileWith(ARCHIVE);
    const folder = await temporaryFolder();
    const link = join(folder, "link");
    await symlink(path, link);
    for (const log of ["-", folder, link]) {
      const { exitCode, stderr } = await runCommand("verify", path, "--log", log);
      expect(stderr).toMatch(
        /^Cannot append log to ".*": found .*, expected a log or a new file\nName a file, such as /,
      );
      expect(exitCode).toBe(2);
    }
  });

  test("that cannot be written is an error before anything is done", async () => {
    const path = await fileWith(ARCHIVE);
    for (const log of ["/dev/full", join(path, "run.log")]) {
      const { exitCode, stdout } = await runCommand("verify", path, "--log", log);
      expect({ exitCode, stdout }).toEqual({ exitCode: 9, stdout: "" });
    }
  });

  test("that becomes full later is one warning, and does not stop the run", async () => {
    const log = join(await temporaryFolder(), "run.log");
    const path = await fileWith(ARCHIVE);
    let writes = 0;
    watchOperations(async (operation, run) => {
      if (operation.kind !== "write" || operation.target !== log) return await run();
      writes += 1;
      if (writes > 1) throw Object.assign(new Error("full"), { code: "ENOSPC", syscall: "write" });
      return await run();
    });
    const { exitCode, stderr } = await runCommand("verify", path, "--log", log);
    expect(exitCode).toBe(0);
    expect(stderr.match(/The rest of this run is not in the log ".*": Cannot write ".*": no space left/g)).toHaveLength(
      1,
    );
  });

  test("is another flag of serve", async () => {
    const { stderr, exitCode } = await runCommand("serve", "--log", "loud");
    expect(exitCode).toBe(2);
    expect(stderr).toContain("text, json, none");
  });
});
