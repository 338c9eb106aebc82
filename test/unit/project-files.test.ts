import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");

const benchmarks = readdirSync(new URL("../../docs", import.meta.url)).filter(name => name.startsWith("BENCHMARKS"));

test.each(benchmarks)("docs/%s is as the bench wrote it: no line was changed or added by hand", name => {
  const [, text = "", written = ""] =
    /^([\s\S]*)\n<!-- made by npm run bench; .*: ([0-9a-f]{64}) -->\n$/.exec(read(`docs/${name}`)) ?? [];
  expect(createHash("sha256").update(text).digest("hex")).toBe(written);
});

test("npm ci has no reason to warn on the oldest Node that is supported", () => {
  const { packages }: { packages: Record<string, { engines?: { node?: string } }> } = JSON.parse(
    read("package-lock.json"),
  );
  const newest = Object.entries(packages).filter(([, { engines }]) => /^\s*>=?\s*2[1-9]/.test(engines?.node ?? ""));
  expect(newest.map(([name]) => name)).toEqual([]);
});
