// The single executable for 64-bit ARM, if `npm run executable` has built it, in qemu's user mode.
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { describeWith, type Probe } from "../integration/peers/describe-with.ts";
import { fixture } from "../integration/peers/goldens.ts";
import { createImgpack } from "../integration/peers/imgpack.ts";
import { findTool, type RunResult, run } from "../integration/peers/run.ts";
import { startServe } from "../integration/peers/served.ts";

const BUILT = fileURLToPath(new URL("../../executables/", import.meta.url));
const ARM = join(BUILT, "imgpack-linux-arm64");
/** Debian's libc6-arm64-cross. */
const ROOT = "/usr/aarch64-linux-gnu";

async function probe(name: string, path: string): Promise<Probe> {
  const missing = await access(path).then(
    () => undefined,
    () => "npm run executable -- --target linux-x64,linux-arm64",
  );
  return { name, missing };
}

const NEEDS = [await probe("executables/imgpack-linux-arm64", ARM), await probe(ROOT, ROOT), "qemu-aarch64"];

describeWith(NEEDS, "imgpack for 64-bit ARM in qemu", () => {
  test("prints its version, and pushes, pulls and verifies hello", { timeout: 300_000 }, async () => {
    const imgpack = await createImgpack();
    const server = await startServe(join(imgpack.folder, "store"));
    try {
      const env = { IMGPACK_CACHE_DIR: join(imgpack.folder, "arm-cache"), DOCKER_CONFIG: imgpack.folder };
      const arm = async (...words: readonly string[]): Promise<RunResult> =>
        await run(findTool("qemu-aarch64") ?? "", ["-L", ROOT, ARM, ...words], { env, timeoutMs: 120_000 });
      const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
      expect(await arm("--version")).toMatchObject({ code: 0, stdout: `${version}\n` });
      const out = join(imgpack.folder, "hello.tar");
      const pushed = await arm("push", fixture("docker20-hello.tar"), "--registry", server.host);
      expect(pushed.stdout).toBe(
        (await imgpack.run(["push", fixture("docker20-hello.tar"), "--registry", server.host])).stdout,
      );
      expect(await arm("pull", `${server.host}/hello:latest`, "-o", out, "--platform", "linux/amd64")).toMatchObject({
        code: 0,
        stdout: pushed.stdout,
      });
      expect(await arm("verify", out)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("all match their digests"),
      });
    } finally {
      await server.end();
      await imgpack.close();
    }
  });
});
