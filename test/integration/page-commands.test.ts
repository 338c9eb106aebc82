import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningRegistry, serveRegistry } from "../../src/serve/server.ts";
import { startContainerd } from "./peers/containerd.ts";
import { describeWith, probeContainerd, probeDockerd, probePodman } from "./peers/describe-with.ts";
import { startDockerd } from "./peers/dockerd.ts";
import { fixture } from "./peers/goldens.ts";
import { createPodman } from "./peers/podman.ts";
import { findTool, type RunResult, run } from "./peers/run.ts";

const IMAGE = "docker.io/library/hello:latest";

let server: RunningRegistry;
beforeAll(async () => {
  server = await serveRegistry({ archives: [fixture("docker20-hello.tar")] });
});
afterAll(async () => await server?.close());

/** Arguments of the command for a tool, as a person copies it from the page of the image. */
async function commandFor(tool: string): Promise<readonly string[]> {
  const response = await fetch(`${server.url}/image/${IMAGE}`, { headers: { accept: "text/html" } });
  const page = await response.text();
  const lines = [...page.matchAll(/<code class="cmd"[^>]*>(.*?)<\/code>/gs)].map(([, text = ""]) =>
    text.replaceAll("<wbr>", "").replaceAll("&quot;", '"').replaceAll("&amp;", "&"),
  );
  const found = lines.find(line => line.startsWith(`${tool} `));
  if (found === undefined) throw new Error(`no command for ${tool} among ${lines.join(" / ")}`);
  return found.split(" ").slice(1);
}

async function expectPull(tool: string, runWith: (args: readonly string[]) => Promise<RunResult>): Promise<void> {
  const args = await commandFor(tool);
  expect(args).toContain("pull");
  const { code, stderr } = await runWith(args);
  expect([code, code === 0 ? "" : stderr]).toEqual([0, ""]);
}

describeWith([await probeDockerd()], "the command of the page for docker", () => {
  test("pulls the image", async () => {
    const daemon = await startDockerd();
    try {
      await expectPull("docker", daemon.docker);
    } finally {
      await daemon.close();
    }
  });
});

describeWith([await probePodman()], "the command of the page for podman", () => {
  test("pulls the image", async () => {
    const { podman, close } = await createPodman();
    try {
      await expectPull("podman", podman);
    } finally {
      await close();
    }
  });
});

describeWith([await probeContainerd()], "the command of the page for containerd", () => {
  test("pulls the image", async () => {
    const { address, close } = await startContainerd();
    try {
      // The default snapshotter does not work on each machine that runs tests.
      await expectPull("ctr", async args => {
        return await run("ctr", ["--address", address, ...args.toSpliced(-1, 0, "--snapshotter", "native")]);
      });
    } finally {
      await close();
    }
  });
});

// Debian has no crictl: its line has the reference that the others pull, and nothing else of this server.
describeWith([], "the command of the page for crictl", () => {
  test("has the reference that the others pull", async () => {
    const reference = (await commandFor("docker")).at(-1);
    expect(await commandFor("crictl")).toEqual(["pull", reference]);
    if (findTool("crictl") === undefined) console.warn("SKIPPED crictl itself: not installed");
  });
});
