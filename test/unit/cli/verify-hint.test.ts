// What `verify` says can be done with an archive that is cut, where some of its images are whole.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { convert } from "../../../src/index.ts";
import { ownEnvironment, runCommand } from "../../support/command-line.ts";
import { dockerArchive, fileWith, seededBytes, temporaryFolder } from "../../support/images.ts";

ownEnvironment();

const HINT = "imgpack convert FILE OUT --image NAME saves an image that is unharmed.";
const layer = (seed: string): Buffer => seededBytes(seed, 300_000);

test("verify of a cut archive says how to save an image that is unharmed, and convert saves it", async () => {
  const folder = await temporaryFolder();
  const inputs = await Promise.all(
    ["a", "b"].map(async name => await fileWith(dockerArchive({ tags: [`r.lan/${name}:1`], layers: [layer(name)] }))),
  );
  const whole = join(folder, "whole.tar");
  await convert(inputs, { output: whole });
  const cut = await fileWith((await readFile(whole)).subarray(0, 400_000));
  const ended = await runCommand("verify", cut);
  expect(ended.exitCode).toBe(6);
  expect(ended.stderr).toContain(HINT);
  const unharmed = /^unharmed: (\S+)$/m.exec(ended.stdout)?.[1] ?? "";
  const saved = await runCommand("convert", cut, join(folder, "saved.tar"), "--image", unharmed);
  expect(saved).toMatchObject({ exitCode: 0 });
});

test("verify names no image to save where none is unharmed", async () => {
  const whole = join(await temporaryFolder(), "whole.tar");
  await convert(await fileWith(dockerArchive({ tags: ["r.lan/a:1"], layers: [layer("a")] })), { output: whole });
  const ended = await runCommand("verify", await fileWith((await readFile(whole)).subarray(0, 200_000)));
  expect(ended.exitCode).toBe(6);
  expect(ended.stderr).not.toContain("--image NAME");
});
