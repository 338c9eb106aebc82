import { describe, expect, test } from "vitest";
import { OCI_LAYER_GZIP } from "../../src/oci/media-types.ts";
import { configOf } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";
import {
  expectNoSessions,
  expectNothingTagged,
  fast,
  inPieces,
  layoutArchive,
  ordered,
  ownTemporaryFolder,
  type PushOptions,
  pushBytes,
  tarLayer,
} from "./push-once-support.ts";

ownTemporaryFolder();

/** Its gzip needs more than one part: the first one has gone out when the fault behind it is found. */
const BIG = tarLayer("big", 9_500_000);
const SMALL = tarLayer("small");
const GOOD = ordered([BIG, SMALL], [0, 1, "m"]);

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
    what: "has bytes after its end",
    bytes: Buffer.concat([GOOD, Buffer.from("more".padEnd(512, "!"))]),
    exitCode: 3,
    message: /bytes after the end/,
  },
  { what: "has a layer that its config does not name", bytes: wrongConfig, exitCode: 6, message: /expected sha256:/ },
  {
    what: "has a blob that is not what its name says",
    bytes: layoutArchive(fast(BIG), "0".repeat(64), BIG, OCI_LAYER_GZIP),
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
    what: "has rubbish after its gzip",
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
      const options: PushOptions = isTagged ? { tag: [`${registry.host}/app:1`] } : {};
      const sent = packed ?? fast(bytes);
      const pushed = await pushBytes(registry, isPipe ? inPieces(sent) : "plain", sent, options);
      expect(pushed.error?.message).toMatch(message);
      expect(pushed.error).toMatchObject({ exitCode });
      expectNothingTagged(pushed);
      expectNoSessions(pushed);
    });
  });
});
