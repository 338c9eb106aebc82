import { readFile, writeFile } from "node:fs/promises";
import { expect } from "vitest";
import { startDockerd } from "../integration/peers/dockerd.ts";
import { createPodman } from "../integration/peers/podman.ts";
import { linePattern } from "../support/docs/page-blocks.ts";
import type { EmptyRoom } from "./empty-room.ts";
import { type PageStep, quickStart } from "./page-steps.ts";

/** Follows the quick start of the README to its last line. @returns the archive that was pulled, outside of the room */
export async function walkQuickStart(room: EmptyRoom): Promise<string> {
  const digests = new Set<string>();
  for (const step of quickStart()) {
    const stdout = await walkStep(room, step);
    for (const digest of stdout.match(/sha256:[0-9a-f]{64}/g) ?? []) digests.add(digest);
  }
  // "The digests are equal."
  expect(digests.size).toBe(1);
  expect(await succeed(room, "imgpack verify out.tar")).toContain("all match their digests");
  return room.path("out.tar");
}

/** Runs the command, and expects what the page says that it prints. @returns what it printed on stdout */
export async function walkStep(room: EmptyRoom, { command, output }: PageStep, exitCode = 0): Promise<string> {
  const stdout = command.endsWith(" &")
    ? await room.start(command.slice(0, -2))
    : await succeed(room, command, exitCode);
  const lines = stdout === "" ? [] : stdout.trim().split("\n");
  expect({ command, lines: lines.length }).toEqual({ command, lines: output.length });
  for (const [index, line] of output.entries()) expect(lines[index]).toMatch(linePattern(line));
  return stdout;
}

export async function succeed(room: EmptyRoom, line: string, exitCode = 0): Promise<string> {
  const { code, stdout, stderr } = await room.run(line);
  const said = code === exitCode ? "" : stderr;
  expect({ line, code, said }).toEqual({ line, code: exitCode, said: "" });
  return stdout;
}

export async function loadInDocker(archive: string): Promise<string> {
  const dockerd = await startDockerd();
  try {
    const { stdout, stderr } = await dockerd.docker(["load", "--input", archive]);
    return stdout + stderr;
  } finally {
    await dockerd.close();
  }
}

export async function loadInPodman(archive: string): Promise<string> {
  const podman = await createPodman();
  try {
    const { stdout, stderr } = await podman.podman(["load", "--input", archive]);
    return stdout + stderr;
  } finally {
    await podman.close();
  }
}

/** Copies a file of this machine into the newcomer's folder. */
export async function bring(room: EmptyRoom, from: string, name: string): Promise<void> {
  await writeFile(room.path(name), await readFile(from));
}
