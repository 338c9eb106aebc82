import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { main } from "../../../src/cli/main.ts";
import { runCommand } from "../../support/command-line.ts";
import { dockerArchive, fileWith, temporaryFolder } from "../../support/images.ts";

describe("imgpack convert", () => {
  test("imgpack convert prints the names with their digests, and what it wrote", async () => {
    const input = await fileWith(dockerArchive({ tags: ["app:1", "app:2"] }));
    const output = join(await temporaryFolder(), "out.tar");
    const { exitCode, stdout, stderr } = await runCommand("convert", input, output, "--progress", "none");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^docker\.io\/library\/app:1@sha256:[0-9a-f]{64}\ndocker\.io\/library\/app:2@sha256:[0-9a-f]{64}\n$/,
    );
    expect(stderr).toMatch(/^Wrote 2 blobs, .* \(universal\)\n$/);
  });

  test("--output names the output instead of the last argument", async () => {
    const input = await fileWith(dockerArchive({ tags: ["app:1"] }));
    const output = join(await temporaryFolder(), "out.tar");
    expect((await runCommand("convert", input, "-o", output)).exitCode).toBe(0);
    expect((await runCommand("inspect", output)).exitCode).toBe(0);
  });

  test("imgpack convert to - puts the archive on stdout, the names on stderr", async () => {
    const input = await fileWith(dockerArchive({ tags: ["app:1"] }));
    const { exitCode, stdout, stderr } = await runCommand("convert", input, "-", "--format", "docker");
    expect(exitCode).toBe(0);
    expect(stdout.startsWith("manifest.json\0")).toBe(true);
    expect(stderr).toMatch(/^docker\.io\/library\/app:1@sha256:/);
  });

  test("imgpack convert to - writes no archive to a terminal", async () => {
    const input = await fileWith(dockerArchive({ tags: ["app:1"] }));
    let shown = "";
    const capture = (): Writable =>
      new Writable({
        write(chunk: Buffer, _encoding, onDone) {
          shown += chunk.toString();
          onDone();
        },
      });
    const stdout = Object.assign(capture(), { isTTY: true });
    expect(await main(["convert", input, "-"], { stdout, stderr: capture() })).toBe(2);
    expect(shown).toMatch(/^Cannot write archive to stdout: it is a terminal, expected a pipe or a file\nRedirect it/);
  });

  test("imgpack convert --json says everything in one object, but not beside an archive on stdout", async () => {
    const input = await fileWith(dockerArchive({ tags: ["app:1"] }));
    const folder = join(await temporaryFolder(), "new");
    await mkdir(folder);
    const { stdout } = await runCommand("convert", input, folder, "--json");
    expect(JSON.parse(stdout)).toMatchObject({ output: folder, format: "oci", blobs: 2 });
    expect(await runCommand("convert", input, "-", "--json")).toMatchObject({ exitCode: 2 });
  });

  test("imgpack convert tells both digests where layers change", async () => {
    const input = await fileWith(dockerArchive({ tags: ["app:1"] }));
    const [first, second] = await Promise.all(
      ["a.tar", "b.tar"].map(async name => join(await temporaryFolder(), name)),
    );
    await runCommand("convert", input, first ?? "");
    const { stderr } = await runCommand("convert", first ?? "", second ?? "", "--layers", "gzip");
    expect(stderr).toMatch(/docker\.io\/library\/app:1: sha256:[0-9a-f]{64} → sha256:[0-9a-f]{64}\n/);
  });
});
