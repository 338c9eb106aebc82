// docs/LIBRARY.md: every snippet runs as it stands there, on the packed package and a registry of the library itself.
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningRegistry, serve } from "../../src/index.ts";
import { ownBlocks } from "../support/docs/own-blocks.ts";
import { type Block, linePattern, readPage } from "../support/docs/page-blocks.ts";
import { installPackage } from "./peers/installed-package.ts";
import { run } from "./peers/run.ts";
import type { TempFolder } from "./peers/temp-folder.ts";

const ARCHIVE = fileURLToPath(new URL("../../fixtures/hello.tar.gz", import.meta.url));
const HOST = "registry.lan:5000";

interface Snippet {
  readonly title: string;
  readonly heading: string;
  readonly code: string;
  /** Lines of stdout; "…" is any text. */
  readonly prints: readonly string[];
}

function snippets(): readonly Snippet[] {
  const isCode = ({ language }: Block): boolean => language === "js";
  const blocks = [...ownBlocks("docs/LIBRARY.md", isCode), ...readPage("docs/SERVE.md").blocks.filter(isCode)];
  return blocks.map(({ heading, text }, index) => {
    const prints = [...text.matchAll(/^\/\/ prints (.*)$/gm)].map(([, line = ""]) => line);
    return { title: `${heading} ${index + 1}`, heading, code: text, prints };
  });
}

describe("docs/LIBRARY.md", () => {
  let folder: TempFolder;
  let registry: RunningRegistry;

  beforeAll(async () => {
    folder = await installPackage();
    registry = await serve({ store: join(folder.path, "own-store") });
    await copyFile(ARCHIVE, join(folder.path, "hello.tar.gz"));
    await mkdir(join(folder.path, "home"));
  });
  afterAll(async () => {
    await registry?.close();
    await folder?.remove();
  });

  // In the document's order: what is pulled was pushed by the first one.
  test.each(snippets())("the snippet $title prints what it says", async ({ title, heading, code, prints }) => {
    const { host } = new URL(registry.url);
    const file = `${title.replace(/\W+/g, "-")}.mjs`;
    await writeFile(join(folder.path, file), code.replaceAll(HOST, host));
    const env = { CI_PASSWORD: "secret", HOME: join(folder.path, "home") };
    const { code: exitCode, stdout, stderr } = await run(process.execPath, [file], { cwd: folder.path, env });
    expect({ exitCode, stderr: heading === "Progress" ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
    const lines = stdout.replaceAll(host, HOST).trimEnd().split("\n");
    expect(lines).toEqual(prints.map(line => expect.stringMatching(linePattern(line))));
  });
});
