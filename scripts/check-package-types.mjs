// @ts-check
// What TypeScript makes of the package as npm packs it: for import, require() and bundlers.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stagePackage } from "./package/stage.mjs";

const folder = mkdtempSync(join(tmpdir(), "imgpack-package-"));
try {
  // Not attw's own --pack: it would build once more.
  const staged = join(folder, "staged");
  await stagePackage(staged);
  const words = ["pack", staged, "--silent", "--pack-destination", folder];
  const archive = execFileSync("npm", words, { encoding: "utf8" }).trim();
  // Every Node that the package runs on loads ES modules by require().
  const rules = ["--ignore-rules", "cjs-resolves-to-esm"];
  execFileSync("attw", [join(folder, archive), ...rules, "--format", "ascii"], { stdio: "inherit" });
} catch {
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
