import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createImgpack } from "./peers/imgpack.ts";
import { run } from "./peers/run.ts";

test("npm run demo pushes, lists, pulls and verifies on the embedded registry, and the digests are equal", async () => {
  const imgpack = await createImgpack();
  try {
    const demo = fileURLToPath(new URL("../../scripts/demo.mjs", import.meta.url));
    const { code, stdout, stderr } = await run(process.execPath, [demo], { timeoutMs: 60_000 });
    expect(stderr).toBe("");
    expect(stdout).toMatch(/Tags of \S+\/hello: latest/);
    expect(stdout).toContain("all match their digests");
    expect(stdout).toContain("The digests are equal.");
    expect(stdout).toMatch(/Loaded image: \S+\/hello:latest/);
    expect(code).toBe(0);
  } finally {
    await imgpack.close();
  }
});
