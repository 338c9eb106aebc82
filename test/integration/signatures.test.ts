import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { describeWith } from "./peers/describe-with.ts";
import { type DockerRegistry, startDockerRegistry } from "./peers/docker-registry.ts";
import { createImgpack, type Imgpack } from "./peers/imgpack.ts";
import { type RunResult, run } from "./peers/run.ts";
import { startServe } from "./peers/served.ts";

const HELLO = fileURLToPath(new URL("../../fixtures/multi-platform-oci.tar", import.meta.url));
const SIGNED = fileURLToPath(new URL("../../fixtures/signed/signed.tar", import.meta.url));
const MANY_SECONDS = 120_000;

interface Scene {
  readonly imgpack: Imgpack;
  /** The connected side. */
  readonly outside: DockerRegistry;
  /** Without the referrers API: distribution. */
  readonly inside: DockerRegistry;
  /** With it. */
  readonly store: string;
}

async function scene(): Promise<Scene> {
  const imgpack = await createImgpack();
  onTestFinished(async () => await imgpack.close());
  const [outside, inside] = await Promise.all([startDockerRegistry(), startDockerRegistry()]);
  for (const registry of [outside, inside]) onTestFinished(async () => await registry.close());
  const served = await startServe(join(imgpack.folder, "store"));
  onTestFinished(async () => void (await served.end()));
  return { imgpack, outside, inside, store: served.host };
}

async function tool(folder: string, [program = "", ...args]: readonly string[]): Promise<RunResult> {
  const env = { COSIGN_PASSWORD: "x", HOME: folder, XDG_CONFIG_HOME: folder, DOCKER_CONFIG: folder };
  const result = await run(program, args, { cwd: folder, env });
  expect(result.code, `${program} ${args.join(" ")}\n${result.stderr}`).toBe(0);
  return result;
}

/** Pushes an image outside, lets `sign` sign it, and carries it inside in one tar. @returns its names inside. */
async function carry(
  { imgpack, outside, inside, store }: Scene,
  sign: (pinned: string) => Promise<void>,
): Promise<readonly string[]> {
  const { images } = await imgpack.push([HELLO, "--tag", `${outside.host}/app:1`]);
  const digest = images[0]?.digest ?? "";
  await sign(`${outside.host}/app@${digest}`);
  const archive = join(imgpack.folder, "out.tar");
  await imgpack.pull([`${outside.host}/app:1`, "-o", archive, "--platform", "all"]);
  const names: string[] = [];
  for (const host of [inside.host, store]) {
    await imgpack.push([archive, "--to", `${host}/mirror`]);
    names.push(`${host}/mirror/app@${digest}`);
  }
  return names;
}

describeWith(["cosign", "docker-registry"], "what cosign signs outside, it verifies inside", () => {
  test(
    "signatures under the tag and as bundles, of the index and of each platform",
    async () => {
      const at = await scene();
      const { folder } = at.imgpack;
      await tool(folder, ["cosign", "generate-key-pair"]);
      const offline = ["--key", "cosign.key", "--tlog-upload=false", "--use-signing-config=false", "--yes"];
      const inside = await carry(at, async pinned => {
        for (const isNew of [false, true]) {
          const form = [`--new-bundle-format=${isNew}`, "--allow-http-registry", "--recursive"];
          await tool(folder, ["cosign", "sign", ...offline, ...form, pinned]);
        }
      });
      for (const pinned of inside) {
        for (const isNew of [false, true]) {
          const flags = ["--insecure-ignore-tlog", "--allow-http-registry", `--new-bundle-format=${isNew}`];
          const verified = await tool(folder, ["cosign", "verify", "--key", "cosign.pub", ...flags, pinned]);
          expect(verified.stderr).toContain("signatures were verified against the specified public key");
        }
      }
      const { code, stdout } = await at.imgpack.run([
        "verify",
        join(folder, "out.tar"),
        "--key",
        join(folder, "cosign.pub"),
      ]);
      expect([code, stdout]).toEqual([0, expect.stringContaining("2 valid signatures")]);
    },
    MANY_SECONDS,
  );
});

describeWith(["notation", "docker-registry"], "what notation signs outside, it verifies inside", () => {
  test(
    "a signature with its own certificate",
    async () => {
      const at = await scene();
      const { folder } = at.imgpack;
      await tool(folder, ["notation", "cert", "generate-test", "--default", "wabbit"]);
      const inside = await carry(at, async pinned => {
        await tool(folder, ["notation", "sign", "--insecure-registry", pinned]);
      });
      const policy = {
        version: "1.0",
        trustPolicies: [
          {
            name: "all",
            registryScopes: ["*"],
            signatureVerification: { level: "strict" },
            trustStores: ["ca:wabbit"],
            trustedIdentities: ["*"],
          },
        ],
      };
      await mkdir(join(folder, "notation"), { recursive: true });
      await writeFile(join(folder, "policy.json"), JSON.stringify(policy));
      await tool(folder, ["notation", "policy", "import", "--force", "policy.json"]);
      for (const pinned of inside) {
        const { stdout } = await tool(folder, ["notation", "verify", "--insecure-registry", pinned]);
        expect(stdout).toContain("Successfully verified signature");
      }
    },
    MANY_SECONDS,
  );
});

describeWith(["skopeo"], "archives with signatures in other tools", () => {
  test("skopeo copies a nameless archive for loaders, and a folder by its tag", async () => {
    const imgpack = await createImgpack();
    onTestFinished(async () => await imgpack.close());
    const at = (name: string): string => join(imgpack.folder, name);
    for (const words of [[at("out.tar")], [at("folder/"), "--tag", "registry.lan/app:1"]])
      expect((await imgpack.run(["convert", SIGNED, ...words])).code).toBe(0);
    const copy = ["--insecure-policy", "copy", "--all"];
    for (const [source, target] of [
      [`oci-archive:${at("out.tar")}`, `dir:${at("one")}`],
      [`oci:${at("folder")}:1`, `dir:${at("two")}`],
    ] as const) {
      const { code, stderr } = await run("skopeo", [...copy, source, target]);
      expect(code, stderr).toBe(0);
    }
  });
});
