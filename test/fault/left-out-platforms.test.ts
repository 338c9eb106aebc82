// What is not taken of an index is counted and named, and builds of Windows do not stand for each other.
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { convert, copyTo, inspectArchive, manifest, pull } from "../../src/index.ts";
import { runCommand } from "../support/command-line.ts";
import { temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { type BuiltImage, putImage, putIndex } from "../unit/verbs/query/listed-registry.ts";

const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const BUILDS = ["10.0.17763.1", "10.0.20348.2"];

let registry: ScriptedRegistry;
let output: string;

beforeEach(async () => {
  registry = await ScriptedRegistry.start();
  output = join(await temporaryFolder(), "out.tar");
});

/** An index of Linux and of two builds of Windows. */
function putWindows(): { readonly name: string; readonly builds: readonly BuiltImage[] } {
  const images = ["linux", ...BUILDS].map(layer => putImage(registry.content, [], { layers: [Buffer.from(layer)] }));
  const platforms = [{ os: "linux" }, ...BUILDS.map(version => ({ os: "windows", "os.version": version }))];
  const manifests = images.map(({ digest, bytes }, index) => ({
    mediaType: OCI_MANIFEST,
    digest,
    size: bytes.length,
    platform: { architecture: "amd64", ...platforms[index] },
  }));
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
  registry.content.addManifest(sha256(bytes), OCI_INDEX, bytes);
  registry.content.addManifest("win:1", OCI_INDEX, bytes);
  return { name: `${registry.host}/win:1`, builds: images.slice(1) };
}

const BOTH = "windows(10.0.17763.1)/amd64 and windows(10.0.20348.2)/amd64";

describe("two images of an index that fit one platform and differ in os.version", () => {
  test("both travel through pull, and one of them can be chosen by its build", async () => {
    const { name, builds } = putWindows();
    await pull([name], { output, platform: "windows/amd64" });
    const [image] = (await inspectArchive(output)).images;
    expect(image?.platforms.map(({ digest }) => digest)).toEqual(builds.map(({ digest }) => digest));
    expect(image?.absent).toEqual(["linux/amd64"]);
    const { images } = await pull([name], { output, platform: "windows(10.0.20348)/amd64" });
    expect(images).toMatchObject([{ absent: ["linux/amd64", "windows(10.0.17763.1)/amd64"] }]);
  });

  test("both travel through copy, in an index of their own", async () => {
    const { name, builds } = putWindows();
    const target = await ScriptedRegistry.start();
    const { images } = await copyTo([name], target.host, { platform: "windows/amd64" });
    const held = target.content.manifests.get(`win:1`);
    const index = JSON.parse(held?.bytes.toString() ?? "{}") as { readonly manifests: readonly BuiltImage[] };
    expect(index.manifests.map(({ digest }) => digest)).toEqual(builds.map(({ digest }) => digest));
    expect(images).toMatchObject([{ absent: ["linux/amd64"] }]);
  });

  test("where there can be one, both are named", async () => {
    const { name } = putWindows();
    const refused = {
      exitCode: 2,
      message: expect.stringContaining(`windows/amd64 is ${BOTH} in it, expected one image`),
    };
    await expect(manifest(name, { platform: "windows/amd64" })).rejects.toMatchObject(refused);
    const shown = await runCommand("config", name, "--platform", "windows/amd64");
    expect(shown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(BOTH) });
    await pull([name], { output, platform: "windows/amd64" });
    const options = { output: `${output}.docker`, platform: "windows/amd64", format: "docker" as const };
    await expect(convert(output, options)).rejects.toMatchObject(refused);
  });
});

describe("an image whose platform was not asked for", () => {
  function putMulti(name: string, ...more: readonly string[]): void {
    const images = ["amd64", "arm64", ...more].map(
      architecture => [architecture, putImage(registry.content, [], { architecture })] as const,
    );
    putIndex(registry.content, [name], Object.fromEntries(images));
  }

  test("is counted and named in a note, and in the result of pull", async () => {
    putMulti("multi:1", "s390x");
    const name = `${registry.host}/multi:1`;
    const words = ["pull", name, "-o", output, "--platform", "linux/amd64"];
    const note = `${name}: left out 2 images of other platforms than those asked for: linux/arm64, linux/s390x`;
    expect((await runCommand(...words)).stderr).toContain(note);
    expect(JSON.parse((await runCommand(...words, "--json")).stdout)).toMatchObject({
      images: [{ absent: ["linux/arm64", "linux/s390x"] }],
    });
    const all = await pull([name], { output, platform: "all" });
    expect(all.images[0]).not.toHaveProperty("absent");
  });

  test("of several indexes is one note", async () => {
    putMulti("multi:1");
    putMulti("other:1", "s390x");
    const names = ["multi:1", "other:1"].map(name => `${registry.host}/${name}`);
    const { stderr } = await runCommand("pull", ...names, "-o", output, "--platform", "linux/amd64");
    const notes = stderr.split("\n").filter(line => line.includes("left out"));
    expect(notes).toEqual([
      "2 images: left out 3 images of other platforms than those asked for: linux/arm64, linux/s390x",
    ]);
  });

  test("is named where a docker archive has one image of an index, and where copy takes one", async () => {
    putMulti("multi:1");
    const name = `${registry.host}/multi:1`;
    await pull([name], { output, platform: "all" });
    const converted = await convert(output, { output: `${output}.docker`, format: "docker", platform: "linux/amd64" });
    expect(converted.images).toMatchObject([{ absent: ["linux/arm64"] }]);
    const target = await ScriptedRegistry.start();
    const { stderr } = await runCommand("copy", name, "--to", target.host, "--platform", "linux/arm64");
    expect(stderr).toContain("left out 1 image of other platforms than those asked for: linux/amd64");
  });
});
