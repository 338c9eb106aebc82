import { gunzipSync } from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import { configOf } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";
import {
  expectNoSessions,
  expectNothingTagged,
  fast,
  fixture,
  inPieces,
  ordered,
  type PushOptions,
  pushBytes,
  pushTagged,
  tarLayer,
} from "./push-once-support.ts";

vi.mock("node:timers/promises", async original => ({
  ...(await original<object>()),
  ...(await import("../support/instant-waits.ts")),
}));

/** Its gzip needs more than one part: the first one has gone out when the fault behind it is found. */
const BIG = tarLayer("big", 9_500_000);
const SMALL = tarLayer("small");
const GOOD = ordered([BIG, SMALL], [0, 1, "m"]);
const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
const OCI_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";

interface Bad {
  readonly what: string;
  readonly bytes: Uint8Array;
  /** As it comes, where only compression makes it bad. */
  readonly packed?: Uint8Array;
  readonly exitCode: number;
  readonly message: RegExp;
}

function withoutEnd(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.length - 1024);
}

function damaged(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[copy.length - at] = (copy[copy.length - at] ?? 0) ^ 1;
  return copy;
}

/** An OCI layout of one layer, under a name that claims `hex`. */
function layout(layer: Uint8Array, hex: string, raw: Uint8Array = BIG, mediaType: string = OCI_GZIP): Uint8Array {
  const config = Buffer.from(configOf([raw]));
  const describe = (bytes: Uint8Array, mediaType: string, digest = sha256(bytes)): object => ({
    mediaType,
    digest,
    size: bytes.length,
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: describe(config, OCI_CONFIG),
      layers: [describe(layer, mediaType, `sha256:${hex}`)],
    }),
  );
  const root = {
    ...describe(manifest, OCI_MANIFEST),
    annotations: { "io.containerd.image.name": "127.0.0.1:5000/app:1" },
  };
  const named = (bytes: Uint8Array): string => `blobs/sha256/${sha256(bytes).slice(7)}`;
  return tarArchive([
    tarEntry({ name: `blobs/sha256/${hex}`, body: layer }),
    tarEntry({ name: named(config), body: config }),
    tarEntry({ name: named(manifest), body: manifest }),
    tarEntry({ name: "index.json", body: JSON.stringify({ schemaVersion: 2, manifests: [root] }) }),
    tarEntry({ name: "oci-layout", body: '{"imageLayoutVersion": "1.0.0"}' }),
  ]);
}

/** `xz -9e` of the tar below. */
const XZ_LAYER = Buffer.from(
  "/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4Af/ADtdADMaSda2OCGvAe5uBXM7wPyBXpfFnJDGeR9eH/i+7Y+C2YhYMwXqVAhralSHJ17yG5aQxky" +
    "p4BnEBhoAAAAkLr8UfY7dZgABV4AQAAAAnwshM7HEZ/sCAAAAAARZWg==",
  "base64",
);
const XZ_RAW = tarArchive([tarEntry({ name: "file", body: "one\n" })]);

const withoutMetadata = ordered([BIG, SMALL], [0, 1]);
const wrongConfig = tarArchive([
  tarEntry({ name: "0/layer.tar", body: BIG }),
  tarEntry({ name: "config.json", body: configOf([tarLayer("another")]) }),
  tarEntry({
    name: "manifest.json",
    body: JSON.stringify([{ Config: "config.json", RepoTags: ["app:1"], Layers: ["0/layer.tar"] }]),
  }),
]);

const BAD: readonly Bad[] = [
  { what: "is cut in a layer", bytes: GOOD.subarray(0, 9_000_000), exitCode: 3, message: /file ends at byte 9000000/ },
  {
    what: "is cut behind its layers",
    bytes: GOOD.subarray(0, GOOD.length - 3000),
    exitCode: 3,
    message: /file ends|no manifest/,
  },
  { what: "has no metadata", bytes: withoutMetadata, exitCode: 3, message: /no manifest\.json among 2 entries/ },
  {
    what: "names an entry twice behind its layers",
    bytes: Buffer.concat([withoutEnd(GOOD), tarEntry({ name: "1/layer.tar", body: SMALL }), Buffer.alloc(1024)]),
    exitCode: 3,
    message: /expected each name once/,
  },
  {
    what: "has bytes behind its end",
    bytes: Buffer.concat([GOOD, Buffer.from("more".padEnd(512, "!"))]),
    exitCode: 3,
    message: /bytes behind the end/,
  },
  { what: "has a layer that its config does not name", bytes: wrongConfig, exitCode: 6, message: /expected sha256:/ },
  {
    what: "has a blob that is not what its name says",
    bytes: layout(fast(BIG), "0".repeat(64)),
    exitCode: 6,
    message: /Cannot accept blob from .* expected sha256:0{64}/,
  },
  {
    what: "has a wrong checksum at its end",
    bytes: GOOD,
    packed: damaged(fast(GOOD), 8),
    exitCode: 3,
    message: /gzip/,
  },
  {
    what: "lacks the last byte of its gzip",
    bytes: GOOD,
    packed: fast(GOOD).subarray(0, -1),
    exitCode: 3,
    message: /gzip/,
  },
  {
    what: "has rubbish behind its gzip",
    bytes: GOOD,
    packed: Buffer.concat([fast(GOOD), Buffer.from("rubbish")]),
    exitCode: 3,
    message: /gzip/,
  },
];

