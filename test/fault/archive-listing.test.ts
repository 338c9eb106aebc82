import { join } from "node:path";
import { expect, test } from "vitest";
import { listArchive, type PullOptions, pull } from "../../src/index.ts";
import { ownEnvironment, runCommand } from "../support/command-line.ts";
import { temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { storeIndex } from "./lock-support.ts";

const NAMES = Array.from({ length: 21 }, (_, index) => `team/app-${String(index).padStart(2, "0")}:1`);
ownEnvironment();

/** An archive of the first `count` images, and the registry that they come from. */
async function archiveOf(count: number, options: Omit<PullOptions, "output"> = {}): Promise<readonly [string, string]> {
  const { host, content } = await ScriptedRegistry.start();
  for (const name of NAMES) storeIndex(content, name, { architectures: ["amd64"] });
  const output = join(await temporaryFolder(), "site.tar");
  const references = NAMES.slice(0, count).map(name => `${host}/${name}`);
  await pull(references, { ...options, output, platform: "linux/amd64" });
  return [output, host];
}

test("inspect prints a line per image for an archive of more than 20, and details for those that are chosen", async () => {
  const [many, host] = await archiveOf(21);
  const { stdout, exitCode } = await runCommand("inspect", many);
  expect(exitCode).toBe(0);
  const lines = stdout.trimEnd().split("\n");
  expect(lines[0]).toMatch(/^IMAGE +DIGEST +PLATFORMS +REFERRERS$/);
  expect(lines.slice(1, 22).map(line => line.split(/ +/))).toEqual(
    NAMES.map(name => [`${host}/${name}`, expect.stringMatching(/^sha256:/), "linux/amd64", "none"]),
  );
  expect(lines[22]).toMatch(/^21 images, 85 blobs, /);
  const chosen = await runCommand("inspect", many, "--image", `${host}/${NAMES[3]}`);
  expect(chosen.stdout.match(/^Image .*/gm)).toEqual([`Image      ${host}/${NAMES[3]}`]);
  expect(chosen.stdout).toContain("LAYER");
  const json = JSON.parse((await runCommand("inspect", many, "--json")).stdout);
  expect(json.images).toHaveLength(21);
  expect(json.images[0].platforms[0].layers.length).toBeGreaterThan(0);
});

test("inspect shows an archive of 20 images in detail", async () => {
  const [few] = await archiveOf(20);
  expect((await runCommand("inspect", few)).stdout.match(/^Image /gm)).toHaveLength(20);
});

test("listArchive says what is not known of referrers, and gives nothing for an archive without a lock", async () => {
  const [few] = await archiveOf(2, { referrers: false });
  const listing = await listArchive(few);
  expect(listing).toMatchObject({ kind: "listing", left: 0 });
  expect(new Set(listing?.images.map(({ referrers }) => referrers))).toEqual(new Set([undefined]));
  expect(await listArchive("fixtures/docker20-hello.tar")).toBeUndefined();
});

test("inspect chooses images of archives only", async () => {
  const { exitCode, stderr } = await runCommand("inspect", "registry.lan:5000/app:1", "--image", "x");
  expect(exitCode).toBe(2);
  expect(stderr).toContain("images are chosen, but it is a reference, expected an archive");
});
