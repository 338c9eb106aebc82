import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, inject, test } from "vitest";
import { startContainerd } from "./containerd.ts";
import { startDockerd } from "./dockerd.ts";
import { createPodman, podmanRunFlags } from "./podman.ts";
import { findTool, type RunResult } from "./run.ts";

/** The result of trying something out before tests are registered. */
export interface Probe {
  readonly name: string;
  /** Why it cannot be used; undefined: it can. */
  readonly missing: string | undefined;
}

/**
 * A suite that runs when every need is met: installed tools by name, probes for more. Otherwise one line on the
 * terminal says so and one skipped test stands for the suite.
 */
export function describeWith(needs: readonly (string | Probe)[], title: string, suite: () => void): void {
  const missing = needs.flatMap(need => {
    if (typeof need === "string") return findTool(need) === undefined ? [`no ${need}`] : [];
    return need.missing === undefined ? [] : [`no ${need.name} (${need.missing})`];
  });
  if (missing.length === 0) {
    describe(title, suite);
    return;
  }
  const reason = missing.join(", ");
  console.warn(`SKIPPED ${title}: ${reason}`);
  describe(title, () => {
    test.skip(reason, () => undefined);
  });
}

export interface ProbeOptions {
  /** Also demand that a container runs: a daemon may start where containers cannot (cgroups, limits). */
  readonly containers?: boolean;
}

const hello = fileURLToPath(new URL("../../../fixtures/docker20-hello.tar", import.meta.url));

/** Starts a docker daemon to see whether this machine lets it: rights decide, and no file tells them. */
export function probeDockerd({ containers = false }: ProbeOptions = {}): Promise<Probe> {
  return tryOut({ name: "dockerd", containers }, ["dockerd", "docker"], startDockerd, async ({ docker }) => {
    if (!containers) return;
    expectSuccess(await docker(["load", "--input", hello]));
    expectSuccess(await docker(["run", "--rm", "--network=none", "hello:latest"]));
  });
}

/** Starts containerd to see whether this machine lets it. */
export function probeContainerd({ containers = false }: ProbeOptions = {}): Promise<Probe> {
  return tryOut({ name: "containerd", containers }, ["containerd", "ctr", "runc"], startContainerd, async ({ ctr }) => {
    if (!containers) return;
    const native = ["--snapshotter", "native"];
    expectSuccess(await ctr(["images", "import", ...native, hello]));
    expectSuccess(await ctr(["run", "--rm", ...native, "docker.io/library/hello:latest", "probe"]));
  });
}

/** Loads an image with podman, which wants storage and a signature policy, to see whether this machine lets it. */
export function probePodman({ containers = false }: ProbeOptions = {}): Promise<Probe> {
  return tryOut({ name: "podman", containers }, ["podman"], createPodman, async ({ podman }) => {
    expectSuccess(await podman(["load", "--input", hello]));
    if (containers) expectSuccess(await podman(["run", ...podmanRunFlags, "localhost/hello:latest"]));
  });
}

function expectSuccess({ code, stderr }: RunResult): void {
  if (code !== 0) throw new Error(stderr);
}

/** What works works for the rest of the run: the next file that asks starts nothing. */
async function tryOut<Peer extends { close(): Promise<void> }>(
  { name, containers }: { readonly name: string; readonly containers: boolean },
  tools: readonly string[],
  start: () => Promise<Peer>,
  attempt: (peer: Peer) => Promise<void>,
): Promise<Probe> {
  const absent = tools.find(tool => findTool(tool) === undefined);
  if (absent !== undefined) return { name, missing: `${absent} is not installed` };
  const mark = join(inject("runFolder"), containers ? `${name}-runs-containers` : `${name}-works`);
  const isKnown = await access(mark).then(
    () => true,
    () => false,
  );
  if (isKnown) return { name, missing: undefined };
  try {
    const peer = await start();
    try {
      await attempt(peer);
    } finally {
      await peer.close();
    }
    await writeFile(mark, "");
    return { name, missing: undefined };
  } catch (error) {
    const lastLine = String(error).trimEnd().split("\n").at(-1);
    return { name, missing: (lastLine ?? "it does not start").slice(0, 200) };
  }
}
