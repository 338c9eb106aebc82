import { join } from "node:path";
import type { Inspection, PullResult, PushResult, VerifyResult } from "../../../src/index.ts";
import { COMMAND } from "../../support/command.ts";
import { type RunOptions, type RunResult, run } from "./run.ts";
import { createTempFolder } from "./temp-folder.ts";

export interface Imgpack {
  /** A folder for the test's own files; removed by `close`. */
  readonly folder: string;
  /** Runs the built command with a cache and a docker configuration of its own. */
  run(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** These demand exit code 0 and give what --json prints. */
  push(args: readonly string[], options?: RunOptions): Promise<PushResult>;
  pull(args: readonly string[], options?: RunOptions): Promise<PullResult>;
  inspect(source: string): Promise<Inspection>;
  /** All of it: also what layers inflate to. */
  verify(archive: string): Promise<VerifyResult>;
  close(): Promise<void>;
}

/** Prepares to run the built command. */
export async function createImgpack(): Promise<Imgpack> {
  const folder = await createTempFolder();
  const env = {
    IMGPACK_CACHE_DIR: join(folder.path, "cache"),
    DOCKER_CONFIG: join(folder.path, "docker-config"),
    REGISTRY_AUTH_FILE: undefined,
    IMGPACK_REGISTRY: undefined,
  };
  const [file, ...first] = COMMAND;
  const runCommand = (args: readonly string[], options: RunOptions = {}): Promise<RunResult> =>
    run(file, [...first, ...args], { ...options, env: { ...env, ...options.env } });
  async function json<T>(verb: string, args: readonly string[], options?: RunOptions): Promise<T> {
    const { code, stdout, stderr } = await runCommand([verb, "--json", ...args], options);
    if (code !== 0) throw new Error(`imgpack ${verb} ${args.join(" ")}: exit code ${code}\n${stderr}`);
    return JSON.parse(stdout) as T;
  }
  return {
    folder: folder.path,
    run: runCommand,
    push: (args, options) => json<PushResult>("push", args, options),
    pull: (args, options) => json<PullResult>("pull", args, options),
    inspect: source => json<Inspection>("inspect", [source]),
    verify: archive => json<VerifyResult>("verify", ["--diff-ids", archive]),
    close: () => folder.remove(),
  };
}
