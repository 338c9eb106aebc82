import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { convert } from "../../../src/index.ts";
import { runCommand } from "../../support/command-line.ts";
import { dockerArchive, temporaryFolder } from "../../support/images.ts";

test("imgpack convert and imgpack inspect take several files; the last one of convert is the output", async () => {
  const folder = await temporaryFolder();
  const path = (name: string): string => join(folder, name);
  const images = ["one", "two"] as const;
  for (const name of images) {
    await writeFile(path(`${name}.tar`), dockerArchive({ tags: [`${name}:1`], layers: [Buffer.alloc(5000, name)] }));
  }
  const merged = await runCommand("convert", path("one.tar"), path("two.tar"), path("both.tar"), "--progress", "none");
  expect(merged).toMatchObject({ exitCode: 0 });
  expect(merged.stdout.trim().split("\n")).toHaveLength(2);
  await convert(path("both.tar"), { output: path("split.tar"), volumeSize: 12_000 });
  const volumes = (await readdir(folder)).filter(name => /^split.*tar$/.test(name)).map(path);
  expect(volumes.length).toBeGreaterThan(1);
  const whole = await runCommand("inspect", ...volumes.toReversed());
  expect(whole.stdout).toMatch(
    new RegExp(
      `^Bundle     [0-9a-f]{12}\nVolumes    ${volumes.length} of ${volumes.length}\n\nImage      docker.io/library/one:1`,
    ),
  );
  const part = await runCommand("inspect", volumes[0] ?? "");
  expect(part.exitCode).toBe(0);
  expect(part.stdout).toMatch(/^Bundle {5}[0-9a-f]{12}\nVolumes {4}1 of \d, missing 2/);
});

test("imgpack convert of a single file says that the output is missing: exit 2", async () => {
  const { exitCode, stderr } = await runCommand("convert", "app.tar");
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^Cannot convert "app.tar": no output named, expected one after the archives\n/);
});
