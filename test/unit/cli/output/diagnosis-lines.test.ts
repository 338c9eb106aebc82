import { describe, expect, test } from "vitest";
import { diagnosisLines } from "../../../../src/cli/output/diagnosis-lines.ts";
import type { Diagnosis } from "../../../../src/index.ts";

const digest = `sha256:${"a".repeat(64)}` as const;
const image: Diagnosis["images"][number] = {
  names: ["docker.io/library/app:1"],
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  platforms: [
    { platform: "linux/amd64", config: digest, layers: [{ digest, size: 2048, mediaType: "x" }], history: [] },
  ],
  absent: [],
  isWhole: true,
};
const diagnosis: Diagnosis = {
  archive: "app.tar",
  bytes: 10_240,
  compression: "none",
  form: "docker",
  producer: { name: "jib", because: "it looks so" },
  images: [image],
  loaders: [{ loader: "docker", loads: true, why: [] }],
  notes: [],
};
const verified = { archive: "app.tar", images: 1, blobs: 1, bytes: 1, faults: [], unchecked: [], seconds: 1 };

function lines(more: Partial<Diagnosis> = {}): readonly string[] {
  return [...diagnosisLines({ ...diagnosis, ...more })];
}

function refused(...why: readonly string[]): Partial<Diagnosis> {
  return { loaders: [{ loader: "podman", loads: false, why }] };
}

function advice(more: Partial<Diagnosis>): readonly string[] {
  return lines(more).flatMap(line => (line.startsWith("Advice ") ? [line.replace(/^Advice +/, "")] : []));
}

describe("diagnosisLines()", () => {
  test("diagnosisLines() tells of a sound archive, and advises nothing", () => {
    expect(lines({ verified })).toEqual([
      "Archive    app.tar, 10.0 KiB",
      "Format     docker archive (manifest.json)",
      "Made by    probably jib: it looks so",
      "Image      docker.io/library/app:1",
      "           linux/amd64: 1 layer, 2.0 KiB",
      "Loads in   docker",
      "Content    1 blob, all match their digests",
    ]);
  });

  test("diagnosisLines() escapes whatever the archive says", () => {
    const hostile = "\u001b[31mred";
    const [platform] = image.platforms;
    const all = lines({
      archive: hostile,
      images: [
        {
          ...image,
          names: [hostile],
          absent: [hostile],
          platforms: platform ? [{ ...platform, platform: hostile }] : [],
        },
      ],
      repaired: { output: hostile, images: [], blobBytes: 1 },
      verified: { ...verified, faults: [{ kind: "size", blob: digest, found: hostile, expected: "1 bytes" }] },
    });
    expect(all.join("\n")).not.toContain("\u001b");
    expect(all.filter(line => line.includes("\\u{1b}[31mred"))).toHaveLength(6);
  });

  test("diagnosisLines() says what is wrong with an image, and what a repair left out", () => {
    const broken = { ...image, names: ["b:1"], isWhole: false, problem: 'no entry "x"' };
    const all = lines({ images: [image, broken], repaired: { output: "o.tar", images: [], blobBytes: 1024 } });
    expect(all).toContain('           incomplete: no entry "x"');
    expect(all).toContain("Repaired   o.tar: 0 images, 1.0 KiB");
    expect(all).toContain("Left out   b:1");
  });

  test("diagnosisLines() names what has no name by its digest", () => {
    expect(lines({ images: [{ ...image, names: [] }] })).toContain(`Image      ${digest} (no name)`);
  });

  test.each<[string, Partial<Diagnosis>, readonly string[]]>([
    [
      "a gzip file",
      refused("the file is gzip"),
      ["make an archive that every runtime loads: imgpack doctor app.tar --repair clean.tar"],
    ],
    [
      "zstd layers",
      refused("layers are zstd, which it cannot unpack"),
      ["make an archive that every runtime loads: imgpack doctor app.tar --repair clean.tar --layers gzip"],
    ],
    [
      "a file whose name a shell would split",
      { archive: "my app's.tar", ...refused("x") },
      ["make an archive that every runtime loads: imgpack doctor 'my app'\\''s.tar' --repair clean.tar"],
    ],
    [
      "a file whose name cannot be shown",
      { archive: "a\u001b.tar", ...refused("x") },
      ["make an archive that every runtime loads: imgpack doctor FILE --repair clean.tar"],
    ],
    [
      "stdin",
      { archive: "-", ...refused("x") },
      ["save it to FILE, then make an archive that every runtime loads: imgpack doctor FILE --repair clean.tar"],
    ],
    ["artifacts, which no form makes images", refused("there is no image in it", "there is no manifest.json"), []],
    [
      "an image without a name",
      { images: [{ ...image, names: [] }] },
      ["give it a name: imgpack convert app.tar named.tar --tag NAME:TAG"],
    ],
    [
      "an image that is not whole",
      { images: [{ ...image, isWhole: false }] },
      ["pull the image with all its layers, then save it again"],
    ],
    [
      "one image of two that is not whole",
      { images: [image, { ...image, isWhole: false }], ...refused("1 of 2 images is not whole") },
      [
        "pull the image with all its layers, then save it again",
        "save the complete images: imgpack doctor app.tar --repair clean.tar",
      ],
    ],
    [
      "altered content",
      {
        verified: { ...verified, faults: [{ kind: "digest", blob: digest, found: "x", expected: "y" }] },
        ...refused("x"),
      },
      ["copy the archive again from its source: its content was altered"],
    ],
  ])("diagnosisLines() advises for %s", (_, more, expected) => {
    expect(advice(more)).toEqual(expected);
  });
});
