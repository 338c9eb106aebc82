import { describe, expect, test } from "vitest";
import { type LoadFacts, loaderVerdicts, type OciFacts } from "../../../../src/verbs/doctor/loader-verdicts.ts";

const docker: LoadFacts = {
  outer: "none",
  hasDockerView: true,
  dockerManifestBytes: 1000,
  isDir: false,
  isLegacy: false,
  hasRepositories: true,
  images: 2,
  broken: 0,
  layers: new Set(["none", "gzip"]),
  foreign: 0,
  lacksForeign: 0,
  hasHardLinks: false,
  hasDotNames: false,
  listedArtifacts: 0,
  names: new Set(),
  nameless: 0,
  oci: undefined,
};
const index: OciFacts = {
  hasLayoutFile: true,
  entries: 2,
  names: new Set(),
  artifacts: 0,
  nameless: 0,
  tagOnly: 0,
  otherPlatforms: 0,
  sparse: 0,
  nested: 0,
  unlisted: 0,
  contradicted: 0,
  hasSha512: false,
};

/** Of the loaders in their order: docker 20, 23 to 28, its containerd store; podman 4, 5; ctr 1, 2. */
function marks(facts: LoadFacts): string {
  return loaderVerdicts(facts)
    .slice(0, 7)
    .map(({ loads }) => (loads ? "+" : "-"))
    .join("");
}

function hybrid(more: Partial<OciFacts> = {}): LoadFacts {
  return { ...docker, oci: { ...index, ...more } };
}

function layout(more: Partial<OciFacts> = {}): LoadFacts {
  return { ...hybrid({ entries: 1, ...more }), hasDockerView: false };
}

