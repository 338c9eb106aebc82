// docs/LIBRARY.md: every snippet runs as it stands there, on the packed package and a registry of the library itself.
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningRegistry, serve } from "../../src/index.ts";
import { installPackage } from "./peers/installed-package.ts";
import { run } from "./peers/run.ts";
import type { TempFolder } from "./peers/temp-folder.ts";

const DOCUMENT = await readFile(new URL("../../docs/LIBRARY.md", import.meta.url), "utf8");
const ARCHIVE = fileURLToPath(new URL("../../fixtures/hello.tar.gz", import.meta.url));
const HOST = "registry.lan:5000";

interface Snippet {
  readonly heading: string;
  readonly code: string;
  /** Lines of stdout; "…" is any text. */
  readonly prints: readonly string[];
}

function snippets(): readonly Snippet[] {
  const found: Snippet[] = [];
  for (const section of DOCUMENT.split(/^#+ /m)) {
    const [heading = ""] = section.split("\n", 1);
    for (const [, code = ""] of section.matchAll(/^```js\n([\s\S]*?)^```$/gm)) {
      const prints = [...code.matchAll(/^\/\/ prints (.*)$/gm)].map(([, line = ""]) => line);
      found.push({ heading: `${heading} ${found.length + 1}`, code, prints });
    }
  }
  return found;
}

describe("docs/LIBRARY.md", () => {
  let folder: TempFolder;
  let registry: RunningRegistry;

  beforeAll(async () => {
    folder = await installPackage();
    registry = await serve({ store: join(folder.path, "registry") });
    await copyFile(ARCHIVE, join(folder.path, "hello.tar.gz"));
    await mkdir(join(folder.path, "home"));
  });
  afterAll(async () => {
    await registry?.close();
    await folder?.remove();
  });

  // In the document's order: what is pulled was pushed by the first one.
  test.each(snippets())("the snippet $heading prints what it says", async ({ heading, code, prints }) => {
    const { host } = new URL(registry.url);
    const file = `${heading.replace(/\W+/g, "-")}.mjs`;
    await writeFile(join(folder.path, file), code.replaceAll(HOST, host));
    const env = { CI_PASSWORD: "secret", HOME: join(folder.path, "home") };
    const { code: exitCode, stdout, stderr } = await run(process.execPath, [file], { cwd: folder.path, env });
    expect({ exitCode, stderr: heading.startsWith("Progress") ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
    const lines = stdout.replaceAll(host, HOST).trimEnd().split("\n");
    const escaped = prints.map(line => line.split("…").map(text => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));
    expect(lines).toEqual(escaped.map(texts => expect.stringMatching(new RegExp(`^${texts.join(".*")}$`))));
  });
});
