import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { run } from "../integration/peers/run.ts";
import { createTempFolder } from "../integration/peers/temp-folder.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const OFFLINE = ["unshare", "--user", "--map-root-user", "--net"];

test("a second build, elsewhere and without a network, gives the same bytes", { timeout: 300_000 }, async () => {
  const folder = await createTempFolder();
  onTestFinished(() => folder.remove());
  const temporary = join(folder.path, "another folder for temporary files");
  await mkdir(temporary);
  const isIsolated = (await run("unshare", [...OFFLINE.slice(1), "true"]).catch(() => ({ code: 1 }))).code === 0;
  if (!isIsolated) console.warn("SKIPPED without a network: unshare cannot make a namespace");
  const build = [process.execPath, "scripts/executable.mjs", "--target", `linux-${process.arch}`, "--out", folder.path];
  const [command = "", ...words] = isIsolated ? [...OFFLINE, ...build] : build;
  const env = { TMPDIR: temporary, HOME: folder.path, TZ: "Pacific/Apia", LANG: "C" };
  const { code, stderr } = await run(command, words, { cwd: ROOT, env, timeoutMs: 240_000 });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const [first, second] = await Promise.all(
    [join(ROOT, "executables"), folder.path].map(async at => await readFile(join(at, "SHA256SUMS"), "utf8")),
  );
  expect(second).toMatch(/ {2}imgpack-linux-\w+\n/);
  for (const line of second?.trimEnd().split("\n") ?? []) expect(first).toContain(line);
});
