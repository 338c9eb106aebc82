// `imgpack inspect NEW --base OLD` with damaged, hostile and wrong input.
import { describe, expect, test } from "vitest";
import { formatLock } from "../../src/bundle/lock/format-lock.ts";
import { compareWithBase } from "../../src/index.ts";
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import { ownEnvironment, runCommand, said } from "../support/command-line.ts";
import { configOf, dockerArchive, fileWith, seededBytes } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";

ownEnvironment();

describe("inspect --base with what cannot be compared", () => {
  const SOURCE = "fixtures/skopeo122-oci.tar";
  const EMPTY = { platforms: ["all"], sparse: "keep", referrers: false, images: [], left: [], blobs: [] } as const;

  test.each([
    ["text", "hello\n", 3, 'Cannot read archive "PATH": it looks like text of 6 bytes, expected an image archive'],
    [
      "a lock of a newer version",
      formatLock(EMPTY).replace('"version":1', '"version":2'),
      2,
      "found version 2, expected 1",
    ],
    [
      "a lock that was edited",
      formatLock(EMPTY).replace('"referrers":false', '"referrers":true'),
      2,
      "its contents have the id",
    ],
    ["a lock that was cut", formatLock(EMPTY).slice(0, -20), 2, "Cannot read lock from"],
    ["half a tar", dockerArchive().subarray(0, 1500), 3, "file ends at byte 1500, expected 2560"],
    ["an archive without a layer", dockerArchive({ without: [0] }), 3, "no such entry, expected a file"],
  ])("%s is an error, as base and as what is compared", async (_what, content, exitCode, message) => {
    const path = await fileWith(Buffer.from(content));
    for (const words of [
      [SOURCE, "--base", path],
      [path, "--base", SOURCE],
    ]) {
      const run = await runCommand("inspect", ...words);
      expect(run).toMatchObject({ exitCode, stdout: "" });
      expect(said(run, path)[0]).toContain(message);
    }
  });

  test("an OCI archive of which a layer is absent or has another size is an error, which names the layer", async () => {
    const { digest, entries } = ociImage();
    const absent = await fileWith(tarArchive(entries("absent")));
    expect(said(await runCommand("inspect", SOURCE, "--base", absent), absent)).toEqual([
      `Cannot compare archive "PATH": found none of layer ${digest}, expected 20 bytes`,
      'The archive is incomplete or damaged: "imgpack verify" says what is wrong with it.',
    ]);
    const short = await fileWith(tarArchive(entries("short")));
    const run = await runCommand("inspect", short, "--base", SOURCE);
    expect(run.exitCode).toBe(3);
    expect(said(run, short)[0]).toBe(
      `Cannot compare archive "PATH": found 5 bytes of layer ${digest}, expected 20 bytes`,
    );
  });

  test.each([
    [["no.lock"], 9, 'Cannot read archive "no.lock": no such file, expected an image archive'],
    [["hosts/base"], 9, 'Cannot read archive "hosts/base": no such file, expected an image archive'],
    [["r.lan/team:1"], 2, 'Cannot compare with "r.lan/team:1": found tag 1, expected HOST/PREFIX'],
    [[SOURCE, "--layout", "full"], 2, "Cannot use layout: no base is a registry, expected one"],
    [[SOURCE, "--image", "x"], 2, `Cannot use --image to compare "${SOURCE}": found a choice of images, expected all`],
    [["-", "--base", "-"], 2, "Cannot read stdin: given 2 times, expected one archive, one list or one secret"],
  ])("--base %j", async (words, exitCode, message) => {
    const run = await runCommand("inspect", SOURCE, "--base", ...words);
    expect(run.exitCode).toBe(exitCode);
    expect(said(run)[0]).toBe(message);
  });

  test("a reference has to be locked first, and --layout needs a base", async () => {
    const run = await runCommand("inspect", "r.lan/app:1", "--base", SOURCE);
    expect(run.exitCode).toBe(2);
    expect(said(run)).toEqual([
      'Cannot compare "r.lan/app:1": found a reference, expected an archive, a folder or a lock',
      "Lock the image first: imgpack lock REFERENCE -o new.lock.",
    ]);
    const twice = compareWithBase("-", { base: ["-"] });
    await expect(twice).rejects.toThrow("Cannot compare with stdin: it is named twice, expected once");
    const layout = await runCommand("inspect", SOURCE, "--layout", "flat");
    expect(said(layout)[0]).toBe("Cannot use --layout: no base named, expected --base HOST[/PREFIX]");
  });

  test("A-20 names in archives, and paths, do not control the terminal", async () => {
    const hostile = dockerArchive({ tags: ["evil\u001b[2J:1", "\u202eapp:1"], layers: [seededBytes("evil", 512)] });
    const path = await fileWith(hostile, "evil\u001b[2J.tar");
    for (const words of [
      [path, "--base", SOURCE],
      [SOURCE, "--base", path],
      [SOURCE, "--base", path, "--json"],
    ]) {
      const { exitCode, stdout, stderr } = await runCommand("inspect", ...words);
      expect(exitCode).toBe(0);
      expect(`${stdout}${stderr}`).toMatch(/^[\x20-\x7e\n]+$/);
    }
  });
});

/** An OCI layout of one image with one layer, which may be absent or cut. */
function ociImage(): { readonly digest: string; entries(layer: "absent" | "short"): readonly Uint8Array[] } {
  const layer = seededBytes("layer", 20);
  const config = Buffer.from(configOf([layer]));
  const blob = (mediaType: string, bytes: Buffer): object => ({ mediaType, digest: sha256(bytes), size: bytes.length });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: blob(OCI_CONFIG, config),
      layers: [blob(OCI_LAYER_GZIP, layer)],
    }),
  );
  const index = JSON.stringify({ schemaVersion: 2, manifests: [blob(OCI_MANIFEST, manifest)] });
  const name = (bytes: Buffer): string => `blobs/sha256/${sha256(bytes).slice(7)}`;
  return {
    digest: sha256(layer),
    entries: state => [
      tarEntry({ name: "oci-layout", body: '{"imageLayoutVersion":"1.0.0"}' }),
      tarEntry({ name: "index.json", body: index }),
      ...[config, manifest].map(bytes => tarEntry({ name: name(bytes), body: bytes })),
      ...(state === "absent" ? [] : [tarEntry({ name: name(layer), body: layer.subarray(0, 5) })]),
    ],
  };
}
