import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { COMMAND } from "../../support/command.ts";
import type { Probe } from "./describe-with.ts";
import { findTool, type RunOptions, type RunResult, run } from "./run.ts";

/** The loopback device is the whole network, and the medium is read-only. */
const INSIDE = 'ip link set lo up && mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"';
const SPACES = ["--net", "--mount"];

/** Whether this machine lets a process have a network and mounts of its own. @param tools that are used inside, too */
export async function probeNamespace(tools: readonly string[] = []): Promise<Probe> {
  const name = "network namespace";
  const absent = ["unshare", "nsenter", "ip", "mount", ...tools].find(tool => findTool(tool) === undefined);
  if (absent !== undefined) return { name, missing: `${absent} is not installed` };
  const medium = await mkdtemp(join(tmpdir(), "imgpack-medium-"));
  const { code, stderr } = await run("unshare", [...SPACES, "sh", "-c", INSIDE, "sh", medium, "true"]);
  await rm(medium, { recursive: true, force: true });
  return { name, missing: code === 0 ? undefined : stderr.trim() };
}

/** A machine without a route to anywhere, on which `imgpack serve` runs. */
export interface Namespace {
  /** host:port of its registry, in the namespace alone. */
  readonly host: string;
  /** Words before those of a program that starts there. */
  readonly enter: readonly string[];
  /** Runs a program there. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  close(): Promise<void>;
}

/** @param medium folder that cannot be written there. @param served what `imgpack serve` is called with. */
export async function startNamespace(medium: string, ...served: readonly string[]): Promise<Namespace> {
  const serve = [...COMMAND, "serve", ...served, "--listen", "127.0.0.1:0", "--log", "none"];
  const registry: ChildProcess = spawn("unshare", [...SPACES, "sh", "-c", INSIDE, "sh", medium, ...serve], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface({ input: registry.stdout ?? process.stdin }), "line");
  const enter = ["nsenter", "-t", String(registry.pid), ...SPACES];
  const [nsenter = "", ...flags] = enter;
  return {
    host: new URL(String(line)).host,
    enter,
    run: async (command, args, options) => await run(nsenter, [...flags, command, ...args], options),
    async close() {
      if (registry.exitCode !== null) return;
      const ended = once(registry, "close");
      registry.kill();
      await ended;
    },
  };
}
