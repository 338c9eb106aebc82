import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { convert, doctor, inspect, pull, push, verify } from "../../src/index.ts";
import { dockerArchive, fileWith, temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";

const WHITEOUTS = 20_000;

const LAYERS: readonly (readonly [string, Uint8Array])[] = [
  [
    "a whiteout for each of many names, in each other's way",
    tarArchive(
      Array.from({ length: WHITEOUTS }, (_, place) =>
        tarEntry({ name: `${"d/".repeat(place % 40)}.wh.${place % 2 === 0 ? ".wh..opq" : place}` }),
      ),
    ),
  ],
  [
    "opaque folders, a whiteout of the root, and one of itself",
    tarArchive(
      [".wh..wh..opq", "a/.wh..wh..opq", ".wh.", ".wh..", ".wh.../x", ".wh..wh."].map(name => tarEntry({ name })),
    ),
  ],
  [
    "names and links that lead out of it",
    tarArchive([
      tarEntry({ name: "../../t-30-escaped", body: "x" }),
      tarEntry({ name: "/tmp/t-30-escaped", body: "x" }),
      tarEntry({ name: "etc", type: "2", linkName: "/etc" }),
      tarEntry({ name: "etc/t-30-escaped", body: "x" }),
      tarEntry({ name: "hard", type: "1", linkName: "../../etc/passwd" }),
      tarEntry({ name: "disk", type: "4" }),
    ]),
  ],
  ["no tar at all", Buffer.from("#!/bin/sh\necho layers are bytes\n")],
];

describe("T-30 what is in a layer is hashed, never interpreted (CVE-2026-95838)", () => {
  test.each(LAYERS)("T-30 %s goes through every command byte for byte", async (_, layer) => {
    const archive = await fileWith(dockerArchive({ layers: [layer], tags: ["app:1"] }));
    expect((await verify(archive)).faults).toEqual([]);
    expect((await inspect(archive)).images).toHaveLength(1);
    expect((await doctor(archive)).images).toMatchObject([{ isWhole: true }]);

    const registry = await ScriptedRegistry.start();
    await push([archive], { to: registry.host });
    const sent = [...registry.content.blobs.values()].filter(bytes => bytes[0] === 0x1f && bytes[1] === 0x8b);
    expect(sent.map(bytes => sha256(gunzipSync(bytes)))).toEqual([sha256(layer)]);

    const folder = await temporaryFolder();
    await pull([`${registry.host}/app:1`], {
      output: join(folder, "out.tar"),
      layers: "raw",
      platform: ["linux/amd64"],
    });
    await convert(archive, { output: join(folder, "layout/") });
    expect(await readdir(join(folder, "layout", "blobs", "sha256"))).toContain(sha256(layer).slice("sha256:".length));
    expect((await verify(join(folder, "out.tar"))).faults).toEqual([]);
    const diffIds = async (path: string): Promise<unknown> => (await inspect(path)).images[0]?.platforms[0]?.config;
    expect(await diffIds(join(folder, "out.tar"))).toBe(await diffIds(archive));
    expect((await readdir(folder)).sort()).toEqual(["layout", "out.tar"]);
    expect(await readdir(dirname(archive))).toEqual(["image.tar"]);
  });
});
