import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { OCI_INDEX, OCI_MANIFEST } from "../../../../../src/oci/media-types.ts";
import { hostPlatform } from "../../../../../src/oci/platform.ts";
import { push } from "../../../../../src/verbs/push/push.ts";
import { failureOf } from "../../../../support/canaries.ts";
import { dockerArchive, fileWith } from "../../../../support/images.ts";
import { sha256 } from "../../../../support/memory-registry.ts";
import { legacyArchives } from "../../../../support/shape-archives-legacy.ts";
import {
  blobPath,
  config,
  described,
  filesTar,
  index,
  manifest,
  rawLayer,
} from "../../../../support/shape-archives-parts.ts";
import { idOf } from "../../../../support/v1/fill-v1.ts";
import { V1Registry } from "../../../../support/v1/v1-registry.ts";

const registry = { retry: { count: 0 } } as const;

it("keeps ids and JSON of a docker 1.9 archive, byte for byte, and sends its layers once", async () => {
  const server = await V1Registry.start({ manner: "0.8" });
  const [archive] = legacyArchives();
  const path = await fileWith(archive?.bytes ?? Buffer.alloc(0));
  const { images, blobs } = await push([path], { to: `v1://${server.host}`, registry });
  expect(images.map(({ reference }) => reference)).toEqual(
    ["legacy/app:1.0", "legacy/app:latest", "legacy/base:1.0"].map(name => `v1://${server.host}/${name}`),
  );
  expect([...(server.content.repositories.get("legacy/app")?.tags ?? [])]).toEqual([
    ["1.0", idOf("a")],
    ["latest", idOf("a")],
  ]);
  const layers = ["base", "middle", "top"].map(text => rawLayer(`${text}\n`).bytes);
  expect(["c", "b", "a"].map(digit => server.content.image(idOf(digit)).layer)).toEqual(layers);
  for (const { json } of server.content.images.values()) expect(archive?.bytes.includes(json)).toBe(true);
  expect(blobs).toMatchObject({ uploaded: 3, skipped: 2 });
});

it("sends gzip layers as plain tars under the ids of docker 1.12, from a compressed archive too", async () => {
  const layers = [rawLayer("one"), rawLayer("two")];
  const bytes = dockerArchive({ tags: ["registry.lan/team/app:2"], layers: layers.map(layer => layer.bytes) });
  const server = await V1Registry.start({ manner: "0.9", hasIndex: true });
  const notes: string[] = [];
  const onProgress = (event: { kind: string; message?: string }): void =>
    void (event.kind === "note" && notes.push(event.message ?? ""));
  for (const file of [bytes, gzipSync(bytes)]) {
    server.content.images.clear();
    const path = await fileWith(file);
    await push([path], { tag: [`v1://${server.host}/Team/App:2`, `v1://${server.host}/app`], registry, onProgress });
    const [base, top] = [...server.content.images.values()];
    expect([base?.layer, top?.layer]).toEqual(layers.map(layer => layer.bytes));
    const lower = layers[0]?.hex ?? "";
    expect(base?.json.toString()).toBe(`{"id":"${lower}"}`);
    expect(JSON.parse(top?.json.toString() ?? "")).toMatchObject({ parent: lower, os: "linux" });
    expect(server.content.repositories.get("library/app")?.tags.has("latest")).toBe(true);
  }
  expect(notes.join("\n")).toContain("in a temporary file in");
});

it("refuses what v1 has no name for, before a request", async () => {
  const server = await V1Registry.start();
  const path = await fileWith(dockerArchive({ tags: ["registry.lan/a/b/app:2"] }));
  const to = `v1://${server.host}`;
  for (const [options, message] of [
    [{ to }, /found repository "a\/b\/app", expected one or two parts/],
    [{ to: `${to}/x/y/z` }, /3 parts in the repository/],
    [{ tag: `${to}/app@${sha256(Buffer.from("x"))}` }, /found a digest, expected a tag or none/],
    [{ tag: [`${to}/app`, "registry.lan/app"] }, /found v1 and other references/],
    [{ tag: `${to}/app`, compression: "zstd" }, /Cannot use --compression/],
  ] as const) {
    expect((await failureOf(push([path], { ...options, registry }))).message).toMatch(message);
  }
  expect(server.requests).toEqual([]);
});

/** A layout of one index; `left` is in the index and not in the archive. */
function indexArchive(architectures: readonly string[], left?: string): Buffer {
  const layer = rawLayer("one");
  const images = architectures.map(architecture => {
    const own = config([layer], { architecture });
    return { architecture, own, manifest: manifest(own, [layer], "application/vnd.oci.image.layer.v1.tar") };
  });
  const root = index(
    images.map(({ architecture, manifest: one }) =>
      described(one, OCI_MANIFEST, { platform: { os: "linux", architecture } }),
    ),
  );
  const held = images.filter(({ architecture }) => architecture !== left);
  const annotations = { "io.containerd.image.name": "registry.lan/app:1" };
  return filesTar([
    ["oci-layout", '{"imageLayoutVersion":"1.0.0"}'],
    ["index.json", index([described(root, OCI_INDEX, { annotations })]).bytes],
    ...[root, layer, ...held.flatMap(({ own, manifest: one }) => [own, one])].map(
      part => [blobPath(part), part.bytes] as const,
    ),
  ]);
}

it("takes the platform of this machine out of an index, or the one of --platform; one that is absent names the others", async () => {
  const server = await V1Registry.start();
  const { architecture: own } = hostPlatform();
  const to = `v1://${server.host}`;
  const pushed = async (archive: Buffer, platform?: string): Promise<string> => {
    server.content.images.clear();
    await push([await fileWith(archive)], { to, platform, registry });
    return JSON.parse([...server.content.images.values()].at(-1)?.json.toString() ?? "{}").architecture;
  };
  const both = indexArchive([own, "riscv64"]);
  expect(await pushed(both)).toBe(own);
  expect(await pushed(both, "linux/riscv64")).toBe("riscv64");
  const absent = { exitCode: 5, hint: "Choose one with --platform: a v1 registry has one for a tag." };
  const both64 = `expected one of linux/${own}, linux/riscv64`;
  await expect(pushed(both, "linux/s390x")).rejects.toMatchObject({
    ...absent,
    message: expect.stringContaining(both64),
  });
  const lacking = pushed(indexArchive([own, "riscv64"], own));
  await expect(lacking).rejects.toMatchObject({
    ...absent,
    message: expect.stringMatching(/expected linux\/riscv64$/),
  });
  // As for pull: an image in no index is pushed, unless a platform was asked for.
  const one = Buffer.from(dockerArchive({ tags: ["registry.lan/app:1"] }));
  expect(await pushed(one)).toBe("amd64");
  await expect(pushed(one, "linux/s390x")).rejects.toMatchObject(absent);
  await expect(push([await fileWith(one)], { to: "r.lan", platform: "linux/arm64" })).rejects.toMatchObject({
    exitCode: 2,
  });
});
