import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = new URL("../../", import.meta.url);
const text = (name: string): string => readFileSync(fileURLToPath(new URL(name, root)), "utf8");

test("docs/README.md names each page of docs/ once as its place in the order", () => {
  const pages = readdirSync(fileURLToPath(new URL("docs", root)), { recursive: true, encoding: "utf8" });
  const named = [...text("docs/README.md").matchAll(/\]\(([^)#:]+\.md)(?:#[^)]*)?\)/g)].map(([, page]) => page);
  const missing = pages.filter(page => page.endsWith(".md") && page !== "README.md" && !named.includes(page));
  expect(missing).toEqual([]);
});

test("README.md has at most 150 lines", () => {
  expect(text("README.md").split("\n").length - 1).toBeLessThanOrEqual(150);
});
