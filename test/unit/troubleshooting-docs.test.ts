import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { EXIT_CODES } from "../../src/errors.ts";

test("docs/TROUBLESHOOTING.md has a section for each exit code", () => {
  const page = readFileSync(new URL("../../docs/TROUBLESHOOTING.md", import.meta.url), "utf8");
  const sections = [...page.matchAll(/^## Exit code (\d+)$/gm)].map(([, code]) => Number(code));
  expect(sections).toEqual([0, ...Object.values(EXIT_CODES)].sort((one, other) => one - other));
});
