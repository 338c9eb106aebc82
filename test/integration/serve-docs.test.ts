// docs/SERVE.md, command by command: a certificate, users, a server with both, a client, monitors, garbage collection.
import { chmod, copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SHELL_COMMAND } from "../support/command.ts";
import { ownBlocks } from "../support/docs/own-blocks.ts";
import { commandLines } from "../support/docs/page-blocks.ts";
import { describeWith } from "./peers/describe-with.ts";
import { fixture } from "./peers/goldens.ts";
import { createImgpack, type Imgpack } from "./peers/imgpack.ts";
import { type RunResult, run } from "./peers/run.ts";
import { type Served, startServer } from "./peers/served.ts";

const commands = ownBlocks("docs/SERVE.md", ({ language }) => language === "sh").flatMap(({ text }) =>
  commandLines(text),
);

describeWith(["openssl", "htpasswd", "curl"], "docs/SERVE.md", () => {
  let imgpack: Imgpack;
  let served: Served | undefined;
  beforeAll(async () => {
    imgpack = await createImgpack();
    await copyFile(fixture("docker20-hello.tar"), join(imgpack.folder, "site.tar"));
    const shim = join(imgpack.folder, "imgpack");
    await writeFile(shim, `#!/bin/sh\nexec ${SHELL_COMMAND} "$@"\n`);
    await chmod(shim, 0o755);
  });
  afterAll(async () => {
    await stop();
    await imgpack?.close();
  });

  /** Ports of the page, by the ones that the servers got. */
  const ports = new Map<string, string>();
  const local = (line: string): string =>
    line.replaceAll(/127\.0\.0\.1:\d+/g, address => ports.get(address) ?? address);

  const surroundings = (): { readonly cwd: string; readonly env: Readonly<Record<string, string>> } => ({
    cwd: imgpack.folder,
    env: { PATH: `${imgpack.folder}:${process.env["PATH"]}`, DOCKER_CONFIG: join(imgpack.folder, "config") },
  });

  async function stop(): Promise<void> {
    const running = served;
    served = undefined;
    if (running !== undefined) expect(await running.end()).toEqual([0, null]);
  }

  async function runLine(line: string): Promise<RunResult> {
    return await run("sh", ["-c", local(line)], surroundings());
  }

  test.each(commands)("%s", async line => {
    const [, address = ""] = /^imgpack serve .*--listen (\S+)/.exec(line) ?? [];
    if (address === "") {
      // Only one server may have the store.
      if (line.includes(" --gc")) await stop();
      const result = await runLine(line);
      expect(result.code, result.stderr).toBe(0);
      return;
    }
    await stop();
    const free = line.replace(address, "127.0.0.1:0");
    served = await startServer("sh", ["-c", `exec ${free} --log none`], surroundings());
    ports.set(address, served.host);
  });

  test("the page has the commands of all parts", () => {
    for (const part of ["serve site.tar", "--htpasswd users", "imgpack login", "/metrics", "--gc --yes"])
      expect(
        commands.some(line => line.includes(part)),
        part,
      ).toBe(true);
  });
});