describe.each([
  ["a file", false],
  ["a pipe", true],
])("push() of %s that turns out bad at its end", (_kind, isPipe) => {
  describe.each([true, false])("tagged: %s", isTagged => {
    test.each(BAD)("push() puts no manifest when the archive $what", async ({ bytes, packed, exitCode, message }) => {
      const registry = await ScriptedRegistry.start();
      const options: PushOptions = isTagged ? { tags: [`${registry.host}/app:1`] } : {};
      const sent = packed ?? fast(bytes);
      const pushed = await pushBytes(registry, isPipe ? inPieces(sent) : "plain", sent, options);
      expect(pushed.error?.message).toMatch(message);
      expect(pushed.error).toMatchObject({ exitCode });
      expectNothingTagged(pushed);
      expectNoSessions(pushed);
    });
  });
});

describe("push() of layers that need another look", () => {
  test("push() refuses an xz layer that is not what its config says, in one pass as by random access", async () => {
    const layer = await fixture("hello.tar.xz");
    const archive = (diffId: string): Uint8Array =>
      tarArchive([
        tarEntry({ name: "0/layer.tar", body: layer }),
        tarEntry({
          name: "config.json",
          body: JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [diffId] } }),
        }),
        tarEntry({
          name: "manifest.json",
          body: JSON.stringify([{ Config: "config.json", RepoTags: ["app:1"], Layers: ["0/layer.tar"] }]),
        }),
      ]);
    const wrong = archive(`sha256:${"1".repeat(64)}`);
    for (const way of ["plain", "gzip", "pipe", "gzip pipe"] as const) {
      const pushed = await pushTagged(way, wrong);
      expect(pushed.error, way).toMatchObject({ code: "ERR_INTEGRITY", exitCode: 6 });
      expectNothingTagged(pushed);
    }
  });

  test("push() keeps two layers apart that are compressed with xz", async () => {
    const layers = [await fixture("hello.tar.xz"), XZ_LAYER];
    const raws = [gunzipSync(await fixture("hello.tar.gz")), Buffer.from(XZ_RAW)];
    const names = ["0/layer.tar", "1/layer.tar"];
    const image = tarArchive([
      ...layers.map((body, place) => tarEntry({ name: names[place] ?? "", body })),
      tarEntry({ name: "config.json", body: configOf(raws) }),
      tarEntry({
        name: "manifest.json",
        body: JSON.stringify([{ Config: "config.json", RepoTags: ["app:1"], Layers: names }]),
      }),
    ]);
    const found: (readonly string[])[] = [];
    for (const way of ["plain", "gzip", "pipe", "gzip pipe"] as const) {
      const { registry, error } = await pushTagged(way, image);
      expect(error?.message, way).toBeUndefined();
      found.push([...registry.content.manifests.keys()]);
    }
    expect(found).toEqual(found.map(() => found[0]));
  });

  test("push() sends an xz layer of an OCI layout in one pass", async () => {
    const image = layout(
      XZ_LAYER,
      sha256(XZ_LAYER).slice(7),
      XZ_RAW,
      "application/vnd.docker.image.rootfs.diff.tar.xz",
    );
    const found: (readonly string[])[] = [];
    for (const way of ["plain", "gzip", "pipe", "gzip pipe"] as const) {
      const { registry, error } = await pushTagged(way, image);
      expect(error?.message, way).toBeUndefined();
      found.push([...registry.content.manifests.keys()]);
    }
    expect(found).toEqual(found.map(() => found[0]));
  });
});
