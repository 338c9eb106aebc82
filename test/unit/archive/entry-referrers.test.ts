import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { openArchive } from "../../../src/archive/open-archive.ts";
import { entryReferrers } from "../../../src/archive/read/entry-referrers.ts";
import type { OciRoot } from "../../../src/archive/read/oci-roots.ts";
import { convert, inspectArchive, pull, push } from "../../../src/index.ts";
import type { Descriptor } from "../../../src/oci/descriptor.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import { OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import { archiveNames } from "../../fault/referrers-support.ts";
import { storeImage, temporaryFolder } from "../../support/images.ts";
import { putIndex, putReferrer, tagOf } from "../../support/referrer-manifests.ts";
import { ScriptedRegistry } from "../../support/scripted-registry.ts";

const FIXTURES = fileURLToPath(new URL("../../../fixtures/", import.meta.url));
const INDEX: Digest = "sha256:818a2cd84c61a2b3d41d2f3c3a80fe47a61500d6560022791e6acd36caa52b88";

describe("what refers to images in layouts of other tools", () => {
  test("entries under tags that are made from a digest, and with a subject, are no images", async () => {
    await using archive = await openArchive(join(FIXTURES, "signed/signed.tar"));
    expect(archive.images.map(root => root.kind === "settled" && root.descriptor.digest)).toEqual([INDEX]);
    const about = await archive.referrers?.(INDEX);
    expect(new Set(about?.found.map(({ descriptor }) => descriptor.digest)).size).toBe(5);
    expect(about?.found.flatMap(({ tag }) => tag?.slice(-4) ?? []).sort()).toEqual([".att", ".sig"]);
  });

  test("the old oras fixture has an image with a note, and no second image", async () => {
    const { images } = await inspectArchive(join(FIXTURES, "oras13-referrers.tar"));
    expect(images).toHaveLength(1);
  });

  test("push() of what cosign, notation and oras made delivers all of it", async () => {
    const registry = await ScriptedRegistry.start();
    registry.content.hasReferrers = true;
    const { images } = await push([join(FIXTURES, "signed/signed.tar")], { tag: `${registry.host}/app:1` });
    // Three .sig tags, a bundle and notation's; an SBOM by oras, and one in an attestation.
    expect(images[0]?.referrers).toMatchObject({ signatures: 5, sboms: 2, attestations: 0, others: 0 });
    expect(registry.content.manifests.has(`app:${tagOf(INDEX, ".sig")}`)).toBe(true);
  });

  test("a folder lists them as a registry without the API does, and an archive for loaders does not", async () => {
    const folder = await temporaryFolder();
    await convert(join(FIXTURES, "signed/signed.tar"), { output: `${folder}/layout/`, tag: "registry.lan/app:1" });
    await convert(`${folder}/layout`, { output: `${folder}/out.tar` });
    await using layout = await openArchive(`${folder}/layout`);
    const tags = layout.oci?.index.roots.flatMap(({ tags }) => tags) ?? [];
    expect(tags).toContain(tagOf(INDEX));
    expect(tags.filter(tag => tag.endsWith(".sig"))).toHaveLength(3);
    expect(archiveNames(await readFile(`${folder}/out.tar`))).toEqual(["registry.lan/app:1"]);
    await using written = await openArchive(`${folder}/out.tar`);
    expect((await written.referrers?.(INDEX))?.found).toHaveLength(5);
  });

  test("an entry whose subject is not in the archive stays an artifact of its own", async () => {
    const registry = await ScriptedRegistry.start();
    const { content } = registry;
    storeImage(content, [Buffer.from("layer")]);
    const alone = putReferrer(content, "app", { subject: `sha256:${"a".repeat(64)}`, tag: "sbom" });
    putIndex(content, "app:other", [alone.descriptor]);
    const output = join(await temporaryFolder(), "out.tar");
    await pull([`${registry.host}/app:sbom`], { output, platform: "linux/amd64" });
    await using archive = await openArchive(output);
    expect(archive.images).toHaveLength(1);
  });
});

test("many entries under one tag of a digest take time in proportion to their number", () => {
  const stem = tagOf(INDEX);
  const roots = Array.from({ length: 20_000 }, (_, index): OciRoot => {
    const digest: Digest = `sha256:${index.toString(16).padStart(64, "0")}`;
    const descriptor = { mediaType: OCI_MANIFEST, digest, size: 1 };
    const listed: readonly Descriptor[] = [descriptor];
    return {
      descriptor,
      names: [],
      badNames: [],
      tags: [stem, `${stem}.sig`],
      images: new Map(),
      artifacts: new Set(),
      parts: new Set(),
      listed,
    };
  });
  let elements = 0;
  const { claims } = entryReferrers(roots);
  for (const list of claims.values()) elements += list.length;
  expect(elements).toBe(2 * roots.length);
});
