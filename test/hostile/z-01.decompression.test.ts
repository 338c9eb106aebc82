// Compressed archives and layers, by way of the push command.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { constants, deflateRawSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { ImgpackError, push } from "../../src/index.ts";
import { fileWith } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";
import { archiveOf, entriesOf, imageWith, OCI, pushBytes, refused } from "./t-image.ts";

const image = imageWith();
const plain = archiveOf(image);
const gzip = gzipSync(plain);

/** What pushing these bytes as they are leads to. */
async function verdict(bytes: Uint8Array): Promise<unknown> {
  return await pushBytes(bytes);
}

describe("Z-01 bombs (CVE-2026-59873, CVE-2026-22036)", () => {
  test("Z-01 a gzip archive that inflates past 1000:1 is refused before it is unpacked", async () => {
    const part = deflateRawSync(new Uint8Array(2 ** 20), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
    const head = deflateRawSync(plain.subarray(0, -1024), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
    const bomb = Buffer.concat([gzip.subarray(0, 10), head, ...Array.from({ length: 256 }, () => part)]);
    expect(await verdict(bomb)).toEqual(refused("inflation-ratio"));
  });

  test.each([1, 2, 50])("Z-01 gzip around gzip, %i times more, is refused: one wrapper only", async times => {
    let bytes: Uint8Array = gzip;
    for (let count = 0; count < times; count += 1) bytes = gzipSync(bytes);
    const { reason, visible } = await pushBytes(bytes);
    expect({ reason, visible }).toEqual({ reason: "not-a-tar", visible: [] });
  });
});

describe("Z-02 members and what stands behind them", () => {
  const half = plain.length >> 1;
  const members = Buffer.concat([gzipSync(plain.subarray(0, half)), gzipSync(""), gzipSync(plain.subarray(half))]);
  const zeros = (bytes: number): Buffer => Buffer.concat([gzip, Buffer.alloc(bytes)]);
  const flipped = (at: number): Buffer => {
    const bytes = Buffer.from(gzip);
    bytes.writeUInt8(bytes.readUInt8(bytes.length + at) ^ 1, bytes.length + at);
    return bytes;
  };

  test.each<[string, Uint8Array]>([
    ["several members, one of them empty", members],
    [
      "a thousand members",
      Buffer.concat(
        Array.from({ length: 1000 }, (_, at) =>
          gzipSync(plain.subarray((at * plain.length) / 1000, ((at + 1) * plain.length) / 1000)),
        ),
      ),
    ],
    ["zeros up to 1 MiB behind it", zeros(2 ** 20)],
  ])("Z-02 an archive of %s is accepted", async (_, bytes) => {
    expect(await verdict(bytes)).toMatchObject({ reason: "pushed" });
  });

  test.each<[string, string, Uint8Array]>([
    ["garbage behind it", "damaged-gzip", Buffer.concat([gzip, Buffer.from("junk")])],
    ["one byte behind it", "truncated-gzip", Buffer.concat([gzip, Buffer.from("x")])],
    ["garbage behind zeros", "damaged-gzip", Buffer.concat([zeros(512), Buffer.from("junk")])],
    ["a member behind zeros", "damaged-gzip", Buffer.concat([zeros(512), gzip])],
    ["more than 1 MiB of zeros behind it", "damaged-gzip", zeros(2 ** 20 + 1)],
    ["another archive behind it", "data-after-end", Buffer.concat([gzip, gzip])],
    ["its end cut off", "truncated-gzip", gzip.subarray(0, -9)],
    ["its trailer cut off", "truncated-gzip", gzip.subarray(0, -4)],
    ["a wrong length", "damaged-gzip", flipped(-1)],
    ["Z-07 a wrong checksum, told behind all data", "damaged-gzip", flipped(-8)],
  ])("Z-02 an archive with %s is refused as %s, and nothing is visible", async (_, reason, bytes) => {
    expect(await verdict(bytes)).toEqual(refused(reason));
  });
});

describe("Z-03 / Z-04 layers", () => {
  const layer = Buffer.from(image.layer.body);
  const layerGzip = gzipSync(layer);
  /** The OCI form alone, its layer of that type and content. */
  function layout(mediaType: string, body: Uint8Array): Uint8Array {
    const described = JSON.stringify({
      mediaType: `${OCI}.layer.v1.${mediaType}`,
      digest: sha256(body),
      size: body.length,
    });
    const changes = { manifest: (text: string) => text.replace(/"layers":\[.*\]/, `"layers":[${described}]`) };
    const { "manifest.json": _, layer: __, ...files } = imageWith(changes);
    const named = { name: `blobs/sha256/${sha256(body).slice(7)}`, body };
    return tarArchive([...Object.values(files), named].map(tarEntry));
  }

  test("Z-04 a gzip layer that inflates to something else than its diff_id is found by verify", async () => {
    const { verify } = await import("../../src/index.ts");
    const other = gzipSync(tarArchive([tarEntry({ name: "evil" })]));
    const good = await verify(await fileWith(layout("tar+gzip", layerGzip)));
    expect(good.faults).toEqual([]);
    const bad = await verify(await fileWith(layout("tar+gzip", other)));
    expect(bad.faults).toMatchObject([{ kind: "diff-id" }]);
  });

  test.each<[string, Uint8Array]>([
    ["truncated gzip", layerGzip.subarray(0, -9)],
    ["gzip with a wrong checksum", layerGzip.map((byte, at) => (at === layerGzip.length - 6 ? byte ^ 1 : byte))],
    ["gzip with garbage behind it", Buffer.concat([layerGzip, Buffer.from("x")])],
  ])("Z-07 / Z-02 a layer of %s is found by verify", async (_, body) => {
    const { verify } = await import("../../src/index.ts");
    const { faults } = await verify(await fileWith(layout("tar+gzip", body)));
    expect(faults.length).toBe(1);
  });

  test("Z-03 raw bytes as gzip, which podman's docker-dir holds, are hashed as they are, and said", async () => {
    const { verify } = await import("../../src/index.ts");
    const { faults, unchecked } = await verify(await fileWith(layout("tar+gzip", layer)));
    expect(faults).toEqual([]);
    expect(unchecked).toEqual([expect.stringContaining("its manifest says gzip, but the layer is raw")]);
  });

  test("Z-04 a gzip layer of a docker archive whose bytes are not its diff_id is refused or found", async () => {
    const evil = gzipSync(tarArchive([tarEntry({ name: "evil" })]));
    const docker = JSON.stringify([{ Config: "c.json", RepoTags: ["app:1"], Layers: ["l.tar"] }]);
    const entries = [
      { name: "c.json", body: image.config.body },
      { name: "l.tar", body: evil },
      { name: "manifest.json", body: docker },
    ];
    const { verify } = await import("../../src/index.ts");
    const { faults } = await verify(await fileWith(tarArchive(entries.map(tarEntry))));
    expect(faults).toMatchObject([{ kind: "diff-id" }]);
  });
});

describe("Z-06 / Z-07 nothing outside, nothing too early", () => {
  test("Z-06 only credential helpers, and podman and ctr where an engine is named, are ever started (CVE-2014-9357)", () => {
    const source = fileURLToPath(new URL("../../src", import.meta.url));
    const starters = readdirSync(source, { recursive: true, encoding: "utf8" })
      .filter(name => /\.m?ts$|\.mjs$/.test(name))
      .filter(name => readFileSync(`${source}/${name}`, "utf8").includes("child_process"));
    expect(starters.sort()).toEqual(["engine/command/run-command.ts", "registry/credentials/credential-helper.ts"]);
  });

  test("Z-07 a gzip archive from which an entry is missing at its damaged end puts no manifest", async () => {
    const registry = await ScriptedRegistry.start();
    const bytes = gzipSync(
      tarArchive([...entriesOf(image), tarEntry({ name: "more", body: Buffer.alloc(300_000, 7) })]),
    );
    const path = await fileWith(bytes.subarray(0, -20));
    const failed = push([path], { tag: [`${registry.host}/app:1`] });
    await expect(failed).rejects.toBeInstanceOf(ImgpackError);
    await expect(failed).rejects.toMatchObject({ reason: "truncated-gzip" });
    expect(registry.content.manifests.size).toBe(0);
  });
});
