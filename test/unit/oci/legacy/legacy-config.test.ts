import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ArchiveError } from "../../../../src/errors.ts";
import type { Digest } from "../../../../src/oci/digest.ts";
import { legacyConfig } from "../../../../src/oci/legacy/legacy-config.ts";
import { parseLegacyLayer } from "../../../../src/oci/legacy/legacy-layer.ts";
import { LEGACY_CHAINS, layerId } from "../../../support/legacy-chains.mjs";
import { sha256Of } from "../../../support/memory-blobs.ts";

/** Image IDs that docker 20.10 gives by `docker load` (scripts/make-legacy-goldens.mjs); null where it refuses. */
const GOLDENS: Readonly<Record<string, string | null>> = JSON.parse(
  readFileSync(new URL("../../../../fixtures/legacy-image-ids.json", import.meta.url), "utf8"),
);
/** Of 1024 zero bytes. */
const EMPTY_TAR: Digest = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
/** Docker takes them, but readers of JSON disagree on what they mean. */
const AMBIGUOUS: ReadonlySet<string> = new Set([
  "keys of another case",
  "old image with keys of another case",
  "a key twice",
]);
/** Docker refuses them for what the config does not need; imgpack drops it. */
const TAKEN: ReadonlySet<string> = new Set([
  "created empty",
  "old image with Env that is text",
  "old image with a volume that is text",
  "old image with Tty as text",
  "old image with a size with a fraction",
]);

function configOf(chain: readonly string[]): Buffer {
  const layers = chain.map(json => parseLegacyLayer(Buffer.from(json), "t"));
  return Buffer.from(
    legacyConfig(
      layers,
      layers.map(() => EMPTY_TAR),
      { where: "t" },
    ),
  );
}

describe("legacyConfig()", () => {
  test("has a golden for each chain", () => {
    expect(Object.keys(GOLDENS)).toEqual(Object.keys(LEGACY_CHAINS));
  });

  test.each(Object.entries(LEGACY_CHAINS))("gives the image ID of docker load: %s", (name, chain) => {
    if (TAKEN.has(name)) expect(JSON.parse(configOf(chain).toString()).history).toHaveLength(chain.length);
    else if (AMBIGUOUS.has(name) || GOLDENS[name] === null) expect(() => configOf(chain)).toThrow(ArchiveError);
    else expect(sha256Of(configOf(chain))).toBe(GOLDENS[name]);
  });

  test("says which time is none", () => {
    const chain = [`{"id":"${layerId(0)}","created":"yesterday"}`];
    expect(() => configOf(chain)).toThrow(
      'Cannot read layer JSON from t: found "yesterday" as "created", expected an RFC 3339 time',
    );
  });
});