describe("loaderVerdicts() tells who loads", () => {
  test.each<[string, LoadFacts, string]>([
    ["a docker archive", docker, "+++++++"],
    ["both forms in one", hybrid(), "+++++++"],
    ["an OCI layout of one image", layout(), "--+++++"],
    ["an OCI layout of two images", layout({ entries: 2 }), "--+--++"],
    ["a layout without its header file", layout({ hasLayoutFile: false }), "---++--"],
    ["an index without its header file beside manifest.json", hybrid({ hasLayoutFile: false }), "+++++++"],
    ["a folder", { ...docker, outer: "folder" }, "---++--"],
    ["the dir: form", { ...docker, outer: "folder", hasDockerView: false, isDir: true }, "---++--"],
    ["Docker 1.9's form", { ...docker, hasDockerView: false, isLegacy: true }, "++-----"],
    [
      "Docker 1.9's form without repositories",
      { ...docker, hasDockerView: false, isLegacy: true, hasRepositories: false },
      "-------",
    ],
    ["a docker archive without repositories", { ...docker, hasRepositories: false }, "+++++++"],
    ["a gzip file", { ...docker, outer: "gzip" }, "+++-+-+"],
    ["a zstd file", { ...docker, outer: "zstd" }, "-++++-+"],
    ["an xz file", { ...docker, outer: "xz" }, "+++++--"],
    ["a bzip2 file", { ...docker, outer: "bzip2" }, "+++++--"],
    ["zstd layers", { ...docker, layers: new Set(["zstd"]) }, "-++++++"],
    ["xz layers", { ...docker, layers: new Set(["xz"]) }, "++-++--"],
    ["bzip2 layers", { ...docker, layers: new Set(["bzip2", "gzip"]) }, "++-++--"],
    ["a foreign layer in both views", { ...hybrid(), foreign: 1 }, "+++++++"],
    ["a foreign layer in an OCI layout", { ...layout({}), foreign: 1 }, "--+--++"],
    ["a foreign layer that is absent", { ...hybrid(), foreign: 1, lacksForeign: 1 }, "-------"],
    ["a name that no registry takes", { ...docker, names: new Set(["bad"]) }, "-------"],
    ["the same in both views", { ...hybrid({ names: new Set(["bad"]) }), names: new Set(["bad"]) }, "--+--++"],
    ["an IPv6 registry in a name", { ...docker, names: new Set(["ipv6"]) }, "--+---+"],
    [
      "the same in both views of one image",
      { ...hybrid({ entries: 1, names: new Set(["ipv6"]) }), names: new Set(["ipv6"]) },
      "--+--++",
    ],
    ["an IPv6 registry in a layout of one image", layout({ entries: 1, names: new Set(["ipv6"]) }), "--+--++"],
    ["a name without a tag in manifest.json", { ...docker, names: new Set(["untagged"]) }, "--+--++"],
    ["a hard link", { ...docker, hasHardLinks: true }, "++-++--"],
    ['"./" in manifest.json', { ...docker, hasDotNames: true }, "++-++--"],
    ['"./" in manifest.json beside an index', { ...hybrid(), hasDotNames: true }, "+++++++"],
    ["an image without a name", { ...docker, nameless: 1 }, "+++++--"],
    ["an image whose name only the index has", { ...hybrid(), nameless: 1 }, "+++++++"],
    ["an index entry without a name", hybrid({ nameless: 1 }), "+++++--"],
    ["a tag without a name", layout({ tagOnly: 1 }), "---++++"],
    ["an index without this machine's platform", hybrid({ otherPlatforms: 1 }), "+++++--"],
    ["an index of indexes", layout({ nested: 1 }), "--+--++"],
    ["an index of indexes beside manifest.json", hybrid({ nested: 1 }), "+++++++"],
    ["one image in the index, more in manifest.json", hybrid({ entries: 1, unlisted: 1 }), "++-----"],
    ["two images in the index, more in manifest.json", hybrid({ entries: 2, unlisted: 1 }), "++-++--"],
    ["other layers in the index", hybrid({ contradicted: 1 }), "++-++--"],
    ["sha512 names", layout({ hasSha512: true }), "-------"],
    ["an image that is not whole", { ...docker, broken: 1 }, "-------"],
    ["an artifact next to images in index.json alone", hybrid({ artifacts: 1 }), "+++++-+"],
    [
      "an artifact that manifest.json lists as an image",
      { ...hybrid({ artifacts: 1 }), listedArtifacts: 1 },
      "--+---+",
    ],
    ["a manifest.json over 1 MiB", { ...docker, dockerManifestBytes: 1024 * 1024 + 1 }, "+++--++"],
    [
      "a manifest.json over 1 MiB, next to an index of one image",
      { ...hybrid({ entries: 1 }), dockerManifestBytes: 2 ** 21 },
      "+++++++",
    ],
    ["a manifest.json over 1 MiB, next to an index of two", { ...hybrid(), dockerManifestBytes: 2 ** 21 }, "+++--++"],
    ["a manifest.json of 1 MiB", { ...hybrid(), dockerManifestBytes: 1024 * 1024 }, "+++++++"],
    ["artifacts only", { ...layout(), images: 0 }, "-------"],
  ])("loaderVerdicts() of %s", (_, facts, expected) => {
    expect(marks(facts)).toBe(expected);
  });

  test.each<[string, LoadFacts, string]>([
    ["both forms in one", hybrid(), "++++"],
    ["an index of which platforms are absent", hybrid({ sparse: 1 }), "+-+-"],
    ["an image without a name", hybrid({ nameless: 1 }), "----"],
    ["a file that is xz", { ...hybrid(), outer: "xz" }, "----"],
    ["a file that is bzip2", { ...hybrid(), outer: "bzip2" }, "-++-"],
    ["a folder", { ...docker, outer: "folder" }, "----"],
  ])("loaderVerdicts() of %s, for ctr, k3s and kind", (_, facts, expected) => {
    const found = new Map(loaderVerdicts(facts).map(({ loader, loads }) => [loader, loads ? "+" : "-"]));
    const names = ["containerd 2 (ctr)", "k3s 1.30.1 or older", "k3s 1.30.2 or newer", "kind, k3d"];
    expect(names.map(name => found.get(name)).join("")).toBe(expected);
  });

  test("loaderVerdicts() gives every reason of a loader, and none where it loads", () => {
    const facts: LoadFacts = { ...docker, outer: "gzip", layers: new Set(["xz", "bzip2"]), hasHardLinks: true };
    const of = (name: string): readonly string[] | undefined =>
      loaderVerdicts(facts).find(({ loader }) => loader === name)?.why;
    expect(of("containerd 1.6 (ctr)")).toEqual([
      "a layer is a hard link, which it does not support",
      "layers are xz and bzip2, which it cannot unpack",
      "the file is gzip, which it cannot unpack",
    ]);
    expect(of("docker 20.10")).toEqual([]);
  });

  test("loaderVerdicts() counts what is not whole", () => {
    const why = (broken: number): string | undefined => loaderVerdicts({ ...docker, broken })[0]?.why[0];
    expect(why(1)).toBe("1 of 2 images is not whole");
    expect(why(2)).toBe("2 of 2 images are not whole");
  });
});
