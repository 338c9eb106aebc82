// A manifest.json that skopeo and podman refuse because of its size.
import { join } from "node:path";
import { expect, test } from "vitest";
import { doctor } from "../../src/index.ts";
import { runCommand } from "../support/command-line.ts";
import { temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { putImage } from "../unit/verbs/query/listed-registry.ts";

const NOTE = /manifest\.json has 1\.\d MiB: "skopeo copy docker-archive:" and podman read at most 1\.0 MiB of it/;

test("a manifest.json over 1 MiB is written, and pull and doctor say who cannot read it", async () => {
  const registry = await ScriptedRegistry.start();
  const layers = Array.from({ length: 14_000 }, () => Buffer.from("layer"));
  putImage(registry.content, ["large:1", "large:2"], { layers });
  putImage(registry.content, ["small:1"]);
  const output = join(await temporaryFolder(), "out.tar");
  const pull = async (...names: readonly string[]): Promise<string> => {
    const references = names.map(name => `${registry.host}/${name}`);
    return (await runCommand("pull", ...references, "-o", output, "--platform", "linux/amd64")).stderr;
  };
  expect(await pull("large:1", "large:2")).toMatch(NOTE);
  const { notes, loaders } = await doctor(output, { quick: true });
  expect(notes).toEqual([expect.stringMatching(NOTE)]);
  const why = "manifest.json is larger than 1 MiB, which is all that it reads of it";
  expect(loaders.filter(({ loads }) => !loads)).toEqual(
    ["podman 4.3 (Debian 12)", "podman 5"].map(loader => ({ loader, loads: false, why: [why] })),
  );
  expect((await runCommand("doctor", output, "--quick")).stdout).not.toContain("--repair");
  expect(await pull("small:1")).not.toContain("manifest.json");
});
