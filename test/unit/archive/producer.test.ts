import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openArchive } from "../../../src/archive/open-archive.ts";
import { guessProducer } from "../../../src/archive/producer.ts";
import { shapeArchives } from "../../support/shape-archives.ts";
import { openBytes } from "./archive-builder.ts";

const FIXTURES = fileURLToPath(new URL("../../../fixtures", import.meta.url));

/** The first that fits a fixture's name tells what must be guessed. */
const BY_NAME: readonly (readonly [RegExp, RegExp])[] = [
  [
    /^dirs\/(skopeo|podman|buildah).*-dir(-multi|-raw)?$/,
    /^(skopeo copy to "dir:", or podman|skopeo, podman, buildah)/,
  ],
  [/^dirs\/buildx/, /^buildx type=oci/],
  [/^dirs\//, /^skopeo, podman, buildah, umoci, oras or crane, OCI layout/],
  [/^(buildah|podman|skopeo)\d+-(docker|shared)/, /^skopeo, podman or buildah, docker-archive/],
  [
    /^(buildah|podman|skopeo|umoci|oras)\d+-|^multi-platform-oci/,
    /^skopeo, podman, buildah, umoci, oras or crane, OCI/,
  ],
  [/^buildx029-oci/, /^buildx type=oci/],
  [
    /^(buildx029-docker|ctr\d+|docker28-containerd|gnutar134-containerd)/,
    /^docker save with the containerd store, ctr/,
  ],
  [/^crane020-legacy/, /^crane pull in its legacy format/],
  [/^crane020-/, /^crane pull, or/],
  [/^docker28-classic/, /^docker save 25 or newer, classic store/],
  [/^(docker20|gnutar134-docker20|hello)/, /^docker save 1\.10 to 24/],
];

const files = [
  ...readdirSync(FIXTURES).filter(name => /\.tar(\.\w+)?$/.test(name)),
  ...readdirSync(join(FIXTURES, "dirs")).map(name => `dirs/${name}`),
];

test.each(files)("guessProducer() knows who wrote %s", async file => {
  const expected = BY_NAME.find(([name]) => name.test(file))?.[1];
  await using source = await openArchive(join(FIXTURES, file));
  const { name, because } = guessProducer(source);
  expect(expected).toBeDefined();
  expect(name).toMatch(expected ?? "");
  expect(because).not.toBe("");
});

const BY_SHAPE: readonly (readonly [RegExp, RegExp])[] = [
  [/^docker 1\.[69]/, /^docker save 1\.9 or older/],
  [/^(kaniko|ko) /, /^crane pull, or another tool built on its library \(kaniko, ko\)/],
  [/^jib/, /^jib/],
  [/^(Bazel|nix dockerTools\.streamLayeredImage)/, /^a builder that writes docker archives itself \(nix, Bazel/],
  [/^B0[1-4]/, /^docker save 25 or newer, classic store/],
  [/^regctl/, /^regctl image export/],
];

test.each(shapeArchives().filter(({ expected }) => "images" in expected))(
  "guessProducer() of the generated shape $name",
  async ({ name, bytes }) => {
    const expected = BY_SHAPE.find(([shape]) => shape.test(name))?.[1] ?? /./;
    expect(guessProducer(await openBytes(bytes)).name).toMatch(expected);
  },
);

test("guessProducer() knows imgpack's own archives by imgpack.json", async () => {
  const regctl = shapeArchives().find(({ name }) => name.startsWith("regctl"));
  const { entries, ...rest } = (await openBytes(regctl?.bytes ?? new Uint8Array())).archive;
  const source = await openBytes(regctl?.bytes ?? new Uint8Array());
  const [first] = entries.values();
  const own =
    first === undefined ? entries : new Map([...entries, ["imgpack.json", { ...first, name: "imgpack.json" }]]);
  expect(guessProducer({ ...source, archive: { ...rest, ...source.archive, entries: own } }).name).toBe("imgpack pull");
});
