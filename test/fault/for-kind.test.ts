// What loaders that import all platforms of an index need: an image, or an index that is whole.
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { doctor, inspectArchive, pull } from "../../src/index.ts";
import { runCommand } from "../support/command-line.ts";
import { temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { type BuiltImage, putImage, putIndex } from "../unit/verbs/query/listed-registry.ts";

let registry: ScriptedRegistry;
let amd64: BuiltImage;
let index: string;
let output: string;

beforeEach(async () => {
  registry = await ScriptedRegistry.start();
  amd64 = putImage(registry.content, [], { architecture: "amd64" });
  const [arm64, s390x] = ["arm64", "s390x"].map(architecture => putImage(registry.content, [], { architecture }));
  if (arm64 === undefined || s390x === undefined) throw new Error("no image");
  index = putIndex(registry.content, ["multi:1"], { amd64, arm64, s390x }).digest;
  output = join(await temporaryFolder(), "out.tar");
});

test.each(["kind", "k3s"])(
  "--for %s gives the name to the one platform's manifest, and prints both digests",
  async loader => {
    for (const name of [`${registry.host}/multi:1`, `${registry.host}/multi@${index}`]) {
      const words = [name, "-o", output, "--platform", "linux/amd64", "--for", loader];
      const { stdout, stderr } = await runCommand("pull", ...words);
      expect(stdout).toBe(name.includes("@") ? `${name}\n` : `${name}@${amd64.digest}\n`);
      expect(stderr).toContain(`${name}: ${index} → ${amd64.digest}`);
      expect(stderr).toContain(`${name} leads to one image of its index: ${loader} imports all platforms`);
      const { images } = await inspectArchive(output);
      expect(images).toMatchObject([{ names: [name], digest: amd64.digest, absent: [] }]);
      const { loaders } = await doctor(output, { quick: true });
      expect(loaders.filter(({ loads }) => !loads)).toEqual([]);
    }
  },
);

test("--for kind with several platforms makes an index of these; one with all platforms stays as it is", async () => {
  const name = `${registry.host}/multi:1`;
  const some = await pull([name], { output, platform: ["linux/amd64", "linux/arm64"], for: "kind" });
  expect(some.images).toMatchObject([{ names: [name], previousDigest: index }]);
  expect((await inspectArchive(output)).images).toMatchObject([{ platforms: [{}, {}], absent: [] }]);
  const all = await pull([name], { output, platform: "all", for: "kind" });
  expect(all.images).toEqual([expect.objectContaining({ digest: index })]);
  expect(all.images[0]).not.toHaveProperty("previousDigest");
});

test("doctor says that kind and k3s up to 1.30.1 fail at an index of which platforms are absent, and ctr does not", async () => {
  await pull([`${registry.host}/multi:1`], { output, platform: "linux/amd64" });
  const { loaders } = await doctor(output, { quick: true });
  const why = "an index names platforms that are not in the archive, and it imports all of them";
  expect(loaders.filter(({ loads }) => !loads)).toEqual([
    { loader: "k3s 1.30.1 or older", loads: false, why: [why] },
    { loader: "kind, k3d", loads: false, why: [why] },
  ]);
});
