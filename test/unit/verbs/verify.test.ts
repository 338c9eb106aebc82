import { describe, expect, test } from "vitest";
import { OCI_LAYER, OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import { verify } from "../../../src/verbs/verify.ts";
import { runCommand } from "../../support/command-line.ts";
import { fileWith } from "../../support/images.ts";
import {
  blobPath,
  config,
  described,
  filesTar,
  index,
  manifest,
  type Part,
  rawLayer,
} from "../../support/shape-archives-parts.ts";

const layer = rawLayer("content");
const settings = config([layer]);
const image = manifest(settings, [layer], OCI_LAYER);

/** An OCI layout whose blobs are as given, whatever their names say. */
async function layoutWith(bodies: ReadonlyMap<Part, Uint8Array>): Promise<string> {
  const bytes = filesTar([
    ["oci-layout", '{"imageLayoutVersion":"1.0.0"}'],
    ["index.json", index([described(image, OCI_MANIFEST)]).bytes],
    ...[...bodies].map(([part, body]) => [blobPath(part), body] as const),
  ]);
  return await fileWith(bytes);
}

const whole = [layer, settings, image].map(part => [part, part.bytes] as const);

describe("verify()", () => {
  test("verify() finds nothing wrong with a whole layout", async () => {
    await expect(verify(await layoutWith(new Map(whole)))).resolves.toMatchObject({ faults: [], blobs: 3 });
  });

  test("verify() reports an altered layer by both digests, without a sentence", async () => {
    const altered = Buffer.from(layer.bytes).fill(0x41, 0, 1);
    const { faults } = await verify(await layoutWith(new Map([...whole, [layer, altered]])));
    expect(faults).toEqual([
      {
        kind: "digest",
        blob: layer.digest,
        found: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        expected: layer.digest,
      },
    ]);
  });

  test("verify() puts the sentence about a manifest that cannot be read into the message, not into what it found", async () => {
    const altered = Buffer.from(image.bytes).fill(0x20, 0, 1);
    const archive = await layoutWith(new Map([...whole, [image, altered]]));
    const { faults } = await verify(archive);
    expect(faults).toContainEqual({
      kind: "unreadable",
      blob: image.digest,
      found: "no readable manifest",
      expected: "one",
      message: expect.stringMatching(/^Cannot /),
    });
    const { stdout, exitCode } = await runCommand("verify", archive);
    expect(exitCode).toBe(6);
    expect(stdout).toContain(`unreadable: ${image.digest}: Cannot `);
  });

  test("verify() reports a layer of another size as a sentence in the message", async () => {
    const archive = await layoutWith(new Map([...whole, [layer, layer.bytes.subarray(1)]]));
    const { faults } = await verify(archive);
    expect(faults).toMatchObject([
      {
        kind: "size",
        blob: layer.digest,
        found: "another size",
        expected: `${layer.bytes.length} bytes`,
        message: expect.stringMatching(/^Cannot /),
      },
    ]);
  });
});
