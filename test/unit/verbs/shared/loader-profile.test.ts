import { describe, expect, test } from "vitest";
import { gather } from "../../../../src/copy/gather.ts";
import { ArchiveError } from "../../../../src/errors.ts";
import type { Descriptor } from "../../../../src/oci/descriptor.ts";
import type { Loader } from "../../../../src/verbs/options/choices.ts";
import { checkLoads, loaderProfile } from "../../../../src/verbs/shared/loader-profile.ts";
import { addImage, memorySource, settledRoot } from "../../../support/memory-image.ts";

const platform = { os: "linux", architecture: "amd64" };
const source = memorySource();
const image = addImage(source, "app");
const chart = addImage(source, "chart", { configType: "application/vnd.cncf.helm.config.v1+json" });

async function notesFor(loader: Loader, ...roots: readonly Descriptor[]): Promise<readonly string[]> {
  const notes: string[] = [];
  const plan = await gather(
    source,
    roots.map((root, place) => settledRoot(root, `r.lan/${place}:1`)),
  );
  checkLoads(plan, loaderProfile(loader), platform, note => notes.push(note));
  return notes;
}

describe("loaderProfile()", () => {
  test("loaderProfile() has zstd layers changed for Docker 20 alone", () => {
    const changed = (["docker20", "docker", "podman", "ctr", "k3s", "kind"] as const).filter(name =>
      loaderProfile(name).unpacksNot.includes("zstd"),
    );
    expect(changed).toEqual(["docker20"]);
  });
});

describe("checkLoads()", () => {
  test.each(["docker20", "docker", "podman"] as const)("checkLoads() says what %s will not load", async loader => {
    expect(await notesFor(loader, image)).toEqual([]);
    expect(await notesFor(loader, image, chart)).toEqual([expect.stringMatching(/^r\.lan\/1:1 is not an image/)]);
    await expect(notesFor(loader, chart)).rejects.toThrow(ArchiveError);
  });

  test.each(["ctr", "k3s", "kind"] as const)("checkLoads() lets %s import artifacts", async loader => {
    expect(await notesFor(loader, chart)).toEqual([]);
  });
});
