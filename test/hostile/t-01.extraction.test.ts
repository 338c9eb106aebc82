// Everything that unpacking programs fell for. Nothing is unpacked here: an entry is refused, or it is bytes.
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { inspect, push, verify } from "../../src/index.ts";
import { temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { gnuLong, paxEntry, type TarFields, tarEntry } from "../support/tar-builder.ts";
import { archiveOf, imageWith } from "./t-image.ts";

const image = imageWith();
const file = (name: string, fields: TarFields = {}): Uint8Array => tarEntry({ name, body: "owned", ...fields });
const link = (name: string, linkName: string, type = "2"): Uint8Array => tarEntry({ name, linkName, type });

/** Name of the class with an advisory of it, the reason or "accepted", the entries before the image. */
const CASES: readonly (readonly [string, string, readonly Uint8Array[]])[] = [
  ["a name that climbs (CVE-2007-4559, CVE-2024-12905)", "dot-dot-segment", [file("../victim")]],
  ["a name that climbs later (CVE-2016-7569)", "dot-dot-segment", [file("a/../../victim")]],
  ["an absolute name (CVE-2021-32804)", "absolute-name", [file("/victim")]],
  ["an absolute PAX path", "absolute-name", [paxEntry({ path: "/victim" }), file("x")]],
  ["a climbing GNU name", "dot-dot-segment", [gnuLong("../victim"), file("x")]],
  ["a Windows path (CVE-2021-37713)", "backslash-in-name", [file("a\\..\\victim")]],
  [
    "a file through a symlink (CVE-2018-20835, CVE-2025-48387)",
    "file-and-folder",
    [link("out", ".."), file("out/victim")],
  ],
  ["a file through a later symlink (CVE-2021-32803)", "file-and-folder", [file("out/victim"), link("out", "..")]],
  [
    "a folder that becomes a symlink (CVE-2021-37701)",
    "file-and-folder",
    [file("out/", { type: "5", body: "" }), link("out", "..")],
  ],
  ["a symlink to be written through (CVE-2025-59343)", "duplicate-name", [link("x", "../victim"), file("x")]],
  [
    "a hard link to be written through (CVE-2018-20834, CVE-2026-23745)",
    "duplicate-name",
    [link("x", "../victim", "1"), file("x")],
  ],
  ["a device", "bad-type", [file("null", { type: "3", body: "" })]],
  ["a FIFO", "bad-type", [file("fifo", { type: "6", body: "" })]],
  [
    "thousands of segments (CVE-2024-28863, CVE-2026-73566, GHSA-r292-9mhp-454m)",
    "name-too-deep",
    [gnuLong(`${"d/".repeat(1000)}f`), file("x")],
  ],
  [
    "a symlink out of the archive that nobody follows (CVE-2021-29136, CVE-2024-24579)",
    "accepted",
    [link("x", "../../victim")],
  ],
  ["an absolute hard link that nobody follows", "accepted", [link("x", "/victim", "1")]],
  ["names that differ in case (CVE-2021-37712)", "accepted", [file("Folder"), file("folder/x")]],
  ["setuid bits (CVE-2021-32760)", "accepted", [file("x", { patches: { 100: "0006777" } })]],
];

describe("T-01 what unpacking programs fell for", () => {
  test.each(CASES)("T-01 %s is %s, and no file but the archive is touched", async (_, expected, entries) => {
    const folder = await temporaryFolder();
    const inner = join(folder, "a/b");
    await mkdir(inner, { recursive: true });
    for (const place of [folder, join(folder, "a"), inner]) await writeFile(join(place, "victim"), "safe");
    await symlink("victim", join(inner, "x"));
    const path = join(inner, "image.tar");
    await writeFile(path, archiveOf(image, entries));
    const before = (await readdir(folder, { recursive: true })).sort();
    const registry = await ScriptedRegistry.start();
    for (const verb of [() => push([path], { registry: registry.host }), () => verify(path), () => inspect(path)]) {
      const outcome = await verb().then(
        () => "accepted",
        (error: { readonly reason?: string }) => error.reason,
      );
      expect(outcome).toBe(expected);
    }
    if (expected !== "accepted") expect(registry.content.manifests.size).toBe(0);
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(before);
    for (const place of [folder, join(folder, "a"), inner]) {
      expect(await readFile(join(place, "victim"), "utf8")).toBe("safe");
    }
  });

  test.each<[string, string, readonly Uint8Array[], string]>([
    ["a cycle", "link-cycle", [link("l1", "l2"), link("l2", "l1")], "l1"],
    ["itself", "link-cycle", [link("l1", "l1", "1")], "l1"],
    ["outside (CVE-2021-21272, CVE-2014-9356)", "link-escape", [link("l1", "../victim")], "l1"],
    ["an absolute path", "link-absolute", [link("l1", "/etc/passwd")], "l1"],
    ["nothing", "link-target-missing", [link("l1", "gone")], "l1"],
    ["a folder", "not-a-file", [file("d/", { type: "5", body: "" }), link("l1", "d")], "l1"],
    ["more than 8 links", "link-hops", Array.from({ length: 10 }, (_, at) => link(`l${at}`, `l${at + 1}`)), "l0"],
    ["a way through a link", "link-through-link", [link("s", "d"), file("d/f"), link("l1", "s/f")], "l1"],
  ])("T-01 a layer that is a link to %s is refused as %s", async (_, reason, entries, layer) => {
    const docker = JSON.stringify([{ Config: image.config.name, RepoTags: ["r.lan/app:1"], Layers: [layer] }]);
    const bytes = archiveOf(
      imageWith({
        "manifest.json": () => docker,
        "index.json": text => text.replace(/"manifests":\[.*\]/, '"manifests":[]'),
      }),
      entries,
    );
    const folder = await temporaryFolder();
    const path = join(folder, "image.tar");
    await writeFile(path, bytes);
    const registry = await ScriptedRegistry.start();
    await expect(push([path], { registry: registry.host })).rejects.toMatchObject({ reason });
    expect(registry.content.manifests.size).toBe(0);
  });
});
